//! What is mapped to what, on files made by hand.

use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::time::{Period, Timestamp};

use super::nab::{ASSUMED_REQUESTS, Series, StandsFor};
use super::petshop::{Issue, Target, read_service, unchanged};
use super::survey::{Ending, IssueResult, NormalResult, Survey};
use super::{LONGEST_ROLLOUT, MapError, page};
use crate::backtest::BacktestOutcome;

fn period(time: &str) -> Period {
    Period::containing(Timestamp::parse(time).unwrap())
}

fn series(rows: &str) -> Series {
    Series::read(format!("timestamp,value\n{rows}").as_bytes()).unwrap()
}

const CPU: &str =
    "2014-02-14 14:30:00,50\n2014-02-14 14:35:00,60\n2014-02-14 14:40:00,70\n2014-02-14 15:00:00,80\n";

#[test]
fn a_value_stands_for_each_minute_until_the_next_and_no_longer_than_a_step() {
    let series = series(CPU);
    assert_eq!(series.step(), 5);
    let from = period("2014-02-14T14:30:00Z");
    let recording = series.recording(StandsFor::Utilization, from, 60).unwrap();
    let memory = |time| recording.value(period(time), Side::Green, &Metric::MemoryUtilization);
    assert_eq!(memory("2014-02-14T14:34:00Z"), Some(0.5));
    assert_eq!(memory("2014-02-14T14:35:00Z"), Some(0.6));
    assert_eq!(memory("2014-02-14T14:44:00Z"), Some(0.7));
    assert_eq!(memory("2014-02-14T14:45:00Z"), None, "the series has a gap here");
    assert_eq!(recording.value(from, Side::Green, &Metric::Requests), Some(ASSUMED_REQUESTS));
    assert!(!recording.has_row(Side::Green, &Metric::Errors), "nobody counted errors");
    assert!(!recording.has_row(Side::Blue, &Metric::Requests));
}

#[test]
fn a_recording_may_begin_within_the_minutes_of_a_value() {
    let recording = series(CPU).recording(StandsFor::Utilization, period("2014-02-14T14:33:00Z"), 3).unwrap();
    assert_eq!(recording.start(), period("2014-02-14T14:33:00Z"));
    assert_eq!(recording.end(), period("2014-02-14T14:35:00Z"));
}

#[test]
fn a_count_is_spread_evenly_over_its_minutes() {
    let from = period("2014-02-14T14:30:00Z");
    let recording = series(CPU).recording(StandsFor::Load, from, 5).unwrap();
    let sum: f64 = recording.replay().filter_map(|rows| rows.value(Side::Green, &Metric::Requests)).sum();
    assert!((sum - 50.0).abs() < 1e-9);
}

#[test]
fn of_two_rows_for_one_time_the_first_is_taken() {
    let series = series("2014-02-14 14:30:00,1\n2014-02-14 14:35:00,2\n2014-02-14 14:35:00,3\n");
    let from = period("2014-02-14T14:35:00Z");
    let recording = series.recording(StandsFor::Latency, from, 1).unwrap();
    assert_eq!(recording.value(from, Side::Green, &Metric::LatencyP95), Some(2.0));
}

#[test]
fn a_malformed_row_is_named_with_its_line() {
    let read = |text: &str| Series::read(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(read("timestamp,value\n2014-02-14 14:30:00,x\n"), "line 2: `x` is no finite number");
    assert_eq!(read("timestamp,value\n2014,1\n"), "line 2: `2014` is no time");
    assert_eq!(read("timestamp,value\n2014-02-14 14:30:00,1\n"), "there is no second row");
}

/// Five periods from 1,000,200 on: p95 in seconds and availability in percent.
fn metrics(p95: [f64; 5], availability: [f64; 5]) -> String {
    let mut text = String::from(
        "microservice,PetSite,PetSite,PetSite,PetSite,PetSite,other\n\
         metric,latency,latency,latency,requests,availability,requests\n\
         statistic,p50,p95,p99,Sum,Average,Sum\n\
         unix_timestamp,,,,,,\n",
    );
    for (index, (p95, availability)) in (0_i32..).zip(p95.into_iter().zip(availability)) {
        let start = 1_000_200 + 300 * index;
        text.push_str(&format!("{start}.0,0.05,{p95},0.9,500.0,{availability},7.0\n"));
    }
    text
}

const TARGET: &str = r#"{"target": {"node": "PetSite", "metric": "latency", "timestamp": 1000700},
    "root_cause": {"node": "payforadoption_AWS::ECS::Container"}}"#;

fn issue(p95: [f64; 5], availability: [f64; 5]) -> Issue {
    Issue::read(metrics(p95, availability).as_bytes(), TARGET.as_bytes()).unwrap()
}

