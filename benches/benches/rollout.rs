//! A whole rollout: the bare judge over the strategy's 105 minutes, the machine with a world that answers at once, the replay
//! of its journal, and the simulated world in virtual time.
#![allow(missing_docs, reason = "criterion_group! writes functions without documentation")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use mpac_deploy_benches::{perfect_rollout, release};
use mpac_deploy_core::journal::replay;
use mpac_deploy_core::policy::mpac;
use mpac_deploy_testkit::backtest::{BacktestOutcome, backtest};
use mpac_deploy_testkit::recording::Draft;
use mpac_deploy_testkit::{scenario, sim};

fn rollouts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a whole rollout");
    let policy = mpac();

    let recording = Draft::healthy(105).build().expect("a healthy recording is one");
    let replayed = backtest(&policy, &recording).expect("the preset compiles");
    assert_eq!(replayed.outcome, BacktestOutcome::Completed);
    group.bench_function("backtest of its 105 minutes", |bencher| {
        bencher.iter(|| black_box(backtest(&policy, &recording)));
    });

    let plan = policy.compile(release()).expect("the release has every metric");
    let (rollout, records) = perfect_rollout(plan.clone()).expect("the machine takes its own answers");
    assert!(rollout.outcome().is_some(), "it ends");
    group.bench_function("machine, every effect answered at once", |bencher| {
        bencher.iter(|| black_box(perfect_rollout(plan.clone())));
    });
    group.bench_function(format!("replay of its journal, {} records", records.len()), |bencher| {
        bencher.iter(|| black_box(replay(&records)));
    });

    let healthy = scenario::by_name("healthy").expect("the testkit has a healthy scenario");
    let report = sim::run(&healthy, &policy, 1).expect("the scenario has every metric");
    assert!(report.as_expected, "{:?}", report.outcome);
    group.sample_size(20);
    group.bench_function("simulated: driver, ports, traffic and metrics in virtual time", |bencher| {
        bencher.iter(|| black_box(sim::run(&healthy, &policy, 1)).is_ok());
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = rollouts
}
criterion_main!(benches);
