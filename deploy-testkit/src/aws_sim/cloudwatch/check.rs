//! What AWS refuses before it looks at a metric.

use std::collections::BTreeSet;

use mpac_deploy_core::time::Timestamp;

use super::MetricId;
use super::statistic::Statistic;
use super::wire::{self, Dimension, GetRequest, Metric, Query};
use crate::aws_sim::wire::Refusal;

/// How many queries a call may have.
const QUERIES: usize = 500;
/// How many points a page may have.
pub(super) const POINTS: usize = 100_800;
/// How many dimensions a metric may have.
const DIMENSIONS: usize = 30;

/// A request that AWS would take.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) queries: Vec<AskedQuery>,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) ascending: bool,
    pub(super) page: usize,
}

/// A query that is one.
#[derive(Clone, Debug)]
pub(super) struct AskedQuery {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) metric: MetricId,
    pub(super) statistic: Statistic,
    /// In seconds.
    pub(super) period: i64,
    pub(super) returned: bool,
}

pub(super) fn refuse(message: impl Into<String>) -> Refusal {
    Refusal::new(400, "ValidationError", message.into())
}

pub(super) fn asked(request: &GetRequest) -> Result<Asked, Refusal> {
    let queries = &request.metric_data_queries;
    if queries.is_empty() {
        return Err(refuse("The collection MetricDataQueries must not have a size less than 1."));
    }
    if queries.len() > QUERIES {
        return Err(refuse(format!(
            "The collection MetricDataQueries must not have a size greater than {QUERIES}."
        )));
    }
    let start = wire::time("StartTime", &request.start_time)?;
    let end = wire::time("EndTime", &request.end_time)?;
    if start >= end {
        return Err(refuse("The parameter StartTime must be less than the parameter EndTime."));
    }
    let ascending = match request.scan_by.as_deref() {
        None | Some("TimestampDescending") => false,
        Some("TimestampAscending") => true,
        Some(other) => return Err(refuse(format!("The value {other} for parameter ScanBy is invalid."))),
    };
    let page = match request.max_datapoints {
        None => POINTS,
        Some(points) => {
            usize::try_from(points).ok().filter(|points| (1..=POINTS).contains(points)).ok_or_else(|| {
                refuse(format!("The value {points} for parameter MaxDatapoints is not from 1 to {POINTS}."))
            })?
        }
    };
    let queries =
        (1..).zip(queries).map(|(number, query)| one(number, query)).collect::<Result<Vec<_>, _>>()?;
    let mut ids = BTreeSet::new();
    if !queries.iter().all(|query| ids.insert(query.id.as_str())) {
        return Err(refuse("The values for parameter Id in MetricDataQueries are not unique."));
    }
    Ok(Asked { queries, start, end, ascending, page })
}

fn one(number: usize, query: &Query) -> Result<AskedQuery, Refusal> {
    let member = format!("MetricDataQueries.member.{number}");
    let id = query.id.clone().unwrap_or_default();
    let mut letters = id.chars();
    if !(letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_'))
    {
        return Err(refuse(format!(
            "The value {id} for parameter {member}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )));
    }
    if query.account_id.is_some() {
        return Err(refuse(format!("{member}.AccountId: the simulated AWS has one account.")));
    }
    let stat = match (&query.metric_stat, &query.expression) {
        (Some(stat), None) => stat,
        (None, Some(_)) => {
            return Err(refuse(format!("{member}.Expression: the simulated AWS knows no metric math.")));
        }
        (None, None) | (Some(_), Some(_)) => {
            return Err(refuse(format!("{member} must have either MetricStat or Expression.")));
        }
    };
    let metric = id_of(&stat.metric, &member)?;
    let is_period = matches!(stat.period, 1 | 5 | 10 | 20 | 30) || (stat.period > 0 && stat.period % 60 == 0);
    if !is_period {
        return Err(refuse(format!(
            "The parameter {member}.MetricStat.Period must be 1, 5, 10, 20, 30, or a multiple of 60."
        )));
    }
    let statistic = stat.stat.parse().map_err(|()| {
        refuse(format!("The value {} for parameter {member}.MetricStat.Stat is not supported.", stat.stat))
    })?;
    Ok(AskedQuery {
        id,
        label: query.label.clone().unwrap_or_else(|| metric.name.clone()),
        metric,
        statistic,
        period: stat.period,
        returned: query.return_data.unwrap_or(true),
    })
}

fn id_of(metric: &Metric, member: &str) -> Result<MetricId, Refusal> {
    let there = |value: &Option<String>, name: &str| {
        value
            .clone()
            .filter(|value| !value.is_empty())
            .ok_or_else(|| refuse(format!("The parameter {member}.MetricStat.Metric.{name} is required.")))
    };
    let (namespace, name) =
        (there(&metric.namespace, "Namespace")?, there(&metric.metric_name, "MetricName")?);
    Ok(MetricId { namespace, name, dimensions: dimensions(&metric.dimensions)? })
}

/// Dimensions have no order, and each has one value.
pub(super) fn dimensions(given: &[Dimension]) -> Result<std::collections::BTreeMap<String, String>, Refusal> {
    if given.len() > DIMENSIONS {
        return Err(refuse(format!(
            "The collection Dimensions must not have a size greater than {DIMENSIONS}."
        )));
    }
    if given.iter().any(|dimension| dimension.name.is_empty() || dimension.value.is_empty()) {
        return Err(refuse("A dimension must have a name and a value."));
    }
    Ok(given.iter().map(|dimension| (dimension.name.clone(), dimension.value.clone())).collect())
}
