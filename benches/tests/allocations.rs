//! The judge allocates when it is made and never again (semantics 3: windows of constant size).
//!
//! One test in a file of its own: the counter counts for the whole process.
#![allow(clippy::unwrap_used, reason = "a test helper fails as the test does")]

use std::alloc::System;

use mpac_deploy_benches::{CEL_ALERTS_AND_TRIGGERS, CelRules, CelSample, release};
use mpac_deploy_core::analysis::{Judge, Reading, Ruling};
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::plan::Plan;
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::time::Period;
use mpac_deploy_testkit::recording::Draft;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn allocations(action: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    action();
    let change = region.change();
    change.allocations + change.reallocations
}

#[test]
fn a_sample_allocates_nothing() {
    let plan = mpac().compile(release()).unwrap();
    let rows = rows(&plan);
    let mut judge = Judge::new(&plan);
    let (mut samples, mut promotions, mut notices, mut firing, mut looks) = (0, 0, 0, 0, 0);
    let counted = allocations(|| {
        let mut stage = 0;
        judge.enter(&plan, stage, Draft::period(0).start());
        for (period, readings) in &rows {
            let Some(assessment) = judge.observe(&plan, *period, readings, false) else { continue };
            samples += 1;
            notices += assessment.notices.len();
            firing += assessment.firing.len();
            looks += usize::from(!assessment.gates.is_empty());
            if assessment.ruling == Ruling::Promote && !plan.is_last(stage) {
                promotions += 1;
                stage += 1;
                judge.enter(&plan, stage, period.end());
            }
        }
    });
    assert_eq!(counted, 0, "in {samples} samples");
    // Every path was taken: all three stages, gates looked at, alerts, a held promotion, triggers that fire.
    assert_eq!((samples, promotions), (rows.len(), 2));
    assert!(looks > 60 && notices > 5 && firing > 5, "{looks} {notices} {firing}");

    // The counter counts: the peer allocates on every sample.
    let (cel, sample) = (CelRules::compile(&CEL_ALERTS_AND_TRIGGERS).unwrap(), CelSample::default());
    let by_cel = allocations(|| assert!(cel.holding(&sample).is_some()));
    assert!(by_cel > 0);
    println!("allocations a sample: mpac-deploy 0, cel {by_cel}");
}

/// Four hours: healthy long enough for every stage to pass, then errors, silence, a metrics blackout and a database that is down.
fn rows(plan: &Plan) -> Vec<(Period, Vec<Reading>)> {
    let recording = Draft::healthy(240)
        .set(170..180, Side::Green, Metric::Errors, 50.0)
        .set(170..180, Side::Green, Metric::Http5xx, 50.0)
        .set(185..190, Side::Green, Metric::LatencyP95, 3000.0)
        .silence(195..200, Side::Green)
        .set(205..210, Side::Green, Metric::Requests, 0.0)
        .set(215..220, Side::Green, Metric::PostgresUp, 0.0)
        .build()
        .unwrap();
    recording
        .replay()
        .map(|rows| {
            let reading =
                |side, metric| rows.value(side, metric).map_or(Reading::ABSENT, Reading::from_number);
            (rows.period(), plan.series().iter().map(|series| reading(series.side, &series.metric)).collect())
        })
        .collect()
}
