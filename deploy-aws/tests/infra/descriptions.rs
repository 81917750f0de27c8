//! What no template could be right for is refused, with what is wrong.

use mpac_deploy_aws::infra::{Archive, Description, InfraError, cloudformation, terraform};

use crate::described::{balancer, full, minimal};

type Spoil = fn(&mut Description);

const SPOILED: [(Spoil, &str); 12] = [
    (|all| all.record = "api".into(), "the record is named `api`"),
    (|all| all.record = "a b.example.com".into(), "`a b.example.com`"),
    (|all| all.record = "${AWS::Region}.example.com".into(), "is no name"),
    (|all| all.fence_record = Some("x..y".into()), "the fence record"),
    (|all| all.green.set = all.blue.set.clone(), "the same set identifier, `blue-environment`"),
    (|all| all.green.balancer = all.blue.balancer.clone(), "the same load balancer"),
    (
        |all| {
            all.green.balancer = Some(balancer("dualstack.blue-alb"));
        },
        "the same load balancer",
    ),
    (|all| all.journal_table = Some("*".into()), "a table is named `*`"),
    (|all| all.archive = Some(Archive { bucket: "b".into(), prefix: "a/*".into() }), "a prefix is named `*`"),
    (|all| all.fleet.as_mut().unwrap().cluster = String::new(), "a cluster is named ``"),
    (|all| all.fleet.as_mut().unwrap().roles = vec!["*".into()], "a role is given as `*`"),
    (
        |all| all.listener_rules = vec!["arn:aws:elasticloadbalancing:*".into()],
        "a listener's rule is given as",
    ),
];

#[test]
fn each_is_refused_for_both_languages() {
    for (spoil, says) in SPOILED {
        let mut description = full();
        spoil(&mut description);
        for made in [cloudformation(&description), terraform(&description)] {
            let error: InfraError = made.unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
    }
}

#[test]
fn a_policy_that_iam_would_refuse_is_refused_before() {
    let mut description = full();
    let fleet = description.fleet.as_mut().unwrap();
    fleet.services = (0..60).map(|number| format!("service-with-a-long-name-{number}")).collect();
    let error = cloudformation(&description).unwrap_err();
    assert!(matches!(error, InfraError::PolicyTooLarge { characters: 6145.., most: 6144 }), "{error}");
    assert_eq!(terraform(&description), Err(error));
}

#[test]
fn a_name_is_written_as_iam_compares_it() {
    let mut description = minimal();
    description.record = "*.API.example.com.".into();
    let template = cloudformation(&description).unwrap();
    assert!(template.contains(r#"- "\\052.api.example.com""#), "{template}");
}
