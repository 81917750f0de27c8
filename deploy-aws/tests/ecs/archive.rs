use std::sync::Arc;

use mpac_deploy_aws::{EcsFleet, Quota, Route53Config, Route53Traffic};
use mpac_deploy_core::ids::RecordName;
use mpac_deploy_testkit::aws_sim::elbv2::{ListenerRule, listener_arn, target_group_arn};
use mpac_deploy_testkit::aws_sim::{CallFault, Operation, RecordSet};
use serde_json::{Value, json};

use crate::common::sdk_at;
use crate::rig::{BLUE, GREEN, OLD, Rig, config, environments, on_command};

/// The rig with a rule before the groups, and the records.
async fn rig() -> Rig {
    let aws = environments(on_command()).await;
    let listener = listener_arn(BLUE, 443);
    aws.put_rule(ListenerRule::weighted(
        &listener,
        10,
        [(target_group_arn(BLUE), 100), (target_group_arn(GREEN), 0)],
    ));
    let (other, third) = (target_group_arn("x"), target_group_arn("y"));
    aws.put_rule(ListenerRule::weighted(&listener, 20, [(other, 1), (third, 1)]));
    aws.add_zone("Z1", "mpac-cloud.com");
    aws.put_record("Z1", RecordSet::weighted_alias("api.mpac-cloud.com", "blue-environment", 0));
    aws.put_record("Z1", RecordSet::weighted_alias("api.mpac-cloud.com", "green-environment", 100));
    let sdk = sdk_at(&aws.endpoint_url()).await;
    let records = Route53Config::new("Z1", RecordName::from("api.mpac-cloud.com"));
    let records = Arc::new(Route53Traffic::new(&sdk, &Quota::route53(), records));
    let quota = Quota::new(10_000, 10_000);
    let fleet = EcsFleet::new(&sdk, &quota, &quota, config()).with_records(records);
    Rig { aws, fleet }
}

fn read(archive: Option<mpac_deploy_core::effect::Archive>) -> Value {
    serde_json::from_str(archive.unwrap().as_str()).unwrap()
}

#[tokio::test]
async fn an_archive_holds_what_the_environment_was() {
    let rig = rig().await;
    let archive = read(rig.retire(5).await.unwrap());
    assert_eq!(
        ["version", "rollout", "effect", "environment", "cluster"].map(|member| archive[member].clone()),
        [json!(1), json!("svc-portal-v2.1.0"), json!(5), json!("blue"), json!("mpac")]
    );
    let portal = &archive["services"][0];
    assert_eq!(portal["service"]["serviceName"], BLUE);
    assert_eq!(portal["service"]["desiredCount"], 4);
    assert_eq!(portal["service"]["networkConfiguration"]["awsvpcConfiguration"]["subnets"][1], "subnet-0b");
    let definition = &portal["taskDefinition"];
    assert_eq!(definition["taskDefinition"]["containerDefinitions"][0]["image"], OLD);
    assert_eq!(definition["tags"], json!([{ "key": "team", "value": "mpac" }]));
    let group = archive["targetGroups"]
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["TargetGroupName"] == BLUE)
        .unwrap();
    assert_eq!(group["HealthCheckPath"], "/health");
    assert!(
        group["Attributes"]
            .as_array()
            .unwrap()
            .iter()
            .any(|found| found["Key"] == "deregistration_delay.timeout_seconds")
    );
    let rules = archive["listeners"][0]["Rules"].as_array().unwrap();
    assert_eq!(rules.len(), 1, "only those that name a group of the environment");
    assert_eq!(rules[0]["Actions"][0]["ForwardConfig"]["TargetGroups"][0]["Weight"], "100");
    assert_eq!(archive["records"][1]["weight"], 100);
}

#[tokio::test]
async fn it_is_made_before_anything_is_stopped_and_nothing_is_stopped_without_it() {
    let rig = rig().await;
    rig.aws.script(Operation::DescribeRules, [CallFault::access_denied()]);
    let error = rig.retire(1).await.unwrap_err();
    assert!(error.to_string().contains("DescribeRules: not allowed"), "{error}");
    assert_eq!(rig.service(BLUE).desired, 4);
}

