//! A recording of a million rows: reading it, and replaying it to its end.
#![allow(missing_docs, reason = "criterion_group! writes functions without documentation")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use mpac_deploy_core::policy::{Policy, Span, Stage, mpac};
use mpac_deploy_core::units::Weights;
use mpac_deploy_testkit::backtest::{BacktestOutcome, backtest};
use mpac_deploy_testkit::recording::{Draft, Recording};

const ROWS: usize = 1_000_000;
/// Both sides have every metric in every minute.
const ROWS_A_MINUTE: usize = 2 * Draft::HEALTHY.len();
const STAGES: u8 = 10;
const BAKE: Span = Span::minutes(5000);

fn million(criterion: &mut Criterion) {
    let minutes = i64::try_from(ROWS.div_ceil(ROWS_A_MINUTE)).expect("a million is no large number");
    let recording = Draft::healthy(minutes).build().expect("a healthy recording is one");
    let rows = recording.row_count();
    assert!(rows >= ROWS);
    let mut csv = Vec::new();
    recording.write_csv(&mut csv).expect("memory takes what is written");
    let policy = patient();
    let replayed = backtest(&policy, &recording).expect("the policy is safe");
    let reached = (replayed.outcome, replayed.stage.as_str());
    assert_eq!(reached, (BacktestOutcome::InProgress, "soak-10"), "every row is replayed");

    let mut group = criterion.benchmark_group("a million rows");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).throughput(Throughput::Elements(rows as u64));
    group.bench_function("read from CSV", |bencher| {
        bencher.iter(|| black_box(Recording::read(csv.as_slice())).is_ok());
    });
    group.bench_function("replay", |bencher| {
        bencher.iter(|| black_box(backtest(&policy, &recording)).is_ok());
    });
    group.finish();
}

/// The preset's stage `half` ten times over, each half a week long: the preset itself would be done after 105 minutes, and
/// a stage may take a week at most.
fn patient() -> Policy {
    let mut policy = mpac();
    let half = policy.stages.get(1).cloned().expect("the preset has three stages");
    policy.stages = (1..=STAGES)
        .map(|number| Stage {
            name: format!("soak-{number}"),
            weights: Weights::new(100 - 100 / STAGES * number, 100 / STAGES * number).expect("never both 0"),
            bake: BAKE,
            ..half.clone()
        })
        .collect();
    policy
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = million
}
criterion_main!(benches);