#[test]
fn a_period_of_a_service_is_mapped_minute_by_minute() {
    let issue = issue([0.3, 0.3, 0.7, 0.8, 0.3], [100.0, 100.0, 98.0, 98.0, 100.0]);
    let recording = issue.as_recorded().unwrap();
    let minute = |minute: i64| Period::containing(Timestamp::from_secs(1_000_200 + 60 * minute));
    let green = |at, metric: Metric| recording.value(minute(at), Side::Green, &metric);
    assert_eq!(green(0, Metric::Requests), Some(100.0));
    assert_eq!(green(9, Metric::LatencyP95), Some(300.0));
    assert_eq!(green(10, Metric::LatencyP95), Some(700.0));
    assert!((green(14, Metric::Errors).unwrap() - 2.0).abs() < 1e-9);
    assert_eq!(recording.value(minute(14), Side::Blue, &Metric::LatencyP95), Some(300.0));
    assert!(!recording.has_row(Side::Green, &Metric::Http5xx));
    assert_eq!(recording.end(), minute(24));
}

#[test]
fn a_fault_that_lasts_is_its_first_two_whole_periods_by_turns() {
    let issue = issue([0.3, 0.4, 0.7, 0.8, 0.3], [100.0; 5]);
    let recording = issue.had_it_lasted(LONGEST_ROLLOUT).unwrap();
    let values: Vec<f64> =
        recording.replay().filter_map(|rows| rows.value(Side::Green, &Metric::LatencyP95)).collect();
    assert_eq!(values.len(), LONGEST_ROLLOUT as usize);
    assert_eq!((values[0], values[5], values[10]), (700.0, 800.0, 700.0));
    let ending = Ending::of(&mpac(), &recording).unwrap();
    assert_eq!(ending.outcome, BacktestOutcome::RolledBack);
    assert_eq!((ending.rule.as_deref(), ending.minute), (Some("canary.latency-p95"), 30));
}

#[test]
fn a_fault_without_a_period_before_it_is_refused() {
    let early = TARGET.replace("1000700", "1000300");
    let metrics = metrics([0.3; 5], [100.0; 5]);
    let error = Issue::read(metrics.as_bytes(), early.as_bytes()).unwrap_err();
    assert!(matches!(error, MapError::Missing(_)), "{error}");
    let error = Target::read(&b"{}"[..]).unwrap_err();
    assert_eq!(error.to_string(), "there is no /target/node");
    let error = read_service(metrics.as_bytes(), "nobody").unwrap_err();
    assert_eq!(error.to_string(), "there is no column nobody, requests, Sum");
}

#[test]
fn blue_of_an_unchanged_service_is_what_it_was_before() {
    let metrics = metrics([0.3, 0.4, 0.7, 0.8, 0.5], [100.0; 5]);
    let periods = read_service(metrics.as_bytes(), "PetSite").unwrap();
    let recording = unchanged(&periods, periods[2].start, 10).unwrap();
    let p95 = |side, metric: Metric| recording.value(periods[2].start, side, &metric);
    assert_eq!(p95(Side::Green, Metric::LatencyP95), Some(700.0));
    assert_eq!(p95(Side::Blue, Metric::LatencyP95), Some(300.0));
    assert_eq!((recording.start(), recording.replay().count()), (periods[2].start, 10));
}

#[test]
fn the_tables_of_a_page_are_made_anew_and_the_rest_is_left() {
    let issue = issue([0.3, 0.3, 0.7, 0.8, 0.3], [100.0; 5]);
    let of = |recording| Ending::of(&mpac(), &recording).unwrap();
    let (as_recorded, had_it_lasted) =
        (of(issue.as_recorded().unwrap()), of(issue.had_it_lasted(LONGEST_ROLLOUT).unwrap()));
    let normal = vec![NormalResult { name: "low_traffic".into(), rollouts: vec![as_recorded.clone()] }];
    let name = "low_traffic/test/issue_3".to_owned();
    let issues = vec![IssueResult { name, issue, as_recorded, had_it_lasted }];
    let survey = Survey { series: Vec::new(), issues, normal };
    let names = ["nab", "petshop-summary", "petshop-normal", "petshop", "petshop-other-rules"];
    let places: String = names
        .iter()
        .map(|name| format!("about {name}\n<!-- {name} -->\nold\n<!-- end of {name} -->\n"))
        .collect();
    let page = page::update(&places, &survey).unwrap();
    assert!(!page.contains("old") && page.contains("about petshop\n"));
    assert!(
        page.contains(
            "| low test 3 | latency: payforadoption | 300 → 700, 800 | 0.00 % → 0.00 %, 0.00 % | \
         still in canary at its end, minute 25 | rolled back in canary by `canary.latency-p95`, minute 30 |\n"
        ),
        "{page}"
    );
    assert_eq!(page::update(&page, &survey).as_ref(), Ok(&page), "again, and nothing changes");
    let error = page::update("", &survey).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the page has no `<!-- nab -->`: each table stands between two such comments"
    );
}
