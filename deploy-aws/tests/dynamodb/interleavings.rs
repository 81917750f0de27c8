//! Any order of steps of three processes, with any call failing in any way: what was taken is there, in one order, and only a holder writes.

use std::collections::BTreeMap;
use std::time::Duration;

use mpac_deploy_aws::DynamoJournal;
use mpac_deploy_core::journal::Record;
use mpac_deploy_core::port::{Journal, JournalError, Lease};
use mpac_deploy_testkit::aws_sim::{AwsSim, CallFault, Operation, Settings};
use mpac_deploy_testkit::world::epoch;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::records::{begun, happened, record, rollout};
use crate::rig::{TABLE, config, sdk_at};

const TTL: Duration = Duration::from_millis(60);
const PROCESSES: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Acquire(usize),
    /// So many records of so many characters.
    Append(usize, u64, usize),
    Renew(usize),
    Release(usize),
    /// Its memory is gone.
    Restart(usize),
    Pass,
    /// The next write fails in this way.
    Fault(CallFault),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let process = || 0..PROCESSES;
    let faults = prop_oneof![
        Just(CallFault::CutBefore),
        Just(CallFault::CutAfter),
        Just(CallFault::Throttle),
        Just(CallFault::ServerError)
    ];
    let step = prop_oneof![
        4 => process().prop_map(Step::Acquire),
        8 => (process(), 1..5_u64, prop_oneof![Just(10_usize), Just(1500)])
            .prop_map(|(process, count, characters)| Step::Append(process, count, characters)),
        1 => process().prop_map(Step::Renew),
        2 => process().prop_map(Step::Release),
        1 => process().prop_map(Step::Restart),
        2 => Just(Step::Pass),
        3 => faults.prop_map(Step::Fault),
    ];
    proptest::collection::vec(step, 1..40)
}

struct Process {
    journal: DynamoJournal,
    lease: Option<Lease>,
    /// How many records it believes to be stored.
    stored: usize,
}

struct History {
    /// The records of which an append was taken, by their numbers, and with which token.
    taken: BTreeMap<usize, (Record, u64)>,
    largest: u64,
}

impl Process {
    async fn take(&mut self, name: &str, history: &mut History) -> Result<(), TestCaseError> {
        let Ok(lease) = self.journal.acquire(&record(), name, TTL).await else { return Ok(()) };
        prop_assert!(lease.fence.0 > history.largest, "token {} after {}", lease.fence, history.largest);
        history.largest = lease.fence.0;
        let Ok(stored) = self.journal.load(&rollout(), 0).await else { return Ok(()) };
        self.stored = stored.len();
        self.lease = Some(lease);
        check(&stored, history)
    }

    async fn append(
        &mut self,
        count: u64,
        characters: usize,
        history: &mut History,
    ) -> Result<(), TestCaseError> {
        let Some(lease) = &self.lease else { return Ok(()) };
        let words = format!("{} {}", lease.fence, "x".repeat(characters));
        let record = |number| match number {
            1 => begun(&rollout(), "svc-portal", epoch()),
            _ => happened(number, &words),
        };
        let first = self.stored as u64 + 1;
        let records: Vec<Record> = (first..first + count).map(record).collect();
        match self.journal.append(lease, &rollout(), self.stored as u64, &records).await {
            Ok(()) => {
                prop_assert_eq!(lease.fence.0, history.largest, "a former holder has written");
                let fence = lease.fence.0;
                for record in records {
                    self.stored += 1;
                    let before = history.taken.insert(self.stored, (record, fence));
                    prop_assert!(before.is_none(), "record {} was taken twice", self.stored);
                }
            }
            Err(JournalError::Unavailable(_)) => {}
            Err(_) => self.lease = None,
        }
        Ok(())
    }
}

fn check(stored: &[Record], history: &History) -> Result<(), TestCaseError> {
    for (number, (record, fence)) in &history.taken {
        prop_assert_eq!(stored.get(number - 1), Some(record), "record {} of token {}", number, fence);
    }
    Ok(())
}

async fn play(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let aws = AwsSim::start(Settings::default()).await.unwrap();
    aws.add_table(TABLE);
    let sdk = sdk_at(&aws.endpoint_url()).await;
    let journal = || DynamoJournal::new(&sdk, config().with_watch(Duration::ZERO));
    let mut processes: Vec<Process> =
        (0..PROCESSES).map(|_| Process { journal: journal(), lease: None, stored: 0 }).collect();
    let mut history = History { taken: BTreeMap::new(), largest: 0 };
    for step in steps {
        match step {
            Step::Acquire(process) => {
                processes[process].take(&format!("process {process}"), &mut history).await?
            }
            Step::Append(process, count, characters) => {
                processes[process].append(count, characters, &mut history).await?;
            }
            Step::Renew(process) => {
                if let Some(lease) = &processes[process].lease {
                    let renewed = processes[process].journal.renew(lease, TTL).await;
                    prop_assert!(
                        renewed.is_err() || lease.fence.0 == history.largest,
                        "a former holder renewed"
                    );
                }
            }
            Step::Release(process) => {
                if let Some(lease) = processes[process].lease.take() {
                    drop(processes[process].journal.release(&lease).await);
                }
            }
            Step::Restart(process) => {
                processes[process] = Process { journal: journal(), lease: None, stored: 0 };
            }
            Step::Pass => tokio::time::sleep(TTL * 5 / 4).await,
            Step::Fault(fault) => aws.script(Operation::UpdateItem, [fault]),
        }
    }
    aws.clear_faults();
    let stored = journal().load(&rollout(), 0).await.unwrap();
    let numbers: Vec<u64> = stored.iter().map(|record| record.number).collect();
    prop_assert_eq!(numbers, (1..=stored.len() as u64).collect::<Vec<_>>());
    check(&stored, &history)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_was_taken_is_there_in_one_order(steps in steps()) {
        runtime().block_on(play(steps))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    #[ignore = "600 interleavings take some minutes: run `cargo xtask test`"]
    fn what_was_taken_is_there_in_one_order_in_many_interleavings(steps in steps()) {
        runtime().block_on(play(steps))?;
    }
}
