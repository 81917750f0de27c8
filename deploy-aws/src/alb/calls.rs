//! The two calls, each one attempt.

use aws_config::SdkConfig;
use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::config::Builder;
use aws_sdk_elasticloadbalancingv2::config::retry::RetryConfig;
use aws_sdk_elasticloadbalancingv2::types::{Action, Rule};

use super::{AlbError, RuleError};
use crate::quota::Pace;
use crate::{CallError, Quota};

const DESCRIBE: &str = "DescribeRules";
const MODIFY: &str = "ModifyRule";

/// The rule.
#[derive(Debug)]
pub(super) struct Calls {
    client: Client,
    pub(super) quota: Quota,
    rule: String,
}

impl Calls {
    pub(super) fn new(sdk: &SdkConfig, quota: Quota, rule: &str) -> Self {
        let config = Builder::from(sdk).retry_config(RetryConfig::disabled()).build();
        Self { client: Client::from_conf(config), quota, rule: rule.into() }
    }

    pub(super) async fn rule(&self, pace: Pace) -> Result<Rule, AlbError> {
        self.quota.turn(pace).await;
        let answer = self.client.describe_rules().rule_arns(&self.rule).send().await;
        let answer = answer.map_err(|error| self.meaning(CallError::of(DESCRIBE, error)))?;
        answer.rules.and_then(|rules| rules.into_iter().next()).ok_or_else(|| self.missing())
    }

    /// Replaces the rule's actions; conditions and priority stay, since they are not named. Its turn has been taken.
    pub(super) async fn modify(&self, actions: Vec<Action>) -> Result<(), AlbError> {
        let call = self.client.modify_rule().rule_arn(&self.rule).set_actions(Some(actions));
        call.send().await.map_err(|error| self.meaning(CallError::of(MODIFY, error)))?;
        Ok(())
    }

    fn meaning(&self, error: CallError) -> AlbError {
        match &error {
            CallError::Refused { code, .. } if code == "RuleNotFound" => self.missing(),
            CallError::Throttled { .. }
            | CallError::NoAnswer { .. }
            | CallError::Expired { .. }
            | CallError::AccessDenied { .. }
            | CallError::Refused { .. } => error.into(),
        }
    }

    fn missing(&self) -> AlbError {
        RuleError::Missing { rule: self.rule.clone() }.into()
    }
}
