//! Several controllers on one record name, which fail, are killed, and stand still for longer than their leases.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use mpac_deploy_aws::{DynamoConfig, DynamoJournal};
use mpac_deploy_core::ids::FencingToken;
use mpac_deploy_core::journal::Record;
use mpac_deploy_core::port::{Journal, JournalError, Lease};
use mpac_deploy_testkit::aws_sim::{AwsSim, CallFault, Settings};
use mpac_deploy_testkit::world::epoch;

use crate::records::{begun, happened, record, rollout};
use crate::rig::{TABLE, sdk_at};

const TTL: Duration = Duration::from_millis(250);

/// How much longer a race may take until enough has happened.
const PATIENCE: Duration = Duration::from_secs(120);

/// An append that was taken: by whom, after how many records, and what.
type Taken = (FencingToken, usize, Vec<Record>);

/// A random number below a bound; the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

struct Controller {
    name: String,
    journal: DynamoJournal,
    dice: Dice,
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl Controller {
    /// Holds the lease again and again until the time is over and enough has happened; a busy machine gets longer.
    async fn run(mut self, until: Instant) {
        while Instant::now() < until || (!self.is_enough() && Instant::now() < until + PATIENCE) {
            match self.journal.acquire(&record(), &self.name, TTL).await {
                Ok(lease) => self.hold(&lease).await,
                Err(JournalError::Held { .. } | JournalError::Unavailable(_)) => {
                    tokio::time::sleep(Duration::from_millis(20 + self.dice.below(60))).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Several appends, by more than one holder.
    fn is_enough(&self) -> bool {
        let taken = self.taken.lock().unwrap();
        let holders: BTreeSet<FencingToken> = taken.iter().map(|(fence, ..)| *fence).collect();
        taken.len() > 3 && holders.len() > 2
    }

    async fn hold(&mut self, lease: &Lease) {
        let Ok(mut stored) = self.journal.load(&rollout(), 0).await.map(|records| records.len()) else {
            return;
        };
        for _ in 0..self.dice.below(12) {
            match self.dice.below(10) {
                // It stands still for longer than its lease, and goes on as if nothing had happened.
                0 => tokio::time::sleep(TTL * 3 / 2).await,
                1 => drop(self.journal.renew(lease, TTL).await),
                _ => {}
            }
            match self.append(lease, stored).await {
                Ok(count) => stored += count,
                // The same append could be made again; a controller that gives up loses nothing that was taken.
                Err(JournalError::Unavailable(_)) => {}
                Err(JournalError::LeaseLost | JournalError::Conflict { .. }) => return,
                Err(error) => panic!("{error}"),
            }
        }
        // Every third time it is killed, and its lease has to run out.
        if self.dice.below(3) > 0 {
            drop(self.journal.release(lease).await);
        }
    }

    async fn append(&mut self, lease: &Lease, stored: usize) -> Result<usize, JournalError> {
        let count = 1 + self.dice.below(4);
        let first = stored as u64 + 1;
        let words = format!("{} {} {}", lease.fence, self.name, "x".repeat(300));
        let record = |number| {
            if number == 1 { begun(&rollout(), "svc-portal", epoch()) } else { happened(number, &words) }
        };
        let records: Vec<Record> = (first..first + count).map(record).collect();
        self.journal.append(lease, &rollout(), stored as u64, &records).await?;
        let count = records.len();
        self.taken.lock().unwrap().push((lease.fence, stored, records));
        Ok(count)
    }
}

/// The token with which a record was written; the first record has none.
fn fence(record: &Record) -> u64 {
    let text = format!("{:?}", record.entry);
    let words = text.split("message: \"").nth(1).unwrap_or("0 ");
    words.split(' ').next().unwrap().parse().unwrap()
}

/// Lets controllers race on a table, and holds what came of it against what they were told.
pub(crate) async fn run(sdk: &SdkConfig, table: &str, seed: u64, controllers: u64, lasts: Duration) {
    let taken = Arc::new(Mutex::new(Vec::new()));
    let until = Instant::now() + lasts;
    let mut running = tokio::task::JoinSet::new();
    for number in 0..controllers {
        let controller = Controller {
            name: format!("controller-{number}"),
            journal: DynamoJournal::new(sdk, DynamoConfig::new(table).with_watch(Duration::ZERO)),
            dice: Dice(seed * 100 + number),
            taken: Arc::clone(&taken),
        };
        running.spawn(controller.run(until));
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
    let journal = DynamoJournal::new(sdk, DynamoConfig::new(table));
    let stored = loop {
        match journal.load(&rollout(), 0).await {
            Err(JournalError::Unavailable(_)) => {}
            stored => break stored.unwrap(),
        }
    };
    let taken = taken.lock().unwrap();
    for (fence, after, records) in taken.iter() {
        let found = stored.get(*after..after + records.len());
        assert_eq!(
            found,
            Some(records.as_slice()),
            "seed {seed}: an append by {fence} was taken and is not there"
        );
    }
    let numbers: Vec<u64> = stored.iter().map(|record| record.number).collect();
    assert_eq!(numbers, (1..=stored.len() as u64).collect::<Vec<_>>(), "seed {seed}");
    let fences: Vec<u64> = stored.iter().skip(1).map(fence).collect();
    assert!(fences.is_sorted(), "seed {seed}: a controller wrote after the next one had: {fences:?}");
    let holders = fences.iter().collect::<BTreeSet<_>>().len();
    // A test that passes keeps it to itself.
    eprintln!(
        "seed {seed}: {} records, {} appends taken, {holders} holders wrote",
        stored.len(),
        taken.len()
    );
    assert!(taken.len() > 3 && holders > 1, "seed {seed}: nothing much happened");
}

async fn race(seed: u64, controllers: u64, lasts: Duration) {
    let aws = AwsSim::start(Settings::default()).await.unwrap();
    aws.add_table(TABLE);
    let delay = |millis| CallFault::Delay(Duration::from_millis(millis));
    let (throttle, error) = (CallFault::Throttle, CallFault::ServerError);
    let faults = [throttle, error, CallFault::CutBefore, CallFault::CutAfter, delay(5), delay(400)];
    aws.strike(0.15, &faults, seed);
    run(&sdk_at(&aws.endpoint_url()).await, TABLE, seed, controllers, lasts).await;
}

async fn races(seeds: impl Iterator<Item = u64>, lasts: Duration) {
    let mut running: tokio::task::JoinSet<()> = seeds.map(|seed| race(seed, 2 + seed % 4, lasts)).collect();
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn one_controller_acts_and_nothing_that_was_taken_is_lost() {
    races(1..=3, Duration::from_secs(4)).await;
}

#[tokio::test]
#[ignore = "60 races take a minute: run `cargo xtask test`"]
async fn one_controller_acts_in_sixty_races() {
    for first in (1000..1060).step_by(6) {
        races(first..first + 6, Duration::from_secs(6)).await;
    }
}
