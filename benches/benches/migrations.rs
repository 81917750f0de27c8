//! The analysis of migrations: statements a second, by itself and as a process beside `squawk` on the same files.
#![allow(missing_docs, reason = "criterion_group! writes functions without documentation")]
#![allow(clippy::expect_used, reason = "a benchmark that cannot be set up has nothing to measure")]
#![allow(clippy::print_stderr, reason = "what is left out is said")]

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use mpac_deploy_benches::migrations::migrations;
use mpac_deploy_migrate::{Analyzer, Config, Migration};

/// Enough that the start of a process does not count.
const FILES: usize = 2000;

fn analysis(criterion: &mut Criterion) {
    let texts: Vec<Migration> =
        migrations(FILES).into_iter().map(|(name, text)| Migration::new(name, text)).collect();
    let analyzer = Analyzer::new(Config::default());
    let statements = analyzer.analyze(&texts).statements.len() as u64;
    let mut group = criterion.benchmark_group("migrations");
    group.sampling_mode(SamplingMode::Flat).sample_size(20).throughput(Throughput::Elements(statements));
    group.bench_function("statements", |bencher| bencher.iter(|| black_box(analyzer.analyze(&texts))));
    group.finish();
}

fn processes(criterion: &mut Criterion) {
    let folder = std::env::temp_dir().join(format!("mpac-migrations-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    let names: Vec<String> = migrations(FILES)
        .into_iter()
        .map(|(name, text)| {
            std::fs::write(folder.join(&name), text).expect("a file can be written");
            name
        })
        .collect();
    let mut group = criterion.benchmark_group("migrations: a process");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).throughput(Throughput::Elements(FILES as u64));
    group.bench_function("mpac-deploy", |bencher| {
        bencher.iter(|| run(env!("CARGO_BIN_EXE_migrations"), &["check"], &folder, &names));
    });
    if run("squawk", &["--version"], &folder, &[]) {
        group.bench_function("squawk", |bencher| {
            bencher.iter(|| run("squawk", &["--reporter", "json"], &folder, &names));
        });
    } else {
        eprintln!("squawk is not on the PATH: the peer is left out (PyPI: squawk-cli)");
    }
    group.finish();
    std::fs::remove_dir_all(&folder).ok();
}

/// Whether it could be run; that it finds something is its task.
fn run(program: &str, first: &[&str], folder: &Path, names: &[String]) -> bool {
    let mut command = Command::new(program);
    command.args(first).args(names).current_dir(folder).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

criterion_group!(benches, analysis, processes);
criterion_main!(benches);
