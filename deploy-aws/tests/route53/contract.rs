use async_trait::async_trait;
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::ids::RecordName;
use mpac_deploy_core::port::{PortError, Traffic};
use mpac_deploy_testkit::conformance::{self, TrafficFixture};

use crate::common::effect;
use crate::rig::{NAME, Rig, rig};

#[async_trait]
impl TrafficFixture for Rig {
    fn traffic(&self) -> &dyn Traffic {
        &self.traffic
    }

    fn record(&self) -> RecordName {
        RecordName::from(NAME)
    }

    async fn let_sync(&self) {
        self.aws.let_sync();
    }

    async fn set_by_hand(&self, weights: ObservedWeights) {
        self.by_hand(weights.blue.into(), weights.green.into());
    }
}

#[tokio::test]
async fn the_adapter_keeps_the_contract_of_the_port() {
    let report = conformance::traffic(rig).await;
    assert!(report.is_ok(), "{report}");
    assert!(!report.cases.is_empty());
}

#[tokio::test]
async fn another_record_is_not_found() {
    let rig = rig().await;
    let read = rig.traffic.read(&RecordName::from("www.mpac-cloud.com")).await;
    assert!(matches!(read, Err(PortError::NotFound(_))), "{read:?}");
    assert!(rig.operations().is_empty());
}

#[tokio::test]
async fn a_name_is_the_same_with_a_dot_and_in_capitals() {
    let rig = rig().await;
    assert!(rig.traffic.read(&RecordName::from("API.mpac-cloud.com.")).await.is_ok());
}

#[tokio::test]
async fn a_change_is_pending_and_then_in_sync() {
    let rig = rig().await;
    rig.forward(1, 95, 5).await.unwrap();
    assert!(!rig.traffic.confirm(&effect(1)).await.unwrap());
    rig.aws.let_sync();
    assert!(rig.traffic.confirm(&effect(1)).await.unwrap());
}
