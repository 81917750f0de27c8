//! A simulated AWS on a loopback port: the real protocols, for the calls that a rollout makes, in real time.
//!
//! It is strict where AWS is: what is not signed, not known or not valid is refused with AWS's status and code. A fault script breaks
//! single calls, before or after their effect. Everything that was accepted can be read from outside.
//!
//! ```
//! use mpac_deploy_testkit::aws_sim::{AwsSim, RecordSet, Settings};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let aws = AwsSim::start(Settings::default()).await?;
//! aws.add_zone("Z1", "example.com");
//! aws.put_record("Z1", RecordSet::weighted_alias("api.example.com", "blue-environment", 100));
//! println!("AWS_ENDPOINT_URL={}", aws.endpoint_url());
//! assert_eq!(aws.weight("Z1", "api.example.com", "blue-environment"), Some(100));
//! # Ok::<(), std::io::Error>(())
//! # }).unwrap();
//! ```

mod autoscaling;
mod bound;
pub mod cloudwatch;
mod dispatch;
mod dynamodb;
pub mod ecs;
pub mod elbv2;
mod fault;
pub mod iam;
mod operation;
mod plain;
pub mod platform;
mod query;
mod route53;
mod s3;
mod server;
pub mod sns;
mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use mpac_deploy_core::port::{Clock, SystemClock};
use mpac_deploy_core::time::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use autoscaling::ScalableTarget;
pub use bound::Bound;
pub use dynamodb::{AttributeValue, Capacity, Item};
pub use fault::{CallFault, CallRecord};
pub use operation::{Operation, Service};
pub use route53::{
    AcceptedChange, AliasTarget, ChangeAction, ChangeStatus, RecordSet, ResourceRecord, ResourceRecords,
};

use crate::fakes::lock::Lock;
use crate::world::SimClock;
use autoscaling::ScalableTargets;
use cloudwatch::CloudWatch;
use ecs::Ecs;
use elbv2::{AcceptedRule, Elbv2, ListenerRule};
use fault::Script;
use iam::Iam;
use route53::Zone;
use s3::Buckets;

/// How the simulated AWS behaves when nothing goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// How long a change stays PENDING.
    pub pending: Duration,
    /// For how long after a change the zone refuses the next one with `PriorRequestNotComplete`.
    pub zone_busy: Duration,
    /// How long a task takes from its start until it runs.
    pub task_start: Duration,
    /// How long it takes from then until its target is healthy.
    pub target_healthy: Duration,
    /// Calls a second and calls at once that the account may make; no limit if `None`.
    pub limit: Option<(u32, u32)>,
    /// How long a table is CREATING.
    pub table_creating: Duration,
}

impl Default for Settings {
    /// Changes are pending for 30 s, as Route 53 typically has them for up to 60; the zone is never busy and the account has no limit.
    /// A task runs after 20 s and is healthy after another 20; a table is there after 5 s.
    fn default() -> Self {
        Self {
            pending: Duration::from_secs(30),
            zone_busy: Duration::ZERO,
            task_start: Duration::from_secs(20),
            target_healthy: Duration::from_secs(20),
            limit: None,
            table_creating: Duration::from_secs(5),
        }
    }
}

impl Settings {
    /// The same settings with another time until a change is INSYNC.
    #[must_use]
    pub const fn with_pending(mut self, pending: Duration) -> Self {
        self.pending = pending;
        self
    }

    /// The same settings with zones that are busy for a while after each change.
    #[must_use]
    pub const fn with_zone_busy(mut self, zone_busy: Duration) -> Self {
        self.zone_busy = zone_busy;
        self
    }

    /// The same settings with tasks that take this long until they run, and then this long until their targets are healthy.
    #[must_use]
    pub const fn with_tasks(mut self, start: Duration, healthy: Duration) -> Self {
        self.task_start = start;
        self.target_healthy = healthy;
        self
    }

    /// The same settings with a limit of the account.
    #[must_use]
    pub const fn with_limit(mut self, per_second: u32, burst: u32) -> Self {
        self.limit = Some((per_second, burst));
        self
    }

    /// The same settings with another time until a table is there.
    #[must_use]
    pub const fn with_table_creating(mut self, table_creating: Duration) -> Self {
        self.table_creating = table_creating;
        self
    }
}

/// A simulated AWS. It stops when it is dropped.
#[derive(Debug)]
pub struct AwsSim {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What the connections share.
#[derive(Debug)]
struct Shared {
    settings: Settings,
    /// The time of everything but the delays of a fault script.
    clock: SimClock,
    /// The world whose tasks and numbers the services show, if there is one.
    bound: Option<Bound>,
    account: Lock<Account>,
}

impl Shared {
    /// What happens to the call that comes in now.
    fn fault(&self, operation: Operation) -> CallFault {
        self.account.get().script.next(operation, self.clock.now())
    }
}

#[derive(Debug)]
struct Account {
    zones: BTreeMap<String, Zone>,
    changes: Vec<AcceptedChange>,
    /// When each change is INSYNC, in the order of `changes`.
    in_sync_at: Vec<Timestamp>,
    buckets: Buckets,
    ecs: Ecs,
    elbv2: Elbv2,
    tables: dynamodb::Tables,
    cloudwatch: CloudWatch,
    scalable: ScalableTargets,
    iam: Iam,
    topics: sns::Topics,
    script: Script,
    calls: Vec<CallRecord>,
}

impl AwsSim {
    /// Starts it on a free port of the loopback interface, in real time and with nothing behind it.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(settings: Settings) -> std::io::Result<Self> {
        Self::start_on(settings, 0).await
    }

