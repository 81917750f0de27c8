//! The platform of the strategy in a simulated AWS, under the names that the examples and the book use.

use mpac_deploy_core::effect::ObservedWeights;

use super::elbv2::TargetGroup;
use super::{AwsSim, RecordSet};

/// The hosted zone.
pub const ZONE: &str = "Z1";
/// The name of the two weighted records.
pub const RECORD: &str = "api.mpac-cloud.com";
/// The domain of the zone.
const DOMAIN: &str = "mpac-cloud.com";
/// The cluster.
pub const CLUSTER: &str = "mpac";
/// The table of the journal.
pub const TABLE: &str = "mpac-deploy";
/// The bucket for archives of retired environments.
pub const ARCHIVES: &str = "mpac-deploy-archives";
/// The topic for notices.
pub const TOPIC: &str = "mpac-deploys";
/// The services, each of which runs as `NAME-blue` and `NAME-green` behind a target group of that name.
pub const SERVICES: [&str; 3] = ["svc-portal", "svc-smarttab", "mpac-pgw"];
/// Where the images are.
pub const REGISTRY: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com";

impl AwsSim {
    /// Puts it in place before its first rollout: zone and records with these weights, cluster, load balancers and target groups, blue's
    /// services with so many tasks of this revision each, an empty journal, and an empty bucket for archives.
    ///
    /// # Errors
    /// What AWS would say against it.
    pub fn put_platform(&self, weights: ObservedWeights, revision: &str, tasks: u32) -> Result<(), String> {
        self.add_zone(ZONE, DOMAIN);
        self.add_table(TABLE);
        self.add_bucket(ARCHIVES);
        self.add_topic(TOPIC);
        for (colour, weight, tasks) in [("blue", weights.blue, tasks), ("green", weights.green, 0)] {
            let record =
                RecordSet::weighted_alias(RECORD, &format!("{colour}-environment"), i64::from(weight));
            let balancer = format!("mpac-{colour}");
            let name =
                record.alias_target.as_ref().map(|target| target.dns_name.trim_end_matches('.').to_owned());
            self.put_load_balancer(&balancer, &name.unwrap_or_default());
            self.put_record(ZONE, record);
            for service in SERVICES {
                let (name, image) =
                    (format!("{service}-{colour}"), format!("{REGISTRY}/{service}:{revision}"));
                self.put_environment(CLUSTER, &name, &image, tasks)?;
                self.put_target_group(TargetGroup::behind(&name, &balancer));
            }
        }
        Ok(())
    }
}
