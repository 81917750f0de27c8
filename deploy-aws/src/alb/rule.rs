//! The rule with its two target groups, as it is, and every way in which it can be something else.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::{
    Action, ActionTypeEnum, ForwardActionConfig, Rule, TargetGroupTuple,
};
use mpac_deploy_core::effect::ObservedWeights;
use mpac_deploy_core::units::Weights;

use super::{AlbConfig, RuleError};

/// The actions of the rule, whole.
#[derive(Clone, Debug)]
pub(super) struct Split {
    pub(super) actions: Vec<Action>,
    pub(super) weights: ObservedWeights,
    /// For how long a client stays with a group.
    pub(super) sticky: Option<Duration>,
}

impl Split {
    /// Finds blue and green in the rule.
    pub(super) fn of(config: &AlbConfig, rule: &Rule) -> Result<Self, RuleError> {
        let (name, blue, green) = (&config.rule_arn, &config.blue_group, &config.green_group);
        if blue == green {
            return Err(RuleError::OneGroup { group: blue.clone() });
        }
        if rule.is_default == Some(true) {
            return Err(RuleError::Default { rule: name.clone() });
        }
        let actions = rule.actions();
        let forward = actions.iter().find(|action| action.r#type == Some(ActionTypeEnum::Forward));
        let Some(forward) = forward else {
            let kinds =
                actions.iter().filter_map(|action| action.r#type.as_ref()).map(ActionTypeEnum::as_str);
            let actions = kinds.collect::<Vec<_>>().join(", ");
            return Err(RuleError::NoForward { rule: name.clone(), actions });
        };
        let config_of = forward.forward_config.as_ref();
        let groups = config_of.map(ForwardActionConfig::target_groups).unwrap_or_default();
        let (blue, green) = (group(name, blue, groups, forward)?, group(name, green, groups, forward)?);
        if let Some(third) =
            groups.iter().find(|other| !std::ptr::eq(*other, blue) && !std::ptr::eq(*other, green))
        {
            return Err(RuleError::Third { rule: name.clone(), third: label(third) });
        }
        let weights = ObservedWeights { blue: weight(name, blue)?, green: weight(name, green)? };
        let sticky = config_of.and_then(|config| config.target_group_stickiness_config.as_ref());
        let sticky = sticky.filter(|sticky| sticky.enabled == Some(true)).map(|sticky| {
            let seconds = sticky.duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
            // AWS asks for a duration; one that is not told may be the longest.
            seconds.map_or(LONGEST_STICKINESS, Duration::from_secs)
        });
        Ok(Self { actions: actions.to_vec(), weights, sticky })
    }

    /// The same actions with other weights; everything else stays as it was read.
    pub(super) fn with(&self, config: &AlbConfig, weights: Weights) -> Self {
        let mut split = self.clone();
        split.weights = weights.into();
        for action in &mut split.actions {
            if let Some(oidc) = &mut action.authenticate_oidc_config {
                // It is never shown, so it could not be written back.
                oidc.use_existing_client_secret = Some(true);
            }
            let groups = action.forward_config.as_mut().and_then(|config| config.target_groups.as_mut());
            for group in groups.into_iter().flatten() {
                if group.target_group_arn.as_deref() == Some(&config.blue_group) {
                    group.weight = Some(weights.blue().into());
                } else if group.target_group_arn.as_deref() == Some(&config.green_group) {
                    group.weight = Some(weights.green().into());
                }
            }
        }
        split
    }
}

/// The longest that AWS takes, 7 days.
const LONGEST_STICKINESS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

fn group<'a>(
    rule: &str,
    arn: &str,
    groups: &'a [TargetGroupTuple],
    forward: &Action,
) -> Result<&'a TargetGroupTuple, RuleError> {
    groups.iter().find(|group| group.target_group_arn.as_deref() == Some(arn)).ok_or_else(|| {
        let mut found: Vec<String> = groups.iter().map(label).collect();
        if found.is_empty() {
            found.extend(forward.target_group_arn.clone());
        }
        RuleError::MissingGroup { rule: rule.into(), group: arn.into(), found: found.join(", ") }
    })
}

fn label(group: &TargetGroupTuple) -> String {
    group.target_group_arn.clone().unwrap_or_else(|| "a group without an ARN".into())
}

fn weight(rule: &str, group: &TargetGroupTuple) -> Result<u8, RuleError> {
    let (rule, name) = (rule.to_owned(), label(group));
    let Some(weight) = group.weight else { return Err(RuleError::NoWeight { rule, group: name }) };
    u8::try_from(weight).map_err(|_| RuleError::Weight { rule, group: name, weight })
}
