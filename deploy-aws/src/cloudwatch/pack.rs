//! Many questions in few calls.

use std::collections::HashMap;

use mpac_deploy_core::time::Period;

use super::query::Query;

/// How many queries `GetMetricData` takes.
const QUERIES: usize = 500;
/// How many points it gives without paging.
const POINTS: usize = 100_800;
/// How many minutes a call may span (ours): one range for several minutes saves calls, and is paid for with points in between that
/// nobody asked for.
const MINUTES: usize = 30;

/// A call: these queries over these periods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) queries: Vec<Query>,
    pub(super) first: Period,
    pub(super) last: Period,
}

/// What somebody wants to know.
#[derive(Clone, Debug)]
pub(super) struct Question<'a> {
    pub(super) queries: &'a [Query],
    pub(super) period: Period,
}

/// The calls, and for each question those that answer it.
#[derive(Debug, Default)]
pub(super) struct Packed {
    pub(super) calls: Vec<Planned>,
    pub(super) answered_by: Vec<Vec<usize>>,
}

/// Puts all questions into as few calls as can be.
pub(super) fn pack(questions: &[Question<'_>]) -> Packed {
    let mut order: Vec<usize> = (0..questions.len()).collect();
    // Neighbours in time share a range.
    order.sort_by_key(|place| questions.get(*place).map(|question| question.period));
    let mut packed = Packed { calls: Vec::new(), answered_by: vec![Vec::new(); questions.len()] };
    let mut placed: HashMap<(&Query, Period), usize> = HashMap::new();
    let mut in_call: HashMap<&Query, usize> = HashMap::new();
    for place in order {
        let (Some(question), Some(answered_by)) = (questions.get(place), packed.answered_by.get_mut(place))
        else {
            continue;
        };
        for query in question.queries {
            let call = *placed
                .entry((query, question.period))
                .or_insert_with(|| add(&mut packed.calls, &mut in_call, query, question.period));
            if !answered_by.contains(&call) {
                answered_by.push(call);
            }
        }
    }
    packed
}

/// Puts a query into the last call, or into a new one if it does not fit there any more.
fn add<'a>(
    calls: &mut Vec<Planned>,
    in_call: &mut HashMap<&'a Query, usize>,
    query: &'a Query,
    period: Period,
) -> usize {
    let number = calls.len();
    if let Some(last) = calls.last_mut() {
        let is_new = in_call.get(query) != Some(&(number - 1));
        let queries = last.queries.len() + usize::from(is_new);
        let minutes = period.max(last.last).since(last.first.min(period)) as usize + 1;
        if queries <= QUERIES && minutes <= MINUTES && queries * minutes <= POINTS {
            if is_new {
                last.queries.push(query.clone());
                in_call.insert(query, number - 1);
            }
            last.first = last.first.min(period);
            last.last = last.last.max(period);
            return number - 1;
        }
    }
    calls.push(Planned { queries: vec![query.clone()], first: period, last: period });
    in_call.insert(query, number);
    number
}

#[cfg(test)]
mod tests {
    use mpac_deploy_core::time::Timestamp;

    use super::super::query::Statistic;
    use super::*;

    fn minute(number: i64) -> Period {
        Period::containing(Timestamp::from_secs(1_769_590_800 + 60 * number))
    }

    fn queries(of: &str, count: usize) -> Vec<Query> {
        let query = |number: usize| Query {
            namespace: "X".into(),
            name: format!("{of}{number}"),
            dimensions: Default::default(),
            statistic: Statistic::SUM,
        };
        (0..count).map(query).collect()
    }

    fn packed(questions: &[(Vec<Query>, Period)]) -> Packed {
        let questions: Vec<_> =
            questions.iter().map(|(queries, period)| Question { queries, period: *period }).collect();
        pack(&questions)
    }

    #[test]
    fn a_hundred_rollouts_of_twenty_metrics_are_four_calls() {
        let questions: Vec<_> =
            (0..100).map(|rollout| (queries(&format!("r{rollout}."), 20), minute(0))).collect();
        let packed = packed(&questions);
        assert_eq!(packed.calls.iter().map(|call| call.queries.len()).collect::<Vec<_>>(), [500; 4]);
        assert_eq!(packed.answered_by[0], [0]);
        assert_eq!(packed.answered_by[99], [3]);
    }

    #[test]
    fn the_same_query_is_asked_once() {
        let packed = packed(&[(queries("a", 3), minute(0)), (queries("a", 4), minute(0))]);
        assert_eq!(packed.calls.len(), 1);
        assert_eq!(packed.calls[0].queries, queries("a", 4));
    }

    #[test]
    fn several_minutes_share_a_range() {
        let packed = packed(&[
            (queries("a", 2), minute(5)),
            (queries("a", 2), minute(3)),
            (queries("b", 1), minute(4)),
        ]);
        assert_eq!(packed.calls.len(), 1);
        let call = &packed.calls[0];
        assert_eq!((call.first, call.last, call.queries.len()), (minute(3), minute(5), 3));
        assert_eq!(packed.answered_by, [[0], [0], [0]]);
    }

    #[test]
    fn minutes_far_apart_do_not() {
        let packed = packed(&[(queries("a", 1), minute(0)), (queries("a", 1), minute(30))]);
        assert_eq!(packed.calls.len(), 2);
        assert_eq!(packed.answered_by, [[0], [1]]);
    }

    #[test]
    fn no_question_is_no_call() {
        assert!(packed(&[]).calls.is_empty());
        assert_eq!(packed(&[(Vec::new(), minute(0))]).answered_by, [[0; 0]]);
    }
}
