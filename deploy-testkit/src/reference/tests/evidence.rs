//! What a look at a metric ends in (semantics 2).

use super::super::evidence::Evidence::{Missing, NoTraffic, SourceError, Value};
use super::super::evidence::{Evidence, Subject, of};
use super::*;

/// The evidence in minute 5 of green, whose requests and other value there are given.
fn look(requests: Option<f64>, metric: Metric, value: Option<f64>) -> Evidence {
    let (recording, minute) = recording(requests, &[(metric.clone(), value)]);
    of(&recording, Green, &metric, minute)
}

fn error_rate(requests: Option<f64>, errors: Option<f64>) -> Evidence {
    let (recording, minute) = recording(requests, &[(Metric::Errors, errors)]);
    Subject::ErrorRate.evidence(&recording, minute)
}

fn recording(
    requests: Option<f64>,
    values: &[(Metric, Option<f64>)],
) -> (crate::recording::Recording, mpac_deploy_core::time::Period) {
    let mut draft = Draft::healthy(10);
    for (metric, value) in [(Metric::Requests, requests)].iter().chain(values) {
        draft = draft.absent(5..6, metric.clone());
        if let Some(value) = value {
            draft = draft.green(5..6, metric.clone(), *value);
        }
    }
    (draft.build().unwrap(), Draft::period(5))
}

#[test]
fn a_finite_number_is_a_value_whatever_requests_says() {
    for requests in [None, Some(0.0), Some(9.0), Some(f64::NAN)] {
        assert_eq!(look(requests, Metric::LatencyP95, Some(7.0)), Value(7.0));
        assert_eq!(look(requests, Metric::Errors, Some(7.0)), Value(7.0));
    }
}

#[test]
fn not_a_number_and_the_infinities_are_source_errors() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(look(Some(0.0), Metric::LatencyP95, Some(value)), SourceError);
    }
}

#[test]
fn a_sparse_count_that_is_absent_is_zero_if_there_are_requests() {
    for metric in [Metric::Errors, Metric::Http5xx] {
        assert_eq!(look(Some(1.0), metric.clone(), None), Value(0.0));
        assert_eq!(look(Some(0.0), metric.clone(), None), NoTraffic);
        assert_eq!(look(None, metric.clone(), None), Missing);
        assert_eq!(look(Some(f64::NAN), metric, None), Missing);
    }
}

#[test]
fn no_other_count_is_sparse() {
    for metric in
        [Metric::DbConnectionErrors, Metric::TransactionFailures, Metric::LogAnomalies, Metric::Transactions]
    {
        assert_eq!(look(Some(1.0), metric, None), Missing);
    }
}

#[test]
fn what_is_absent_without_traffic_is_no_traffic_except_for_services_and_memory() {
    for metric in [Metric::LatencyP50, Metric::Transactions, Metric::LogAnomalies, Metric::DbConnectionErrors]
    {
        assert_eq!(look(Some(0.0), metric.clone(), None), NoTraffic);
        assert_eq!(look(Some(1.0), metric, None), Missing);
    }
    for metric in [Metric::PostgresUp, Metric::RedisUp, Metric::MemoryUtilization] {
        assert_eq!(look(Some(0.0), metric, None), Missing);
    }
}

#[test]
fn requests_that_are_absent_are_missing() {
    assert_eq!(look(None, Metric::Requests, None), Missing);
}

#[test]
fn a_rate_is_made_from_its_two_counts() {
    assert_eq!(error_rate(Some(200.0), Some(1.0)), Value(0.005));
    assert_eq!(error_rate(Some(200.0), None), Value(0.0));
}

#[test]
fn a_rate_over_zero_is_no_traffic_whatever_the_numerator() {
    for errors in [None, Some(1.0), Some(f64::NAN)] {
        assert_eq!(error_rate(Some(0.0), errors), NoTraffic);
    }
}

#[test]
fn a_rate_is_what_its_denominator_is_or_else_its_numerator() {
    assert_eq!(error_rate(None, Some(1.0)), Missing);
    assert_eq!(error_rate(None, Some(f64::NAN)), Missing);
    assert_eq!(error_rate(Some(f64::INFINITY), Some(1.0)), SourceError);
    assert_eq!(error_rate(Some(f64::INFINITY), None), SourceError);
    assert_eq!(error_rate(Some(9.0), Some(f64::NAN)), SourceError);
}
