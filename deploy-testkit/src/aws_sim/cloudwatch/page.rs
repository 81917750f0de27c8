//! The points of a request, page by page.

use std::collections::BTreeMap;

use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::{PERIOD_MILLIS, Period, Timestamp};

use super::check::{Asked, AskedQuery};
use super::wire::{GetRequest, GetResponse, Message, QueryResult, timestamp};
use super::{CloudWatch, MetricStatus, world};
use crate::aws_sim::wire::Refusal;
use crate::aws_sim::{Account, Bound, Shared};

/// The pages that were promised: each belongs to its request and to no other.
#[derive(Debug, Default)]
pub(super) struct Tokens(BTreeMap<String, (GetRequest, usize)>);

impl Tokens {
    fn promise(&mut self, request: &GetRequest, seen: usize) -> String {
        let token = format!("page-{}", self.0.len() + 1);
        self.0.insert(token.clone(), (GetRequest { next_token: None, ..request.clone() }, seen));
        token
    }

    /// How many points of this request were on the pages before this one.
    fn seen(&self, request: &GetRequest) -> Result<usize, Refusal> {
        let Some(token) = &request.next_token else { return Ok(0) };
        let known = self
            .0
            .get(token)
            .filter(|(first, _)| *first == GetRequest { next_token: None, ..request.clone() });
        known
            .map(|(_, seen)| *seen)
            .ok_or_else(|| Refusal::new(400, "InvalidNextToken", "The next token specified is invalid."))
    }
}

/// A point: its second and its value.
type Point = (i64, f64);

pub(super) fn answer(shared: &Shared, request: &GetRequest, asked: &Asked) -> Result<GetResponse, Refusal> {
    let mut account = shared.account.get();
    let now = shared.clock.now();
    let seen = account.cloudwatch.tokens.seen(request)?;
    let page = account.cloudwatch.page.unwrap_or(usize::MAX).min(asked.page);
    let (mut skipped, mut left, mut more) = (seen, page, false);
    let mut results = Vec::new();
    for query in asked.queries.iter().filter(|query| query.returned) {
        let status =
            account.cloudwatch.statuses.get(&query.metric).copied().unwrap_or(MetricStatus::Complete);
        let points = match status {
            MetricStatus::Complete => points(&account, shared.bound.as_ref(), query, asked, now),
            MetricStatus::InternalError | MetricStatus::Forbidden | MetricStatus::Partial => Vec::new(),
        };
        let before = skipped.min(points.len());
        if seen > 0 && before == points.len() {
            // On a page before this one it was complete.
            skipped -= before;
            continue;
        }
        skipped -= before;
        let here: Vec<Point> = points.iter().skip(before).take(left).copied().collect();
        left -= here.len();
        let is_whole = before + here.len() == points.len();
        more |= !is_whole;
        results.push(result(query, status, is_whole, &here));
    }
    let next_token = more.then(|| account.cloudwatch.tokens.promise(request, seen + page));
    Ok(GetResponse { metric_data_results: results, next_token, messages: Vec::new() })
}

fn result(query: &AskedQuery, status: MetricStatus, is_whole: bool, points: &[Point]) -> QueryResult {
    let (status_code, message) = match status {
        MetricStatus::Complete if is_whole => ("Complete", None),
        MetricStatus::Complete | MetricStatus::Partial => ("PartialData", None),
        MetricStatus::InternalError => (
            "InternalError",
            Some(Message { code: "InternalError", value: "An internal error occurred.".into() }),
        ),
        MetricStatus::Forbidden => {
            let value = "The caller is not allowed to see this metric.".into();
            ("Forbidden", Some(Message { code: "Forbidden", value }))
        }
    };
    QueryResult {
        id: query.id.clone(),
        label: query.label.clone(),
        timestamps: points.iter().map(|(second, _)| timestamp(*second)).collect(),
        values: points.iter().map(|(_, value)| *value).collect(),
        status_code,
        messages: message.into_iter().collect(),
    }
}

/// The points of a query in its range, in the order that was asked for.
fn points(
    account: &Account,
    bound: Option<&Bound>,
    query: &AskedQuery,
    asked: &Asked,
    now: Timestamp,
) -> Vec<Point> {
    let step = query.period * 1000;
    if step < PERIOD_MILLIS {
        // No metric here has a finer resolution than a minute.
        return Vec::new();
    }
    let first = asked.start.as_millis().div_euclid(step) * step;
    let starts =
        (0..).map(|number: i64| first + number * step).take_while(|start| *start < asked.end.as_millis());
    let point = |start: i64| {
        let minutes = (0..step / PERIOD_MILLIS)
            .map(|minute| Period::containing(Timestamp::from_millis(start + minute * PERIOD_MILLIS)));
        let values = minutes.flat_map(|period| values(account, bound, query, period, now)).collect();
        query.statistic.of(values).map(|value| (start / 1000, value))
    };
    let mut points: Vec<Point> = starts.filter_map(point).collect();
    if !asked.ascending {
        points.reverse();
    }
    points
}

fn values(
    account: &Account,
    bound: Option<&Bound>,
    query: &AskedQuery,
    period: Period,
    now: Timestamp,
) -> Vec<super::Weighted> {
    let put: &CloudWatch = &account.cloudwatch;
    let put = put.values(&query.metric, period, now);
    match bound {
        Some(bound) if put.is_empty() => world::values(bound, &account.elbv2, &query.metric, period),
        Some(_) | None => put,
    }
}
