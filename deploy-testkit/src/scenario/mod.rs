//! Named scenarios: what is wrong with a world, when, and how a rollout by the strategy should end in it.

mod approvals;
mod control_plane;
mod critical;
mod environments;
mod errors;
mod evidence;
mod gates;
mod healthy;
mod migrating;
mod people;

use std::fmt;

use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::ids::{CheckName, FlagName, RecordName, Revision, SchemaVersion, ServiceName};
use mpac_deploy_core::machine::{ApprovalGate, Cause, Command};
use mpac_deploy_core::metric::Metric;
use mpac_deploy_core::migration::{Class, Migrations, Statement, Step};
use mpac_deploy_core::plan::Release;
use mpac_deploy_core::policy::{Approval, Policy};

use crate::fault::Rule;
use crate::sim::SimOutcome;
use crate::world::{Fault, Jump, Moment, Setup};

/// A world with a plan for what goes wrong in it, and a release to roll out there.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What happens, for people.
    pub description: &'static str,
    /// What is rolled out.
    pub release: Release,
    /// The world, with its own faults.
    pub setup: Setup,
    /// Faults of the ports.
    pub rules: Vec<Rule>,
    /// What people do, in any order.
    pub actions: Vec<Planned>,
    /// The steps that wait for a person, whatever the policy says of them.
    pub approvals: Vec<(ApprovalGate, Approval)>,
    /// Jumps of the driver's wall clock.
    pub jumps: Vec<Jump>,
    /// How a rollout by the preset `mpac` should end.
    pub expected: Expected,
}

/// Something that a person does at some moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// When.
    pub at: Moment,
    /// What.
    pub action: Action,
}

/// What a person does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Commands the rollout. A command that is rejected is no fault of the scenario.
    Command(Command),
    /// Sets the weights of the record past the rollout.
    SetWeights(ObservedWeights),
}

/// How a rollout should end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Completed.
    Completed,
    /// Rolled back by one of these rules.
    RolledBackBy(&'static [&'static str]),
    /// Rolled back since an effect could not be done.
    RolledBackByEffect,
    /// Rolled back by a person.
    RolledBackByPerson,
    /// Ended before any traffic moved.
    Abandoned,
    /// Held until a person decides.
    Held,
    /// Any of these.
    OneOf(Vec<Self>),
}

impl Expected {
    /// Whether an outcome is as expected.
    #[must_use]
    pub fn admits(&self, outcome: &SimOutcome) -> bool {
        match (self, outcome) {
            (Self::Completed, SimOutcome::Completed)
            | (Self::Abandoned, SimOutcome::Abandoned { .. })
            | (Self::Held, SimOutcome::Held { .. })
            | (Self::RolledBackByEffect, SimOutcome::RolledBack { cause: Cause::Effect(_) })
            | (Self::RolledBackByPerson, SimOutcome::RolledBack { cause: Cause::Person { .. } }) => true,
            (Self::RolledBackBy(rules), SimOutcome::RolledBack { cause: Cause::Rule(rule) }) => {
                rules.contains(&rule.as_str())
            }
            (Self::OneOf(any), outcome) => any.iter().any(|expected| expected.admits(outcome)),
            _ => false,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => f.write_str("completed"),
            Self::RolledBackBy(rules) => write!(f, "rolled back by {}", rules.join(" or ")),
            Self::RolledBackByEffect => f.write_str("rolled back since an effect could not be done"),
            Self::RolledBackByPerson => f.write_str("rolled back by a person"),
            Self::Abandoned => f.write_str("abandoned before any traffic moved"),
            Self::Held => f.write_str("held until a person decides"),
            Self::OneOf(any) => {
                let words: Vec<String> = any.iter().map(ToString::to_string).collect();
                f.write_str(&words.join(", or "))
            }
        }
    }
}

/// A name that no scenario has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no scenario `{name}`: choose one of {}", all().iter().map(|known| known.name).collect::<Vec<_>>().join(", "))]
pub struct UnknownScenario {
    /// The name.
    pub name: String,
}

