//! What is read and said, section by section.

use std::time::Duration;

use mpac_deploy_aws::Finding;
use mpac_deploy_aws::balancer::balancers;
use mpac_deploy_aws::route53::traps;
use mpac_deploy_core::analysis::Reading;
use mpac_deploy_core::ids::Revision;
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::migration::{Migrations, Phase};
use mpac_deploy_core::plan::{Plan, Release};
use mpac_deploy_core::policy::Policy;
use mpac_deploy_core::port::PortError;
use mpac_deploy_core::time::{Period, Timestamp};

use super::page::Section;
use crate::aws::{Account, Group, Groups, Runs, Unread};
use crate::config::{self, Colour, Config, Journal, Roles, Service, Traffic, Words};
use crate::policy::rules;
use crate::reply::Failure;

/// A minute of metrics.
const PERIOD: Duration = Duration::from_secs(60);

/// What the release follows, and the plan if the two fit.
pub(super) fn policy(policy: &Policy, release: Option<Release>) -> (Section, Option<Plan>) {
    let mut section = Section::new("Policy");
    section.fact(format!("`{}`", policy.name));
    rules(policy).into_iter().for_each(|line| section.fact(line));
    let Some(release) = release else { return (section, None) };
    match policy.compile(release) {
        Ok(plan) => (section, Some(plan)),
        Err(error) => {
            section.stop(format!("it does not fit the configuration: {error}"));
            (section, None)
        }
    }
}

/// What is changed in schemas, phase by phase, and whether the gate lets it.
pub(super) fn schema(migrations: &Migrations) -> Section {
    let mut section = Section::new("Schemas");
    if migrations.is_empty() {
        section.fact("no schema is changed");
    }
    for (phase, when) in [
        (Phase::Expand, "before green starts"),
        (
            Phase::Contract,
            "24 h after the cutover, once nothing of blue runs: from then on there is no way back",
        ),
    ] {
        for step in migrations.steps(phase) {
            section.fact(format!("{phase}: {step}, {when}"));
            for statement in &step.statements {
                section.fact(format!("  {} ({}): {}", statement.place, statement.class, statement.text));
            }
        }
    }
    if let Err(error) = migrations.check() {
        section.stop(error.problem);
    }
    section
}

/// Why it is not known what is changed in schemas.
pub(super) fn no_schema(failure: Failure) -> Section {
    let mut section = Section::new("Schemas");
    section.read::<()>(Err(match failure {
        Failure::World(text) => Unread::Unreached(text),
        other @ (Failure::Usage(_) | Failure::Input(_) | Failure::Found(_)) => {
            Unread::Unfit(other.to_string())
        }
    }));
    section
}

impl Account {
    /// The services of both environments, and the revision that serves.
    pub(super) async fn services_section(&self, roles: Roles, revision: &str) -> (Section, Option<Revision>) {
        let mut section = Section::new("Environments");
        let (blue, green) = (roles.of(Side::Blue), roles.of(Side::Green));
        let groups = section.read(self.groups().await).unwrap_or_default();
        let (now, next) = (section.read(self.running(blue).await), section.read(self.running(green).await));
        let (Some(now), Some(next)) = (now, next) else { return (section, None) };
        for service in &self.config.ecs.services {
            self.replaced(&mut section, service, blue, &now, &groups).await;
            self.provisioned(&mut section, service, green, &next, &groups, revision).await;
        }
        let from = section.read(self.revision(blue).await);
        (section, from)
    }

    /// A service that serves.
    async fn replaced(
        &self,
        section: &mut Section,
        service: &Service,
        colour: Colour,
        running: &[Runs],
        groups: &Groups,
    ) {
        let name = Config::ecs_service(service, colour);
        // That it is not there is said where its revision is asked for.
        let Some(runs) = running.iter().find(|runs| runs.service == name) else { return };
        let image = section.read(self.image(service, &runs.task_definition).await);
        let health = self.health(section, groups.of(service, colour)).await;
        section.fact(format!(
            "{name} serves: {} of {} tasks run{health}, from {} with {}",
            runs.running,
            runs.desired,
            last_part(&runs.task_definition),
            image.unwrap_or_else(|| "?".into())
        ));
    }

    /// A service that is to serve.
    async fn provisioned(
        &self,
        section: &mut Section,
        service: &Service,
        colour: Colour,
        running: &[Runs],
        groups: &Groups,
        revision: &str,
    ) {
        let name = Config::ecs_service(service, colour);
        let health = self.health(section, groups.of(service, colour)).await;
        let image = service.image.of(revision);
        match running.iter().find(|runs| runs.service == name) {
            None => section.fact(format!("{name} is made, from what serves, with {image}{health}")),
            Some(runs) => section.fact(format!(
                "{name} gets {image}; {} of {} tasks run now{health}",
                runs.running, runs.desired
            )),
        }
    }

