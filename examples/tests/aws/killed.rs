//! `run` as a real process that is killed with SIGKILL again and again, each time at a random moment, and started anew.
//!
//! The figures of the book: `MPAC_KILLS=500 cargo test -p mpac-deploy-examples --features aws --test aws killed -- --ignored --nocapture`.

use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::person::told;
use crate::rig::{Aws, Ran};

/// How many times controllers are killed, all rollouts together.
const KILLS: &str = "MPAC_KILLS";
const KILLS_BY_DEFAULT: u32 = 40;

/// The first seed: of the world, and of the moments.
const SEED: &str = "MPAC_KILLS_SEED";

/// How long a killed controller's lease keeps its successor away.
const LEASE: Duration = Duration::from_secs(1);

/// A controller lives at most so many milliseconds, unless it ends the rollout before.
const LIFE: u64 = 1500;

/// The worlds, which take turns from seed to seed, and how a rollout in each must end.
const SCENARIOS: [(&str, &str); 3] =
    [("error-spike-over", "rolled back"), ("healthy", "completed"), ("burst-of-5xx", "rolled back")];

const FORWARD: [(i64, i64); 4] = [(100, 0), (95, 5), (50, 50), (0, 100)];

/// xorshift64*: the moments need no better chance, and a seed gives them again.
struct Moments(u64);

impl Moments {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % below
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Kills a controller after a while; what it said if it has ended by itself before.
fn killed(mut run: Child, after: Duration) -> Option<Ran> {
    let began = Instant::now();
    while began.elapsed() < after {
        if run.try_wait().unwrap().is_some() {
            return Some(Ran::of(run.wait_with_output().unwrap()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    None
}

/// How the rollout has ended, as its journal has it.
fn outcome(aws: &Aws) -> Option<String> {
    let ran = told(aws, &["status"]);
    // Before the first record there is no rollout to look at.
    let is_there = ran.status == Some(0);
    is_there.then(|| ran.json()["outcome"].as_str().map(ToOwned::to_owned)).flatten()
}

/// The weights that the journal went through.
fn steps(aws: &Aws) -> Vec<(i64, i64)> {
    let lines = told(aws, &["history"]).stdout;
    let mut steps: Vec<(i64, i64)> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| (line["weights"]["blue"].as_i64().unwrap(), line["weights"]["green"].as_i64().unwrap()))
        .collect();
    steps.dedup();
    steps
}

/// One rollout to its end; how many controllers were killed on its way.
async fn one(seed: u64, kills_left: u32) -> u32 {
    let (scenario, expected) = SCENARIOS[usize::try_from(seed).unwrap() % SCENARIOS.len()];
    let aws = Aws::start(&["--scenario", scenario, "--seed", &seed.to_string()]);
    aws.edit(
        "[journal.dynamodb]\ntable = \"mpac-deploy\"",
        "[journal.sqlite]\nfile = \"journal.db\"\n[lease]\nttl = \"1 s\"",
    );
    let (mut moments, mut kills) = (Moments(seed), 0);
    loop {
        let run = aws.command(&["run", "--revision", "v2.1.0"]).spawn().unwrap();
        let life = if kills < kills_left { moments.next(LIFE) } else { u64::from(u32::MAX) };
        if let Some(ran) = killed(run, Duration::from_millis(life)) {
            assert!(outcome(&aws).is_some(), "seed {seed}: it stopped before the end: {ran:?}");
            break;
        }
        kills += 1;
        if outcome(&aws).is_some() {
            break;
        }
        tokio::time::sleep(LEASE).await;
    }
    ends_right(seed, &aws, expected).await;
    println!("seed {seed}: {scenario}, {kills} controllers killed, {expected}; {:?}", aws.calls());
    kills
}

async fn ends_right(seed: u64, aws: &Aws, expected: &str) {
    assert_eq!(outcome(aws).as_deref(), Some(expected), "seed {seed}: {}", told(aws, &["history"]).stdout);
    let mut steps = steps(aws);
    let weights = if expected == "completed" {
        assert_eq!(steps, FORWARD, "seed {seed}");
        (0, 100)
    } else {
        assert_eq!(steps.pop(), Some((100, 0)), "seed {seed}");
        assert!(FORWARD.starts_with(&steps), "seed {seed}: {steps:?}");
        (100, 0)
    };
    assert_eq!(aws.weights().await, weights, "seed {seed}");
    let calls = aws.calls();
    assert_eq!(
        calls.get("CreateService"),
        Some(&3),
        "seed {seed}: each service of green is made once: {calls:?}"
    );
}

#[tokio::test]
#[ignore = "controllers that are killed and wait for the lease take minutes: run `cargo xtask test`"]
async fn every_rollout_ends_right_however_often_its_controller_is_killed() {
    let wanted = u32::try_from(number(KILLS, KILLS_BY_DEFAULT.into())).unwrap();
    let (began, first) = (Instant::now(), number(SEED, 1));
    let (mut kills, mut rollouts) = (0, 0);
    for seed in first.. {
        if kills >= wanted {
            break;
        }
        kills += one(seed, wanted - kills).await;
        rollouts += 1;
    }
    println!(
        "{kills} controllers killed in {rollouts} rollouts, none of which ended wrong, in {} s",
        began.elapsed().as_secs()
    );
}
