//! The journal: the replay of a long one, appends to SQLite, and what a controller of a thousand rollouts does when it starts.
#![allow(missing_docs, reason = "criterion_group! writes functions without documentation")]
#![allow(clippy::print_stdout, reason = "the one figure that must hold is said, and not only averaged")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use futures::future::join_all;
use mpac_deploy_benches::{perfect_rollout_with, release};
use mpac_deploy_core::driver::{Driver, Options, Ports};
use mpac_deploy_core::ids::{RecordName, RolloutId};
use mpac_deploy_core::journal::{Record, Snapshot, replay};
use mpac_deploy_core::machine::{Command, CommandKind, Event};
use mpac_deploy_core::policy::mpac;
use mpac_deploy_core::port::{Journal, Lease};
use mpac_deploy_services::sqlite::SqliteJournal;
use mpac_deploy_testkit::fakes::Fakes;
use mpac_deploy_testkit::{scenario, sim};
use tokio::runtime::Runtime;

/// Of the issue that asked for it.
const EVENTS: usize = 10_000;
const ROLLOUTS: usize = 1_000;
const RECOVERED_WITHIN: Duration = Duration::from_secs(5);

/// The journal of a rollout that a person has paused in its first stage and nobody has resumed.
fn paused(records: usize) -> Vec<Record> {
    let pause = Command { kind: CommandKind::Pause, by: "jo".into(), why: "to look at it".into() };
    let plan = mpac().compile(release()).expect("the release has every metric");
    let (_, mut journal) = perfect_rollout_with(plan, |at, _| match at {
        100 => Some(Event::Command(pause.clone())),
        _ => None,
    })
    .expect("the machine takes its own answers");
    journal.truncate(records);
    assert_eq!(journal.len(), records, "it is long enough");
    journal
}

fn a_long_replay(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("replay");
    let records = paused(EVENTS);
    let text: Vec<String> = records.iter().map(|record| record.to_json().expect("it has JSON")).collect();
    let state = replay(&records).expect("it is a journal");
    let snapshot = Snapshot::take(&state, EVENTS as u64).expect("it can be kept");
    group.throughput(Throughput::Elements(EVENTS as u64));
    group.bench_function("10,000 events", |bencher| bencher.iter(|| black_box(replay(&records))));
    group.bench_function("10,000 events, read from JSON first", |bencher| {
        bencher.iter(|| {
            let records: Vec<Record> =
                text.iter().map(|line| Record::from_json(line).expect("it is a record")).collect();
            black_box(replay(&records))
        });
    });
    group.throughput(Throughput::Elements(1));
    group.bench_function("a snapshot instead, restored", |bencher| {
        bencher.iter(|| black_box(snapshot.restore()))
    });
    group.bench_function("a snapshot taken and checked", |bencher| {
        bencher.iter(|| black_box(Snapshot::take(&state, EVENTS as u64)));
    });
    group.finish();
}

async fn lease(journal: &SqliteJournal, name: &str) -> Lease {
    let record = RecordName::from(name);
    journal.acquire(&record, "bench", Duration::from_secs(3_600)).await.expect("nobody else has it")
}

/// Rollouts that each append one record after the other, all at once: how long the whole takes.
async fn append_at_once(
    journal: &Arc<SqliteJournal>,
    rollouts: u64,
    records: &Arc<Vec<Record>>,
    round: u64,
) -> Duration {
    let began = Instant::now();
    let writers = (0..rollouts).map(|number| {
        let (journal, records) = (Arc::clone(journal), Arc::clone(records));
        tokio::spawn(async move {
            let lease = lease(&journal, &format!("{round}-{number}.example.com")).await;
            let id = RolloutId::new(format!("{round}-{number}"));
            for (stored, record) in (0..).zip(records.chunks(1)) {
                journal.append(&lease, &id, stored, record).await.expect("it is stored");
            }
        })
    });
    for writer in join_all(writers).await {
        writer.expect("it ends");
    }
    began.elapsed()
}