#[tokio::test]
async fn a_repeated_retirement_archives_the_number_of_tasks_from_before_the_first_attempt() {
    let rig = rig().await;
    rig.aws.script(Operation::DescribeTargetHealth, [CallFault::CutAfter]);
    assert!(rig.retire(1).await.is_err());
    assert_eq!(rig.service(BLUE).desired, 0);
    let archive = read(rig.retire(1).await.unwrap());
    assert_eq!(archive["services"][0]["service"]["desiredCount"], 4);
    let again = read(rig.retire(1).await.unwrap());
    assert_eq!(again, archive, "an id that was used before answers the same");
}

#[cfg(feature = "s3-archive")]
mod bucket {
    use mpac_deploy_aws::EcsError;
    use mpac_deploy_core::port::PortError;

    use super::*;
    use crate::rig::{CLUSTER, OTHER_BLUE};

    async fn with_bucket() -> Rig {
        let rig = rig().await;
        rig.aws.add_bucket("mpac-archives");
        let sdk = sdk_at(&rig.aws.endpoint_url()).await;
        Rig { fleet: rig.fleet.with_bucket(&sdk, "mpac-archives", "deploy/"), aws: rig.aws }
    }

    #[tokio::test]
    async fn it_is_kept_there_under_the_effect_and_as_the_latest() {
        let rig = with_bucket().await;
        let archive = read(rig.retire(5).await.unwrap());
        let keys = ["deploy/blue/latest.json", "deploy/blue/svc-portal-v2.1.0/5.json"];
        assert_eq!(rig.aws.objects("mpac-archives"), keys);
        for key in keys {
            let kept: Value = serde_json::from_slice(&rig.aws.object("mpac-archives", key).unwrap()).unwrap();
            assert_eq!(kept, archive);
        }
    }

    #[tokio::test]
    async fn the_first_one_of_an_effect_stays() {
        let rig = with_bucket().await;
        rig.aws.script(Operation::PutObject, [CallFault::CutAfter]);
        assert!(rig.retire(5).await.is_err());
        assert_eq!(rig.service(BLUE).desired, 4, "nothing was stopped without an archive");
        rig.retire(5).await.unwrap();
        assert_eq!(rig.aws.objects("mpac-archives").len(), 2);
    }

    #[tokio::test]
    async fn a_service_that_was_deleted_is_made_anew_from_it() {
        let rig = with_bucket().await;
        rig.retire(5).await.unwrap();
        rig.aws.delete_service_by_hand(CLUSTER, BLUE);
        rig.revive(6).await.unwrap();
        rig.aws.let_tasks_settle();
        let blue = rig.service(BLUE);
        assert_eq!((blue.running, blue.image.as_str(), blue.tags["team"].as_str()), (4, OLD, "mpac"));
        assert_eq!(rig.service(OTHER_BLUE).running, 2);
        assert_eq!(
            rig.health(mpac_deploy_core::metric::Side::Blue).await,
            mpac_deploy_core::effect::Health::Healthy
        );
    }

    #[tokio::test]
    async fn an_archive_that_may_not_be_read_may_not_be_there_either() {
        let rig = with_bucket().await;
        rig.retire(5).await.unwrap();
        rig.aws.delete_service_by_hand(CLUSTER, BLUE);
        rig.aws.script(Operation::GetObject, [CallFault::access_denied()]);
        let error = rig.revive(6).await.unwrap_err().to_string();
        assert!(error.contains("GetObject: not allowed") && error.contains("s3:ListBucket"), "{error}");
    }

    #[tokio::test]
    async fn a_bucket_that_is_not_there_is_named_before_anything_is_stopped() {
        let rig = rig().await;
        let sdk = sdk_at(&rig.aws.endpoint_url()).await;
        let rig = Rig { fleet: rig.fleet.with_bucket(&sdk, "nowhere", ""), aws: rig.aws };
        let error = rig.retire(5).await.unwrap_err();
        assert!(error.to_string().contains("NoSuchBucket"), "{error}");
        assert!(matches!(PortError::from(error), PortError::NotFound(_)));
        assert_eq!(rig.service(BLUE).desired, 4);
    }

    #[tokio::test]
    async fn without_any_the_journal_says_that_a_deleted_service_is_gone() {
        let rig = rig().await;
        rig.retire(5).await.unwrap();
        rig.aws.delete_service_by_hand(CLUSTER, BLUE);
        let error = rig.revive(6).await.unwrap_err();
        assert!(matches!(error, EcsError::NothingKept { .. }), "{error}");
    }
}
