//! `samples judge|cel N`: N samples through the preset's rules or through the peer's, for an instruction counter.
//!
//! The difference between two N, divided by the difference of the N, leaves the start of the program out.

use std::hint::black_box;
use std::process::ExitCode;

use mpac_deploy_benches::{CEL_ALERTS_AND_TRIGGERS, CEL_GATES, CelRules, CelSample, Preset, Stage};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let which = args.next().unwrap_or_default();
    let count = args.next().and_then(|text| text.parse::<u32>().ok());
    let ran = match (which.as_str(), count) {
        ("judge", Some(count)) => judge(Stage::Between, count),
        ("judge-gates", Some(count)) => judge(Stage::LastLooking, count),
        ("cel", Some(count)) => cel(&CEL_ALERTS_AND_TRIGGERS, count),
        ("cel-gates", Some(count)) => {
            let all: Vec<&str> = CEL_ALERTS_AND_TRIGGERS.into_iter().chain(CEL_GATES).collect();
            cel(&all, count)
        }
        _ => None,
    };
    if ran.is_some() {
        return ExitCode::SUCCESS;
    }
    eprintln!("usage: samples judge|judge-gates|cel|cel-gates N");
    ExitCode::from(2)
}

fn judge(stage: Stage, count: u32) -> Option<()> {
    let mut preset = Preset::new(stage).ok()?;
    for _ in 0..count {
        black_box(preset.observe()?);
    }
    Some(())
}

fn cel(expressions: &[&str], count: u32) -> Option<()> {
    let rules = CelRules::compile(expressions).ok()?;
    let sample = CelSample::default();
    for _ in 0..count {
        black_box(rules.holding(black_box(&sample))?);
    }
    Some(())
}
