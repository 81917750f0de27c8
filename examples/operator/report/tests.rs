use mpac_deploy_core::policy::{Policy, mpac};
use mpac_deploy_testkit::backtest::backtest;
use mpac_deploy_testkit::recording::Recording;

use super::*;

fn page(name: &str, policy: &Policy, rows: &str) -> String {
    let csv = format!("time,side,metric,value\n{rows}");
    let recording = Recording::read(csv.as_bytes()).unwrap();
    let result = backtest(policy, &recording).unwrap();
    page::render(&of_backtest(name, policy, &recording, &result)).unwrap()
}

const ROWS: &str = "2026-01-28T09:00:00Z,green,requests,1000\n\
                    2026-01-28T09:00:00Z,green,latency_p95_ms,180\n\
                    2026-01-28T09:01:00Z,green,requests,1000\n\
                    2026-01-28T09:01:00Z,green,http_5xx,11\n";

#[test]
fn a_name_cannot_become_markup() {
    let policy = Policy { name: "<script>alert(1)</script>".into(), ..mpac() };
    let html = page("<img src=x onerror=alert(1)>\"'", &policy, ROWS);
    assert!(!html.contains("<script"), "{html}");
    assert!(!html.contains("<img"), "{html}");
    assert!(html.contains("&lt;script&gt;"));
}

#[test]
fn a_page_names_no_address() {
    let html = page("a.csv", &mpac(), ROWS);
    for sign in ["http:", "https:", "src=", "@import", "url(", "<link rel=\"stylesheet\""] {
        assert!(!html.contains(sign), "{sign}");
    }
}

#[test]
fn a_page_tells_the_decision_with_its_rule() {
    let html = page("a.csv", &mpac(), ROWS);
    assert!(html.contains("<code>http-5xx</code>"));
    assert!(html.contains("rolled back</span>"));
    assert!(html.contains("id=\"latency-1\""));
    assert!(!html.contains("id=\"memory-1\""), "a chart without values is left out");
}

#[test]
fn a_recording_of_one_minute_and_one_of_a_long_time_are_both_drawn() {
    page("short", &mpac(), "2026-01-28T09:00:00Z,green,requests,0\n");
    let mut rows = String::from("2026-01-01T00:00:00Z,green,requests,1\n");
    rows.push_str("2029-01-01T00:00:00Z,blue,requests,1e300\n2026-01-01T00:00:00Z,blue,requests,NaN\n");
    page("long", &mpac(), &rows);
}
