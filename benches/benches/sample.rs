//! One sample through every rule of the preset, and the same conditions as expressions of `cel` on the same numbers.
#![allow(missing_docs, reason = "criterion_group! writes functions without documentation")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mpac_deploy_benches::{CEL_ALERTS_AND_TRIGGERS, CEL_GATES, CelRules, CelSample, Preset, Stage};

fn samples(criterion: &mut Criterion) {
    let all: Vec<&str> = CEL_ALERTS_AND_TRIGGERS.into_iter().chain(CEL_GATES).collect();
    compare(criterion, "triggers and alerts", Stage::Between, &CEL_ALERTS_AND_TRIGGERS);
    compare(criterion, "triggers, alerts and gates", Stage::LastLooking, &all);
}

fn compare(criterion: &mut Criterion, name: &str, stage: Stage, expressions: &[&str]) {
    let mut group = criterion.benchmark_group(name);
    let mut preset = Preset::new(stage).expect("the preset compiles");
    group.bench_function("mpac-deploy", |bencher| {
        bencher.iter(|| black_box(preset.observe().is_some()));
    });
    let rules = CelRules::compile(expressions).expect("the expressions are CEL");
    let sample = CelSample::default();
    assert!(rules.holding(&sample).is_some(), "every expression can be evaluated");
    group.bench_function("cel", |bencher| bencher.iter(|| black_box(rules.holding(black_box(&sample)))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = samples
}
criterion_main!(benches);