    /// How many targets of a group are healthy.
    async fn health(&self, section: &mut Section, group: Result<Option<&Group>, Unread>) -> String {
        let Some(group) = section.read(group).flatten() else { return String::new() };
        let targets = section.read(self.targets(group).await);
        targets.map(|(healthy, all)| format!(", {healthy} of {all} targets are healthy")).unwrap_or_default()
    }

    /// Which questions are asked.
    pub(super) fn checks_section(&self, roles: Roles, revision: &str) -> Section {
        let mut section = Section::new("Checks and probes");
        let words = Words::of_release(roles.of(Side::Green), revision);
        for check in &self.config.checks {
            match check.filled(words) {
                Ok(ask) => section.fact(format!("{}: {ask}", check.name)),
                Err(error) => section.stop(format!("{}: {error}", check.name)),
            }
        }
        for probe in &self.config.probes {
            match probe.filled(words) {
                Ok(ask) => section.fact(format!("{}, while traffic moves: {ask}", probe.name)),
                Err(error) => section.stop(format!("{}: {error}", probe.name)),
            }
        }
        if self.config.checks.is_empty() {
            section.warn("no check runs against the new environment before it gets traffic");
        }
        section
    }

    /// Where the rollout is written down, and whether one is not over.
    pub(super) async fn journal_section(&self) -> Section {
        let mut section = Section::new("Journal");
        match &self.config.journal {
            Journal::Dynamodb(table) => section.fact(format!("the DynamoDB table {}", table.table)),
            Journal::Sqlite(file) => {
                section.fact(format!("the file {}", self.config.beside(&file.file).display()))
            }
            Journal::Memory => section.stop("memory, which keeps nothing"),
        }
        let kept = self.existing_journal().await.map_err(|failure| Unread::Unfit(failure.to_string()));
        let Some(kept) = section.read(kept).flatten() else { return section };
        let Some(unfinished) = section.read(kept.unfinished(&self.config.record()).await) else {
            return section;
        };
        match unfinished {
            None => section.fact("no rollout of this record is under way"),
            Some(unfinished) => section.warn(format!(
                "{} is not over: `run` goes on with it, whatever is said above",
                unfinished.rollout.id()
            )),
        }
        section
    }

    /// What each series shows: the latest minute that has settled.
    pub(super) async fn series(&self, section: &mut Section, roles: Roles, plan: &Plan) {
        let settled = plan.policy().evidence.settle.duration() + PERIOD + PERIOD;
        let now = self.clock.now().as_millis();
        let at = now.saturating_sub(i64::try_from(settled.as_millis()).unwrap_or(i64::MAX));
        let period = Period::containing(Timestamp::from_millis(at));
        let Some(metrics) = section.read(self.metrics(roles).await) else { return };
        let fetched = metrics.fetch(plan.series(), period).await.map_err(Unread::from);
        let Some(readings) = section.read(fetched) else { return };
        section.fact(format!("in the minute from {}:", period.start()));
        for (series, reading) in plan.series().iter().zip(readings) {
            let shown = match reading {
                Reading::Number(number) => number.get().to_string(),
                Reading::Gap(gap) => format!("no value ({gap:?})"),
            };
            section.fact(format!("{} of {}: {shown}", series.metric, series.side));
        }
    }

    /// What would hurt although nothing is wrong by itself.
    pub(super) async fn traps(&self, section: &mut Section, roles: Roles) {
        let found = match &self.config.traffic {
            Traffic::Route53(records) => {
                let shared = matches!(self.config.journal, Journal::Dynamodb(_));
                if shared && records.fence_record.is_none() {
                    section.warn(
                        "no `fence_record`: a controller that wakes up after it lost its lease can still change the weights",
                    );
                }
                self.traps_of_records(records, roles).await
            }
            Traffic::ListenerRule(rule) => self.traps_of_rule(rule, roles).await,
        };
        for finding in section.read(found).unwrap_or_default() {
            section.warn(format!("{}: {}; {} ({})", finding.place, finding.problem, finding.fix, finding.id));
        }
    }

    async fn traps_of_records(
        &self,
        records: &config::Route53,
        roles: Roles,
    ) -> Result<Vec<Finding>, Unread> {
        let pair = self.records(records, roles).pair_records().await.map_err(PortError::from)?;
        let targets: Vec<&str> = pair.iter().map(|record| record.target.as_str()).collect();
        let balancers = balancers(&self.sdk, &self.balancing, &targets).await;
        Ok(traps(&pair, &balancers.map_err(PortError::from)?))
    }

    async fn traps_of_rule(&self, rule: &config::ListenerRule, roles: Roles) -> Result<Vec<Finding>, Unread> {
        Ok(self.rule(rule, roles).await?.traps().await.map_err(PortError::from)?)
    }
}

/// The name at the end of an ARN.
fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
