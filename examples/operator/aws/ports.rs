//! The ports of a rollout, by its roles.

use std::sync::Arc;
use std::time::Duration;

use mpac_deploy_aws::ecs::{EcsConfig, EcsFleet, EcsService};
use mpac_deploy_aws::{AlbConfig, AlbTraffic, Route53Config, Route53Traffic};
use mpac_deploy_core::driver::Ports;
use mpac_deploy_core::ids::Revision;
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::migration::Migrations;
use mpac_deploy_core::plan::{Plan, Release};
use mpac_deploy_core::port::{Fleet, NoFlags, Notify, Traffic};
use mpac_deploy_services::checks::{AskError, AskedChecks, AskedProbes};

use super::call::Unread;
use super::{Account, Kept};
use crate::config::{self, Colour, Config, Roles, Words};
use crate::reply::Failure;

/// How often is looked whether a service that is stopped has stopped.
const LOOK_AT_STOPPING: Duration = Duration::from_secs(10);

impl Account {
    /// Everything that a rollout of this revision acts on.
    pub(crate) async fn ports(
        &self,
        roles: Roles,
        revision: &str,
        kept: &Kept,
        notify: Arc<dyn Notify>,
    ) -> Result<Ports, Failure> {
        let words = Words::of_release(roles.of(Side::Green), revision);
        Ok(Ports {
            traffic: self.traffic(roles).await?,
            fleet: self.fleet(roles).await?,
            metrics: self.metrics(roles).await?,
            checks: Arc::new(self.checks(words).map_err(|error| Failure::Input(format!("checks: {error}")))?),
            probes: Arc::new(self.probes(words).map_err(|error| Failure::Input(format!("probes: {error}")))?),
            schema: self.schema()?,
            flags: Arc::new(NoFlags),
            journal: Arc::clone(&kept.journal) as _,
            notify,
            clock: Arc::clone(&self.clock),
        })
    }

    /// What moves the weights.
    pub(crate) async fn traffic(&self, roles: Roles) -> Result<Arc<dyn Traffic>, Unread> {
        Ok(match &self.config.traffic {
            config::Traffic::Route53(records) => Arc::new(self.records(records, roles)),
            config::Traffic::ListenerRule(rule) => Arc::new(self.rule(rule, roles).await?),
        })
    }

    pub(crate) fn records(&self, records: &config::Route53, roles: Roles) -> Route53Traffic {
        let set = |side| self.config.record_set(roles.of(side));
        let mut config = Route53Config::new(&records.hosted_zone_id, records.record.clone())
            .with_sets(set(Side::Blue), set(Side::Green));
        if let Some(name) = &records.fence_record {
            config = config.with_fence_record(name);
        }
        Route53Traffic::new(&self.sdk, &self.route53, config)
    }

    pub(crate) async fn rule(&self, rule: &config::ListenerRule, roles: Roles) -> Result<AlbTraffic, Unread> {
        let service = self.config.weighed(rule).map_err(Unread::Unfit)?;
        let groups = self.groups().await?;
        let arn = |side| groups.arn(service, roles.of(side));
        let config = AlbConfig::new(&rule.rule, self.config.record(), arn(Side::Blue)?, arn(Side::Green)?);
        Ok(AlbTraffic::new(&self.sdk, &self.balancing, config))
    }

    /// The environments.
    async fn fleet(&self, roles: Roles) -> Result<Arc<dyn Fleet>, Unread> {
        let groups = self.groups().await?;
        let mut config = EcsConfig::new(&self.config.ecs.cluster).with_poll(self.lasting(LOOK_AT_STOPPING));
        for service in &self.config.ecs.services {
            let [blue, green] = Colour::ALL.map(|colour| Config::ecs_service(service, colour));
            let mut known =
                EcsService::new(blue, green).with_image(&service.container, service.image.template());
            if service.balanced {
                let arn = |colour| groups.arn(service, colour);
                known = known.with_target_groups(arn(Colour::Blue)?, arn(Colour::Green)?);
            }
            config = config.with_service(known);
        }
        if self.config.ecs.suspend_scaling {
            config = config.with_suspended_scaling();
        }
        let mut fleet = EcsFleet::new(&self.sdk, &self.ecs, &self.balancing, config);
        if let Some(archive) = &self.config.ecs.archive {
            fleet = fleet.with_bucket(&self.sdk, &archive.bucket, &archive.prefix);
        }
        if let config::Traffic::Route53(records) = &self.config.traffic {
            fleet = fleet.with_records(Arc::new(self.records(records, roles)));
        }
        Ok(Arc::new(fleet))
    }

    fn checks(&self, words: Words<'_>) -> Result<AskedChecks, AskError> {
        let asks = self.config.checks.iter().map(|check| Ok((check.name.clone(), check.filled(words)?)));
        AskedChecks::new(asks.collect::<Result<Vec<_>, AskError>>()?)
    }

    fn probes(&self, words: Words<'_>) -> Result<AskedProbes, AskError> {
        let asks = self.config.probes.iter().map(|probe| Ok((probe.name.clone(), probe.filled(words)?)));
        AskedProbes::new(asks.collect::<Result<Vec<_>, AskError>>()?)
    }

    /// The policy for a release of this revision.
    pub(crate) async fn plan(&self, roles: Roles, revision: &str) -> Result<Plan, Failure> {
        let policy = self.config.policy()?;
        let from = self.revision(roles.of(Side::Blue)).await?;
        let mut release = self.release(roles, from, revision).await?;
        release.migrations = self.migrations().await?;
        policy.compile(release).map_err(|error| {
            Failure::Input(format!("the policy `{}` does not fit the configuration: {error}", policy.name))
        })
    }

    /// What is rolled out, by the configuration, but for what it changes in schemas: that is another thing once it was begun.
    pub(crate) async fn release(
        &self,
        roles: Roles,
        from: Revision,
        revision: &str,
    ) -> Result<Release, Unread> {
        let sources = self.sources(roles).await?;
        Ok(Release {
            service: self.config.service.clone(),
            record: self.config.record(),
            blue: from,
            green: Revision::from(revision),
            checks: self.config.checks.iter().map(|check| check.name.clone()).collect(),
            metrics: sources.metrics().map_err(|error| Unread::Unfit(format!("metrics: {error}")))?,
            probes: self.config.probes.iter().map(|probe| probe.name.clone()).collect(),
            environments: Some(roles.environments()),
            flags: Vec::new(),
            migrations: Migrations::default(),
        })
    }

    /// Whether a release that was begun with an earlier configuration can go on with this one.
    pub(crate) async fn still_has(&self, roles: Roles, release: &Release) -> Result<(), Failure> {
        let now = self.release(roles, release.blue.clone(), release.green.as_str()).await?;
        let lost = |what: &str, name: &str| {
            Err(Failure::Input(format!(
                "the rollout began with the {what} `{name}`, and the configuration has it no more"
            )))
        };
        if let Some(check) = release.checks.iter().find(|check| !now.checks.contains(check)) {
            return lost("check", check.as_str());
        }
        if let Some(metric) = release.metrics.iter().find(|metric| !now.metrics.contains(metric)) {
            return lost("metric", metric.name());
        }
        match release.probes.iter().find(|probe| !now.probes.contains(probe)) {
            Some(probe) => lost("probe", probe.name()),
            None => Ok(()),
        }
    }
}
