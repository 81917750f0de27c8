use async_trait::async_trait;
use mpac_deploy_core::metric::Side;
use mpac_deploy_core::plan::{Environments, Release};
use mpac_deploy_core::port::{Fleet, PortError};
use mpac_deploy_testkit::conformance::{self, FleetFixture};

use crate::common::effect;
use crate::rig::{BLUE, GREEN, NEW, OTHER_BLUE, Rig, config, fleet, release, rig};

#[async_trait]
impl FleetFixture for Rig {
    fn fleet(&self) -> &dyn Fleet {
        &self.fleet
    }

    fn release(&self) -> Release {
        release()
    }

    async fn let_settle(&self) {
        self.aws.let_tasks_settle();
    }

    async fn break_side(&self, side: Side) {
        self.aws.break_targets(if side == Side::Blue { OTHER_BLUE } else { GREEN }, 1);
    }
}

#[tokio::test]
async fn the_adapter_keeps_the_contract_of_the_port() {
    let report = conformance::fleet(rig).await;
    assert!(report.is_ok(), "{report}");
    assert!(!report.cases.is_empty());
}

#[tokio::test]
async fn the_environments_swap_sides_with_the_next_release() {
    let rig = rig().await;
    rig.provision(1).await.unwrap();
    rig.aws.let_tasks_settle();
    rig.retire(2).await.unwrap();
    let next = Release {
        blue: release().green,
        green: "v2.2.0".into(),
        environments: Some(Environments { blue: "green".into(), green: "blue".into() }),
        ..release()
    };
    // A later rollout, by another holder of the lease.
    let second = fleet(&rig.aws, config()).await;
    second.provision(&effect(1), mpac_deploy_core::ids::FencingToken(2), &next).await.unwrap();
    rig.aws.let_tasks_settle();
    let (blue, green) = (rig.service(BLUE), rig.service(GREEN));
    assert_eq!((blue.desired, blue.image.as_str()), (4, NEW.replace("v2.1.0", "v2.2.0").as_str()));
    assert_eq!((green.desired, green.image.as_str()), (4, NEW));
    assert_eq!(second.health(&next, Side::Green).await.unwrap(), mpac_deploy_core::effect::Health::Healthy);
}

#[tokio::test]
async fn an_environment_that_is_not_configured_is_not_found() {
    let rig = rig().await;
    let environments = Some(Environments { blue: "blue".into(), green: "red".into() });
    let result = rig.fleet.health(&Release { environments, ..release() }, Side::Green).await;
    assert!(matches!(result, Err(PortError::NotFound(_))), "{result:?}");
    assert!(rig.operations(0).is_empty());
}
