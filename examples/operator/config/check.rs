//! What must fit together in a configuration, beyond what its fields say by themselves.

use std::collections::BTreeSet;

use mpac_deploy_core::metric::Metric;

use super::{Colour, Config, Journal, ListenerRule, Service, Traffic};

impl Config {
    /// What serde cannot see: a path and what is wrong there.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.service.trim().is_empty() {
            return Err("service: a rollout needs a name for people".into());
        }
        if self.ecs.services.is_empty() {
            return Err("ecs.services: an environment without a service serves nobody: name one".into());
        }
        once("ecs.services", self.ecs.services.iter().map(|service| service.name.as_str()))?;
        once("checks", self.checks.iter().map(|check| check.name.as_str()))?;
        once("probes", self.probes.iter().map(|probe| probe.name.name()))?;
        once("migrations", self.migrations.iter().map(|migration| migration.service.as_str()))?;
        for (number, migration) in self.migrations.iter().enumerate() {
            migration.check().map_err(|what| format!("migrations[{number}]: {what}"))?;
        }
        self.check_environments()?;
        if let Some(both) = self.probes.iter().find(|probe| self.is_measured(&probe.name)) {
            return Err(format!("probes: `{}` is under `metrics`, too: choose one", both.name));
        }
        if matches!(self.journal, Journal::Memory) {
            return Err("journal: a rollout lasts hours, and in memory it would be lost with its process: \
                        write `[journal.dynamodb]` with a `table`, or `[journal.sqlite]` with a `file`"
                .into());
        }
        Ok(())
    }

    fn is_measured(&self, metric: &Metric) -> bool {
        let published = self.metrics.application.as_ref().is_some_and(|from| from.names.contains(metric));
        published || self.metrics.custom.contains_key(metric)
    }

    /// Two environments that share a service or a record are one.
    fn check_environments(&self) -> Result<(), String> {
        for (number, service) in self.ecs.services.iter().enumerate() {
            let both = |what: &str, name: &str| {
                format!(
                    "ecs.services[{number}].{what}: `{name}` is that of both environments: put `{{environment}}` into it"
                )
            };
            let name = Self::ecs_service(service, Colour::Blue);
            if name == Self::ecs_service(service, Colour::Green) {
                return Err(both("service", &name));
            }
            match Self::target_group(service, Colour::Blue) {
                Some(group) if Self::target_group(service, Colour::Green).as_ref() == Some(&group) => {
                    return Err(both("target_group", &group));
                }
                Some(_) => {}
                None if service.target_group.is_some() => {
                    return Err(format!(
                        "ecs.services[{number}].target_group: a service that is not `balanced` has none"
                    ));
                }
                None => {}
            }
        }
        if self.ecs.services.iter().all(|service| !service.balanced) {
            return Err("ecs.services: none is `balanced`: there is no traffic to move".into());
        }
        if self.record_set(Colour::Blue) == self.record_set(Colour::Green) {
            return Err(format!(
                "environments: both have the record_set `{}`",
                self.record_set(Colour::Blue)
            ));
        }
        if let Traffic::ListenerRule(rule) = &self.traffic {
            self.weighed(rule)?;
        }
        Ok(())
    }

    /// The service whose target groups a listener rule weighs.
    pub(crate) fn weighed(&self, rule: &ListenerRule) -> Result<&Service, String> {
        match (&rule.service, self.ecs.services.as_slice()) {
            (None, [only]) => Ok(only),
            (None, _) => Err("traffic.listener-rule.service: there is more than one service: say whose target groups the rule weighs".into()),
            (Some(name), services) => services
                .iter()
                .find(|service| service.name == *name)
                .ok_or_else(|| format!("traffic.listener-rule.service: there is no service `{name}` under ecs.services")),
        }
    }
}

fn once<'a>(path: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{path}: `{name}` stands there twice"));
        }
    }
    Ok(())
}
