//! The judge and the naive reference agree, decision for decision.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside a test function")]

use std::collections::BTreeMap;
use std::sync::Mutex;

use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::backtest::{Backtest, backtest};
use mpac_deploy_testkit::recording::Recording;
use mpac_deploy_testkit::reference::{self, ReferenceOutcome};
use mpac_deploy_testkit::strategies::{config, recordings};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// What both say, in one form.
#[derive(Debug, PartialEq)]
struct Said {
    outcome: String,
    stage: String,
    decisions: Vec<(String, String, Option<String>, String)>,
    skipped: Vec<String>,
}

impl From<Backtest> for Said {
    fn from(backtest: Backtest) -> Self {
        let decisions = backtest.decisions.into_iter().map(|decision| {
            let end = decision.evidence_end.map(|end| end.to_string()).unwrap_or_default();
            (decision.kind.as_str().to_owned(), decision.stage.unwrap_or_default(), decision.rule, end)
        });
        Self {
            outcome: backtest.outcome.as_str().to_owned(),
            stage: backtest.stage,
            decisions: decisions.collect(),
            skipped: backtest.skipped,
        }
    }
}

impl From<ReferenceOutcome> for Said {
    fn from(reference: ReferenceOutcome) -> Self {
        let decisions = reference.decisions.into_iter().map(|decision| {
            (
                decision.kind.to_string(),
                decision.stage.to_string(),
                decision.rule,
                decision.evidence_end.to_string(),
            )
        });
        Self {
            outcome: reference.outcome.to_string(),
            stage: reference.stage.to_string(),
            decisions: decisions.collect(),
            skipped: reference.skipped,
        }
    }
}

fn agree(recording: &Recording) -> Result<Said, TestCaseError> {
    let judged = Said::from(backtest(&mpac(), recording).unwrap());
    let naive = Said::from(reference::backtest(recording));
    prop_assert_eq!(&judged, &naive);
    Ok(judged)
}

proptest! {
    #![proptest_config(config(400, file!()))]

    #[test]
    fn the_judge_and_the_reference_agree(recording in recordings()) {
        agree(&recording)?;
    }
}

/// What the random recordings must reach for the agreement to mean something.
const REACHED: [&str; 9] = [
    "completed",
    "in_progress",
    "error-rate",
    "latency-p95",
    "critical-service",
    "http-5xx",
    "blind",
    "no-traffic",
    "canary.evidence",
];

#[test]
#[ignore = "10,000 recordings take a minute or more in a debug build; `cargo xtask test` runs it"]
fn the_judge_and_the_reference_agree_on_ten_thousand_recordings() {
    let endings: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());
    let mut runner = TestRunner::new(config(10_000, file!()));
    runner
        .run(&recordings(), |recording| {
            let said = agree(&recording)?;
            let last = said.decisions.last().and_then(|last| last.2.clone());
            let ending = if said.outcome == "rolled_back" { last.unwrap_or_default() } else { said.outcome };
            *endings.lock().unwrap().entry(ending).or_default() += 1;
            Ok(())
        })
        .unwrap();
    let endings = endings.into_inner().unwrap();
    println!("endings of 10,000 recordings: {endings:#?}");
    for reached in REACHED {
        assert!(endings.contains_key(reached), "no recording ended with {reached}: {endings:?}");
    }
}
