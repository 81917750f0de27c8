//! Which of a rollout's calls the credentials do not allow.

use std::collections::BTreeSet;

use mpac_deploy_aws::infra::calls::Adapter;
use mpac_deploy_aws::infra::{self, Description};
use mpac_deploy_aws::permissions::{Decision, Permissions, Verdict, permissions};
use mpac_deploy_core::metric::Side;

use super::page::Section;
use crate::aws::{Account, Unread};
use crate::config::{Colour, Config, Journal, Roles, Traffic};

/// The calls of a rollout that a plan makes, too.
const MADE: [&str; 8] = [
    "cloudwatch:GetMetricData",
    "dynamodb:Query",
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "route53:ListResourceRecordSets",
];

impl Account {
    /// What this plan's own calls have shown, and what IAM says of the others.
    pub(super) async fn permissions_section(&self, roles: Roles) -> Section {
        let mut section = Section::new("Permissions");
        let adapters = self.adapters();
        let actions: BTreeSet<&str> =
            adapters.iter().flat_map(|adapter| adapter.calls()).map(|call| call.action).collect();
        let (made, other): (Vec<&str>, Vec<&str>) =
            actions.into_iter().partition(|action| MADE.contains(action));
        section.fact(format!(
            "made for this plan, and marked above where they are not allowed: {}",
            made.join(", ")
        ));
        match permissions(&self.sdk, &self.described(roles).await, &adapters).await {
            Ok(asked) => say(&mut section, &asked),
            Err(error) => section.warn(format!(
                "not known, since IAM did not say it ({error}): {}. `mpac-deploy infra template` prints a policy that allows them",
                other.join(", ")
            )),
        }
        section
    }

    /// The parts that call AWS in a rollout by this configuration.
    fn adapters(&self) -> Vec<Adapter> {
        let config = &self.config;
        let moves = match &config.traffic {
            Traffic::Route53(_) => Adapter::Route53,
            Traffic::ListenerRule(_) => Adapter::ListenerRule,
        };
        let mut adapters = vec![moves, Adapter::Balancers, Adapter::Fleet, Adapter::Metrics];
        adapters.extend(config.ecs.suspend_scaling.then_some(Adapter::Scaling));
        adapters.extend(config.ecs.archive.is_some().then_some(Adapter::Archive));
        adapters.extend(matches!(config.journal, Journal::Dynamodb(_)).then_some(Adapter::Journal));
        adapters.extend((!config.notify.topics.is_empty()).then_some(Adapter::Notices));
        adapters
    }

    /// What these calls act on.
    async fn described(&self, roles: Roles) -> Description {
        let config = &self.config;
        let mut description = Description::new(config.record().as_str());
        match &config.traffic {
            Traffic::Route53(records) => {
                description.hosted_zone_id = Some(records.hosted_zone_id.clone());
                description.fence_record.clone_from(&records.fence_record);
            }
            Traffic::ListenerRule(rule) => description.listener_rules = vec![rule.rule.clone()],
        }
        if let Journal::Dynamodb(table) = &config.journal {
            description.journal_table = Some(table.table.clone());
        }
        description.archive = config
            .ecs
            .archive
            .as_ref()
            .map(|archive| infra::Archive { bucket: archive.bucket.clone(), prefix: archive.prefix.clone() });
        description.topics = config.notify.topics.iter().map(|topic| topic.arn.clone()).collect();
        description.fleet = Some(self.described_fleet(roles).await);
        description
    }

    /// The services of both environments. Families and roles are those of what serves, which is copied; a definition that cannot be read
    /// is marked where it is shown.
    async fn described_fleet(&self, roles: Roles) -> infra::Fleet {
        let config = &self.config;
        let of_both = |service| Colour::ALL.map(|colour| Config::ecs_service(service, colour));
        let running = self.running(roles.of(Side::Blue)).await.unwrap_or_default();
        let (mut families, mut passed) = (BTreeSet::new(), BTreeSet::new());
        for runs in &running {
            let Ok::<_, Unread>(definition) = self.definition(&runs.task_definition).await else { continue };
            families.extend(definition.family);
            passed.extend([definition.task_role_arn, definition.execution_role_arn].into_iter().flatten());
        }
        infra::Fleet {
            cluster: config.ecs.cluster.clone(),
            services: config.ecs.services.iter().flat_map(of_both).collect(),
            families: families.into_iter().collect(),
            roles: passed.into_iter().collect(),
            suspends_scaling: config.ecs.suspend_scaling,
        }
    }
}

/// What IAM says, without the calls that were made: those have their answer.
fn say(section: &mut Section, asked: &Permissions) {
    let others: Vec<&Verdict> =
        asked.verdicts.iter().filter(|verdict| !MADE.contains(&verdict.action.as_str())).collect();
    let allowed: BTreeSet<&str> = others
        .iter()
        .filter(|verdict| verdict.decision == Decision::Allowed)
        .map(|verdict| verdict.action.as_str())
        .collect();
    section.fact(format!("by IAM, {} may: {}", asked.principal, Vec::from_iter(allowed).join(", ")));
    for verdict in others {
        let call = format!("{} on {}", verdict.action, verdict.resource);
        match &verdict.decision {
            Decision::Allowed => {}
            Decision::NotAllowed => section.deny(format!(
                "{call}: no policy allows it; `mpac-deploy infra template` prints one that does"
            )),
            Decision::Denied => section.deny(format!("{call}: a policy denies it")),
            Decision::Unknown(keys) => section
                .warn(format!("{call}: a policy asks for {}, which only a real call has", keys.join(", "))),
        }
    }
}