fn appends(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let directory = tempfile::tempdir().expect("a directory");
    let open = SqliteJournal::open(directory.path().join("journal.db"));
    let journal = Arc::new(runtime.block_on(open).expect("it opens"));
    let records = Arc::new(paused(20));
    let mut group = criterion.benchmark_group("append to SQLite, flushed to the disk");
    group.sample_size(10);
    let mut round = 0;
    for rollouts in [1, 16, 256] {
        group.throughput(Throughput::Elements(rollouts * records.len() as u64));
        group.bench_with_input(
            BenchmarkId::new("rollouts at once, 20 records each", rollouts),
            &rollouts,
            |bencher, &rollouts| {
                bencher.iter_custom(|times| {
                    (0..times)
                        .map(|_| {
                            round += 1;
                            runtime.block_on(append_at_once(&journal, rollouts, &records, round))
                        })
                        .sum()
                });
            },
        );
    }
    group.finish();
}

/// A thousand rollouts, each killed at another point of its life, from its first minute to its last.
async fn thousand_rollouts(path: &Path, with_snapshots: bool) -> usize {
    let healthy = scenario::by_name("healthy").expect("the testkit has a healthy scenario");
    let lived = tokio::task::spawn_blocking(move || sim::run(&healthy, &mpac(), 1));
    let records = lived.await.expect("it ends").expect("the scenario has every metric").journal;
    let lines: Vec<String> = records.iter().map(|record| record.to_json().expect("it has JSON")).collect();
    let id = replay(&records).expect("it is a journal").id().to_string();
    let journal = SqliteJournal::open(path).await.expect("it opens");
    let mut all = 0;
    for number in 0..ROLLOUTS {
        let lived = 1 + number * (lines.len() - 2) / ROLLOUTS;
        let own = |line: &String| {
            let line = line
                .replace(&id, &format!("r{number}"))
                .replace("api.mpac-cloud.com", &format!("r{number}.example.com"));
            Record::from_json(&line).expect("it is a record")
        };
        let records: Vec<Record> = lines.iter().take(lived).map(own).collect();
        let (id, name) = (RolloutId::new(format!("r{number}")), format!("r{number}.example.com"));
        let lease = lease(&journal, &name).await;
        journal.append(&lease, &id, 0, &records).await.expect("it is stored");
        // As the driver does: the latest multiple of 256.
        let kept = lived - lived % 256;
        if with_snapshots && kept > 0 {
            let state = replay(&records[..kept]).expect("it is a journal");
            let snapshot = Snapshot::take(&state, kept as u64).expect("it can be kept");
            journal.keep(&lease, &id, &snapshot).await.expect("it is kept");
        }
        journal.release(&lease).await.expect("it is ours");
        all += lived;
    }
    all
}

/// What a controller does when it starts: it opens the file, and goes on with every rollout that is there.
async fn recover(path: &Path, fakes: &Fakes) -> Duration {
    let began = Instant::now();
    let journal = Arc::new(SqliteJournal::open(path).await.expect("it opens"));
    let ids = journal.list().await.expect("it lists");
    let going_on = ids.into_iter().map(|id| {
        let ports = Ports { journal: Arc::clone(&journal) as Arc<dyn Journal>, ..fakes.ports() };
        tokio::spawn(Driver::resume(ports, id, Options::new("bench")))
    });
    let mut drivers = Vec::with_capacity(ROLLOUTS);
    for resumed in join_all(going_on).await {
        drivers.push(resumed.expect("it ends").expect("it goes on"));
    }
    let took = began.elapsed();
    assert_eq!(drivers.len(), ROLLOUTS);
    took
}

fn start_up(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut group = criterion.benchmark_group("start-up");
    group.sample_size(10);
    for (how, with_snapshots) in [("with snapshots", true), ("without, every record replayed", false)] {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("journal.db");
        let all = runtime.block_on(thousand_rollouts(&path, with_snapshots));
        let clock = mpac_deploy_testkit::world::epoch().after(Duration::from_secs(3 * 60 * 60));
        let fakes = Fakes::new(clock, &scenario::release());
        let took = runtime.block_on(recover(&path, &fakes));
        println!("{ROLLOUTS} rollouts with {all} records, {how}: all go on after {took:?}");
        assert!(took < RECOVERED_WITHIN || !with_snapshots, "{took:?} is too long");
        group.bench_function(format!("1,000 rollouts, {how}"), |bencher| {
            bencher.iter_custom(|times| (0..times).map(|_| runtime.block_on(recover(&path, &fakes))).sum());
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = a_long_replay, appends, start_up
}
criterion_main!(benches);
