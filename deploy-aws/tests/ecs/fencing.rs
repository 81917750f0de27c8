use mpac_deploy_aws::EcsError;
use mpac_deploy_core::ids::FencingToken;
use mpac_deploy_core::port::PortError;

use crate::common::effect;
use crate::rig::{BLUE, GREEN, config, fleet, release, rig};

#[tokio::test]
async fn a_process_that_lost_its_lease_is_refused_by_what_the_later_one_has_written() {
    let rig = rig().await;
    let later = fleet(&rig.aws, config()).await;
    later.provision_green(&effect(3), FencingToken(7), &release()).await.unwrap();
    // This process knows of no token but its own.
    let error = rig.retire(2).await.unwrap_err();
    assert!(
        matches!(&error, EcsError::Fenced { seen: FencingToken(7), place, .. } if place.ends_with("green")),
        "{error}"
    );
    assert!(error.to_string().contains("remove the tag"), "{error}");
    assert!(matches!(PortError::from(error), PortError::Refused(_)));
    assert_eq!(rig.service(BLUE).desired, 4);
}

#[tokio::test]
async fn a_later_holder_does_what_its_journal_says_whatever_was_done_before() {
    let rig = rig().await;
    rig.retire(2).await.unwrap();
    rig.revive(3).await.unwrap();
    // The revival never reached the journal; its successor goes on where the journal ends, with the retirement.
    let later = fleet(&rig.aws, config()).await;
    later.retire_blue(&effect(2), FencingToken(2), &release()).await.unwrap().unwrap();
    assert_eq!(rig.service(BLUE).desired, 0);
    assert_eq!(rig.service(BLUE).tags["mpac-deploy:count"], "4");
}

#[tokio::test]
async fn an_effect_that_was_overtaken_under_the_same_token_does_nothing_in_another_process() {
    let rig = rig().await;
    rig.retire(2).await.unwrap();
    rig.revive(3).await.unwrap();
    let same = fleet(&rig.aws, config()).await;
    assert_eq!(same.retire_blue(&effect(2), FencingToken(1), &release()).await.unwrap(), None);
    same.provision_green(&effect(1), FencingToken(1), &release()).await.unwrap();
    assert_eq!(rig.service(BLUE).desired, 4);
    assert_eq!(rig.service(GREEN).desired, 4, "green had no later effect");
}
