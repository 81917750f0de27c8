//! The policy of the templates is held to whole rollouts: every call that they make is allowed, and nothing is that none of them makes.

use std::collections::BTreeSet;

use mpac_deploy_aws::infra::calls::Adapter;
use mpac_deploy_testkit::aws_sim::Operation;

use crate::rig::Platform;
use crate::rollout::to_the_end;

/// What a rollout on this stack is allowed: it has no listener rules, no archive in S3, and no autoscaling to suspend.
const ADAPTERS: [Adapter; 4] = [Adapter::Route53, Adapter::Fleet, Adapter::Metrics, Adapter::Journal];

/// What no rollout here needs: AWS checks the first beside other calls, the second clears parts of records too large for one item, and the
/// listeners of this platform have no rules of their own.
const NOT_HERE: [&str; 3] = ["iam:PassRole", "dynamodb:DeleteItem", "elasticloadbalancing:DescribeRules"];

fn actions(adapter: Adapter) -> BTreeSet<String> {
    adapter.calls().iter().map(|call| call.action.to_owned()).collect()
}

fn seen(platform: &Platform) -> BTreeSet<String> {
    platform.aws.calls().iter().filter_map(|call| call.operation).map(Operation::action).collect()
}

#[test]
fn whole_rollouts_make_the_calls_that_the_policy_allows_and_no_other() {
    let mut made = BTreeSet::new();
    for scenario in ["healthy", "error-spike-over", "bad-image"] {
        let platform = crate::rig::virtually().block_on(async { to_the_end(scenario).await.1 });
        made.extend(seen(&platform));
    }
    let allowed: BTreeSet<String> = ADAPTERS.into_iter().flat_map(actions).collect();
    let refused: Vec<&String> = made.difference(&allowed).collect();
    assert!(refused.is_empty(), "made and not allowed: {refused:?}");
    let idle: Vec<&str> =
        allowed.difference(&made).map(String::as_str).filter(|action| !NOT_HERE.contains(action)).collect();
    assert!(idle.is_empty(), "allowed and never made: {idle:?}");
}