/// Every scenario.
#[must_use]
pub fn all() -> Vec<Scenario> {
    [
        healthy::scenarios(),
        errors::scenarios(),
        gates::scenarios(),
        critical::scenarios(),
        evidence::scenarios(),
        environments::scenarios(),
        control_plane::scenarios(),
        people::scenarios(),
        approvals::scenarios(),
        migrating::scenarios(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A scenario by its name.
///
/// # Errors
/// [`UnknownScenario`], which lists the names, when there is none.
pub fn by_name(name: &str) -> Result<Scenario, UnknownScenario> {
    let found = all().into_iter().find(|scenario| scenario.name == name);
    found.ok_or_else(|| UnknownScenario { name: name.into() })
}

impl Scenario {
    /// A scenario in which nothing is wrong yet.
    #[must_use]
    pub fn new(name: &'static str, description: &'static str, expected: Expected) -> Self {
        Self {
            name,
            description,
            release: release(),
            setup: Setup::default(),
            rules: Vec::new(),
            actions: Vec::new(),
            approvals: Vec::new(),
            jumps: Vec::new(),
            expected,
        }
    }

    /// The same scenario, with a fault of the world.
    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.setup.faults.push(fault);
        self
    }

    /// The same scenario, with a fault of the ports.
    #[must_use]
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// The same scenario, in which a person does something.
    #[must_use]
    pub fn with_action(mut self, at: Moment, action: Action) -> Self {
        self.actions.push(Planned { at, action });
        self
    }

    /// The same scenario, in which a step waits for a person.
    #[must_use]
    pub fn with_approval(mut self, gate: ApprovalGate, approval: Approval) -> Self {
        self.approvals.push((gate, approval));
        self
    }

    /// A policy as it is in this scenario: with the steps that wait for a person here.
    #[must_use]
    pub fn policy(&self, policy: &Policy) -> Policy {
        let mut policy = policy.clone();
        for (gate, approval) in &self.approvals {
            match gate {
                ApprovalGate::Stage(stage) => {
                    policy.stages.get_mut(*stage).into_iter().for_each(|stage| stage.approval = *approval);
                }
                ApprovalGate::Decommission => policy.decommission.approval = *approval,
            }
        }
        policy
    }

    /// The same scenario, with a jump of the driver's wall clock.
    #[must_use]
    pub fn with_jump(mut self, jump: Jump) -> Self {
        self.jumps.push(jump);
        self
    }

    /// The same scenario, in which the release changes schemas in both phases.
    #[must_use]
    pub fn migrating(mut self) -> Self {
        self.release.migrations = migrations();
        self
    }

    /// The same scenario, in which the release comes with this flag.
    #[must_use]
    pub fn with_flag(mut self, flag: &str) -> Self {
        self.release.flags.push(FlagName::from(flag));
        self
    }

    /// The same scenario, in which no period's metrics come too late by chance: where each minute counts.
    #[must_use]
    pub fn without_stragglers(mut self) -> Self {
        self.setup.stragglers = 0.0;
        self
    }

    /// The same scenario, in which critical services are seen by their metrics alone, without probes.
    #[must_use]
    pub fn without_probes(mut self) -> Self {
        self.release.metrics.append(&mut self.release.probes);
        self
    }
}

/// Migrations of two services in both phases, as in the strategy's example of a column that is renamed.
#[must_use]
pub fn migrations() -> Migrations {
    let step = |service: &str, from: &str, to: &str, class, text: &str, adds: &[&str]| Step {
        service: ServiceName::from(service),
        from: SchemaVersion::from(from),
        to: SchemaVersion::from(to),
        statements: vec![Statement { place: format!("{service}/{to}.sql:1"), text: text.into(), class }],
        adds: adds.iter().map(|column| (*column).to_owned()).collect(),
    };
    Migrations {
        expand: vec![
            step(
                "svc-portal",
                "a1",
                "b2",
                Class::Expand,
                "ALTER TABLE payments ADD COLUMN total_amount DECIMAL(15, 2)",
                &["payments.total_amount"],
            ),
            step(
                "mpac-pgw",
                "7",
                "8",
                Class::Expand,
                "ALTER TABLE devices ADD COLUMN device_uuid UUID",
                &["devices.device_uuid"],
            ),
        ],
        contract: vec![
            step("svc-portal", "b2", "c3", Class::Contract, "ALTER TABLE payments DROP COLUMN amount", &[]),
            step("mpac-pgw", "8", "9", Class::Contract, "ALTER TABLE devices DROP COLUMN device_id", &[]),
        ],
    }
}

/// The release of every scenario: critical services are probed, everything else is a metric.
#[must_use]
pub fn release() -> Release {
    let probes = vec![Metric::PostgresUp, Metric::RedisUp];
    Release {
        service: "smartpos".into(),
        record: RecordName::from("api.mpac-cloud.com"),
        blue: Revision::from("v2.0.0"),
        green: Revision::from("v2.1.0"),
        checks: ["smoke", "integration", "database", "auth"].map(CheckName::from).to_vec(),
        metrics: Metric::KNOWN.into_iter().filter(|metric| !probes.contains(metric)).collect(),
        probes,
        environments: None,
        flags: Vec::new(),
        migrations: Migrations::default(),
    }
}