    /// Starts it on this port of the loopback interface.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start_on(settings: Settings, port: u16) -> std::io::Result<Self> {
        Self::serve(settings, port, SimClock::new(SystemClock.now(), 1), None).await
    }

    /// Starts it on this port of the loopback interface (0: a free one) in front of a simulated world, in the world's time.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start_with(settings: Settings, port: u16, bound: Bound) -> std::io::Result<Self> {
        let clock = bound.world.clock().clone();
        Self::serve(settings, port, clock, Some(bound)).await
    }

    async fn serve(
        settings: Settings,
        port: u16,
        clock: SimClock,
        bound: Option<Bound>,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let account = Account {
            zones: BTreeMap::new(),
            changes: Vec::new(),
            in_sync_at: Vec::new(),
            buckets: Buckets::new(),
            ecs: Ecs::default(),
            elbv2: Elbv2::default(),
            tables: dynamodb::Tables::new(),
            cloudwatch: CloudWatch::default(),
            scalable: ScalableTargets::new(),
            iam: Iam::default(),
            topics: sns::Topics::new(),
            script: Script::new(settings.limit, clock.now()),
            calls: Vec::new(),
        };
        let shared = Arc::new(Shared { settings, clock, bound, account: Lock::new(account) });
        let task = tokio::spawn(server::serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// Where it listens, as any AWS client's endpoint URL.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a hosted zone.
    pub fn add_zone(&self, id: &str, domain: &str) {
        self.shared.account.get().zones.insert(id.into(), Zone::new(id, domain));
    }

    /// Puts a record into a zone past the API and its rules, as if it had always been there; without such a zone nothing happens.
    pub fn put_record(&self, zone: &str, record: RecordSet) {
        if let Some(zone) = self.shared.account.get().zones.get_mut(zone) {
            zone.put(record);
        }
    }

    /// Takes a record out of a zone past the API.
    pub fn remove_record(&self, zone: &str, name: &str, set: &str) {
        if let Some(zone) = self.shared.account.get().zones.get_mut(zone) {
            zone.remove(name, set);
        }
    }

    /// The records of a zone, in the order in which the API lists them.
    #[must_use]
    pub fn records(&self, zone: &str) -> Vec<RecordSet> {
        let account = self.shared.account.get();
        account.zones.get(zone).map(|zone| zone.records().cloned().collect()).unwrap_or_default()
    }

    /// The weight of the record of a name with this set identifier.
    #[must_use]
    pub fn weight(&self, zone: &str, name: &str, set: &str) -> Option<i64> {
        let name = route53::canonical(name);
        let found = self
            .records(zone)
            .into_iter()
            .find(|record| record.name == name && record.set_identifier.as_deref() == Some(set));
        found.and_then(|record| record.weight)
    }

    /// Every change that was accepted, in order.
    #[must_use]
    pub fn changes(&self) -> Vec<AcceptedChange> {
        self.shared.account.get().changes.clone()
    }

    /// Puts a rule on a listener past the API, as if it and its target groups had always been there.
    pub fn put_rule(&self, rule: ListenerRule) {
        self.shared.account.get().elbv2.rules.put(rule);
    }

    /// Takes a rule away past the API.
    pub fn remove_rule(&self, arn: &str) {
        self.shared.account.get().elbv2.rules.remove(arn);
    }

    /// A rule as it is.
    #[must_use]
    pub fn rule(&self, arn: &str) -> Option<ListenerRule> {
        self.shared.account.get().elbv2.rules.get(arn).cloned()
    }

    /// Every change of a rule that was accepted, in order.
    #[must_use]
    pub fn rule_changes(&self) -> Vec<AcceptedRule> {
        self.shared.account.get().elbv2.rules.changes().to_vec()
    }

    /// Every call that was made, in the order in which they came in.
    #[must_use]
    pub fn calls(&self) -> Vec<CallRecord> {
        self.shared.account.get().calls.clone()
    }

    /// Brings every change that was accepted so far in sync.
    pub fn let_sync(&self) {
        let now = self.shared.clock.now();
        self.shared.account.get().in_sync_at.iter_mut().for_each(|at| *at = now.min(*at));
    }

    /// Puts faults in line for the next calls of an operation, one each.
    pub fn script(&self, operation: Operation, faults: impl IntoIterator<Item = CallFault>) {
        self.shared.account.get().script.add(operation, faults);
    }

    /// From here on, this share of the calls to one service is struck by one of these faults, besides what
    /// [`strike`](Self::strike) strikes.
    pub fn strike_service(&self, service: Service, share: f64, faults: &[CallFault], seed: u64) {
        self.shared.account.get().script.strike_service(service, share, faults, seed);
    }

    /// From here on, this share of all calls is struck by one of these faults, by the seed; no fault ends it. What is in line by
    /// [`script`](Self::script) comes first.
    pub fn strike(&self, share: f64, faults: &[CallFault], seed: u64) {
        self.shared.account.get().script.strike(share, faults, seed);
    }

    /// Takes back every fault that is in line or strikes.
    pub fn clear_faults(&self) {
        self.shared.account.get().script.clear();
    }
}

impl Drop for AwsSim {
    fn drop(&mut self) {
        self.task.abort();
    }
}
