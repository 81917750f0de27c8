//! Descriptions to make documents of.

use mpac_deploy_aws::infra::{Archive, Balancer, Description, Fleet};

/// The least that there can be.
pub(crate) fn minimal() -> Description {
    Description::new("api.mpac-cloud.com")
}

/// Everything that a description can have.
pub(crate) fn full() -> Description {
    let mut all = minimal();
    all.hosted_zone_id = Some("Z0123456789ABCDEFGHIJ".into());
    all.ipv6 = true;
    all.blue.balancer = Some(balancer("blue-alb"));
    all.green.balancer = Some(balancer("green-alb"));
    all.fence_record = Some("_mpac-deploy.api.mpac-cloud.com".into());
    let services = ["svc-portal", "svc-smarttab", "mpac-pgw"];
    all.fleet = Some(Fleet {
        cluster: "mpac-prod".into(),
        services: services
            .iter()
            .flat_map(|name| [format!("{name}-blue"), format!("{name}-green")])
            .collect(),
        families: services.iter().map(|name| (*name).to_owned()).collect(),
        roles: vec![
            "arn:aws:iam::123456789012:role/mpac-task".into(),
            "arn:aws:iam::123456789012:role/mpac-execution".into(),
        ],
        suspends_scaling: true,
    });
    all.listener_rules = vec![
        "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/internal/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee"
            .into(),
    ];
    all.topics = vec!["arn:aws:sns:us-east-1:123456789012:mpac-deploys".into()];
    all.archive = Some(Archive { bucket: "mpac-archive".into(), prefix: "deploy".into() });
    all
}

pub(crate) fn balancer(name: &str) -> Balancer {
    Balancer { dns_name: format!("{name}.us-east-1.elb.amazonaws.com"), zone_id: "Z35SXDOTRQ7X7K".into() }
}
