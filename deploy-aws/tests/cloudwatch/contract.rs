use async_trait::async_trait;
use mpac_deploy_core::metric::{Metric, Side};
use mpac_deploy_core::port::Metrics;
use mpac_deploy_testkit::aws_sim::cloudwatch::MetricStatus;
use mpac_deploy_testkit::conformance::{self, Facts, MetricsFixture};

use crate::rig::{Rig, SERVICES, minute, of_group, of_service, published, rig};

#[async_trait]
impl MetricsFixture for Rig {
    fn metrics(&self) -> &dyn Metrics {
        &self.metrics
    }

    fn facts(&self) -> Facts {
        Facts {
            period: minute(0),
            published: vec![
                (Side::Green, Metric::Requests, 30.0),
                (Side::Blue, Metric::Requests, 600.0),
                (Side::Green, Metric::LatencyP95, 250.0),
                (Side::Green, Metric::MemoryUtilization, 0.5),
                (Side::Green, Metric::PostgresUp, 0.0),
            ],
            absent: vec![
                (Side::Green, Metric::Errors),
                (Side::Green, Metric::Http5xx),
                (Side::Blue, Metric::Transactions),
            ],
            failing: vec![(Side::Green, Metric::LogAnomalies)],
            unpublished: minute(1),
        }
    }
}

async fn filled() -> Rig {
    let rig = rig().await;
    rig.put(&of_group("RequestCount", SERVICES[0], Side::Green), &[10.0, 20.0]);
    rig.put(&of_group("RequestCount", SERVICES[0], Side::Blue), &[600.0]);
    rig.put(&of_group("TargetResponseTime", SERVICES[1], Side::Green), &[0.25]);
    for service in SERVICES {
        rig.put(&of_service("MemoryUtilization", service, Side::Green), &[50.0]);
    }
    rig.put(&published(&Metric::PostgresUp, Side::Green), &[1.0, 0.0, 1.0]);
    rig.aws.set_metric_status(&published(&Metric::LogAnomalies, Side::Green), MetricStatus::InternalError);
    rig
}

#[tokio::test]
async fn the_adapter_keeps_the_contract_of_the_port() {
    let report = conformance::metrics(filled).await;
    assert!(report.is_ok(), "{report}");
    assert!(!report.cases.is_empty());
}
