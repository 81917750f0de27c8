//! What is on the screen at some moments of simulated rollouts.

use mpac_deploy_core::decision::{Decision, DecisionKind};
use mpac_deploy_core::journal::{Record, replay};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::{scenario, sim};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::*;

/// The records of a simulated rollout up to the first such decision, and so many more.
fn records(name: &str, kind: DecisionKind, stage: &str, more: usize) -> Vec<Record> {
    let mut all = sim::run(&scenario::by_name(name).unwrap(), &mpac(), 1).unwrap().journal;
    let is_it = |told: &Decision| told.kind == kind && told.stage.as_deref() == Some(stage);
    let place = all.iter().position(|record| record.decisions.iter().any(is_it)).unwrap();
    all.truncate(place + 1 + more);
    all
}

fn drawn(records: &[Record], width: u16, height: u16) -> Terminal<TestBackend> {
    let told: Vec<Decision> = records.iter().flat_map(|record| record.decisions.clone()).collect();
    let standing = Standing::new(&replay(records).unwrap(), told.last().cloned());
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, &standing, &told)).unwrap();
    terminal
}

fn lines(terminal: &Terminal<TestBackend>) -> Vec<String> {
    let buffer = terminal.backend().buffer();
    let line = |y| (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
    (0..buffer.area.height).map(|y| line(y).trim_end().to_owned()).collect()
}

#[track_caller]
fn assert_shows(lines: &[String], parts: &[&str]) {
    for part in parts {
        assert!(lines.iter().any(|line| line.contains(part)), "`{part}` is not on\n{}", lines.join("\n"));
    }
}

#[test]
fn a_bake_shows_its_progress_every_rule_and_what_comes_next() {
    let terminal = drawn(&records("healthy", DecisionKind::Bake, "half", 150), 120, 40);
    let screen = lines(&terminal);
    assert_shows(
        &screen,
        &[
            "smartpos v2.0.0 → v2.1.0 on api.mpac-cloud.com",
            "✓ canary  ● half  · full",
            "of 30 min of evidence",
            "full follows if every gate holds, not before",
            "Evidence beside its limit",
            "half.latency-p95",
            "Decisions, the latest first",
            "q leaves, the rollout goes on",
        ],
    );
    let gates = screen.iter().filter(|line| line.contains(" gate    half.")).count();
    assert_eq!(gates, mpac().stages[1].gates.len());
    // Half of the bar of weights is blue's, half is green's.
    let buffer = terminal.backend().buffer();
    let y = u16::try_from(screen.iter().position(|line| line.contains("blue 50")).unwrap()).unwrap();
    let of = |colour| (0..buffer.area.width).filter(|x| buffer[(*x, y)].bg == colour).count();
    assert_eq!(of(Color::Blue), of(Color::Green));
    assert!(of(Color::Blue) > 40, "{}", of(Color::Blue));
}

#[test]
fn a_rule_that_breaches_has_a_full_gauge() {
    let terminal = drawn(&records("error-spike-under", DecisionKind::Alert, "half", 0), 120, 40);
    let screen = lines(&terminal);
    let place = screen.iter().position(|line| line.contains("✗ alert   error-rate")).unwrap();
    assert!(screen[place].contains(&"━".repeat(GAUGE)), "{}", screen[place]);
    assert_shows(&screen, &["alert          error-rate"]);
}

#[test]
fn a_step_that_waits_for_a_person_says_so() {
    let screen =
        lines(&drawn(&records("approved-step-by-step", DecisionKind::AwaitApproval, "half", 5), 100, 30));
    assert_shows(
        &screen,
        &["now       waits for approval of half (green 50 %)", "approve --gate half", "await approval"],
    );
}

#[test]
fn a_small_terminal_keeps_what_matters_most() {
    for (width, height) in [(80, 24), (40, 12), (10, 3), (1, 1)] {
        let screen = lines(&drawn(&records("healthy", DecisionKind::Bake, "half", 150), width, height));
        if height == 24 {
            assert_shows(
                &screen,
                &["● half", "blue 50", "of 30 min of evidence", "next", "gate", "q leaves"],
            );
            let below = screen.iter().skip_while(|line| !line.contains("Decisions")).count();
            assert_eq!(below, usize::from(FEWEST_DECISIONS) + 2, "{}", screen.join("\n"));
        }
    }
}

#[test]
fn before_green_has_traffic_there_is_no_evidence() {
    let mut all = records("healthy", DecisionKind::Shift, "canary", 0);
    all.truncate(3);
    assert_shows(&lines(&drawn(&all, 80, 24)), &["● prepare", "none yet"]);
}
