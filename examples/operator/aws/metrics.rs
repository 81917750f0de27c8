//! Which metrics of CloudWatch show what.

use std::collections::BTreeMap;
use std::sync::Arc;

use mpac_deploy_aws::cloudwatch::{
    CloudWatch, CloudWatchConfig, CloudWatchMetrics, DEFAULT_WINDOW, LowSamples, SideSources, Source,
};
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::port::Metrics;

use super::groups::Groups;
use super::{Account, Unread};
use crate::config::{Colour, Config, Roles, Words};

impl Account {
    /// The sources of both sides.
    pub(crate) async fn sources(&self, roles: Roles) -> Result<CloudWatchConfig, Unread> {
        let groups = self.groups().await?;
        let of = |side| self.sources_of(roles.of(side), &groups);
        let low_samples =
            if self.config.metrics.few_values_count { LowSamples::Evaluate } else { LowSamples::TooFew };
        Ok(CloudWatchConfig::new(of(Side::Blue)?, of(Side::Green)?).with_low_samples(low_samples))
    }

    /// The port to them.
    pub(crate) async fn metrics(&self, roles: Roles) -> Result<Arc<dyn Metrics>, Unread> {
        let cloudwatch = CloudWatch::with_window(&self.sdk, &self.cloudwatch, self.lasting(DEFAULT_WINDOW));
        let metrics = CloudWatchMetrics::new(&cloudwatch, &self.sources(roles).await?);
        Ok(Arc::new(metrics.map_err(|error| Unread::Unfit(format!("metrics: {error}")))?))
    }

    fn sources_of(&self, colour: Colour, groups: &Groups) -> Result<SideSources, Unread> {
        let mut balancers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut sources = SideSources::new();
        for service in &self.config.ecs.services {
            sources = sources.with_service(&self.config.ecs.cluster, Config::ecs_service(service, colour));
            let Some(group) = groups.of(service, colour)? else { continue };
            for balancer in &group.balancers {
                balancers.entry(balancer).or_default().push(&group.arn);
            }
        }
        for (balancer, groups) in balancers {
            sources = sources.with_balancer(balancer, groups);
        }
        if let Some(application) = &self.config.metrics.application {
            let filled = |text: &crate::config::Text| text.fill(Words::of(colour));
            let dimensions: Vec<(&str, String)> =
                application.dimensions.iter().map(|(name, value)| (name.as_str(), filled(value))).collect();
            let dimensions: Vec<(&str, &str)> =
                dimensions.iter().map(|(name, value)| (*name, value.as_str())).collect();
            sources = sources.with_namespace(
                &filled(&application.namespace),
                &dimensions,
                application.names.iter().cloned(),
            );
        }
        for (metric, custom) in &self.config.metrics.custom {
            let filled = |text: &crate::config::Text| text.fill(Words::of(colour));
            let statistic = custom.statistic.0.clone();
            let source = Source::new(filled(&custom.namespace), filled(&custom.name), statistic);
            let source = custom
                .dimensions
                .iter()
                .fold(source, |source, (name, value)| source.with_dimension(name, filled(value)));
            sources = sources.with_metric(metric.clone(), source.scaled_by(custom.scale));
        }
        Ok(sources)
    }
}
