//! Whether the credentials allow what a controller calls, asked of IAM, which makes none of these calls.
//!
//! `SimulatePrincipalPolicy` knows the policies of a user or a role, their permission boundary and the organization's policies. It does not
//! know session policies and the policies of resources, so what it allows may still be refused, and a denial is certain only where
//! nothing else grants the call.
//!
//! The questions are the statements of the policy that [`infra`](crate::infra) prints, with the same resources and conditions.

use aws_config::SdkConfig;
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, EvaluationResult, PolicyEvaluationDecisionType};
use aws_smithy_runtime_api::client::result::SdkError;

use crate::infra::Description;
use crate::infra::calls::Adapter;
use crate::infra::policy::{Condition, Piece, Statement, Text, collected};
use crate::{CallError, client};

/// What IAM says of each call of a controller.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permissions {
    /// The ARN of the user or the role that was asked about.
    pub principal: String,
    /// One for each call on each resource, in the order of the adapters.
    pub verdicts: Vec<Verdict>,
}

/// What IAM says of a call on a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verdict {
    /// Such as `ecs:UpdateService`.
    pub action: String,
    /// The ARN, or `*` where IAM cannot limit the call.
    pub resource: String,
    /// Whether it is allowed.
    pub decision: Decision,
}

/// Whether a call is allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// By a policy, and denied by none.
    Allowed,
    /// No policy allows it.
    NotAllowed,
    /// A policy denies it, whatever others allow.
    Denied,
    /// A policy asks for these context keys, which only a real call has.
    Unknown(Vec<String>),
}

/// Why IAM could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PermissionsError {
    /// A call failed; the two that are made are `sts:GetCallerIdentity` and `iam:SimulatePrincipalPolicy`, beside `iam:GetRole` for a role.
    #[error(transparent)]
    Call(#[from] CallError),
    /// No user and no role.
    #[error("IAM answers for users and roles only, and the caller is `{0}`: use a role")]
    Principal(String),
    /// The description names no hosted zone, and calls on it are asked about.
    #[error("no hosted zone is named, and the calls on its records are asked about: give its id")]
    NoZone,
}

/// Asks IAM about every call that these adapters of the described controllers make. Nothing else is called.
///
/// # Errors
/// [`PermissionsError`]. The caller itself needs `iam:SimulatePrincipalPolicy` on itself; without it the error is
/// [`CallError::AccessDenied`].
pub async fn permissions(
    sdk: &SdkConfig,
    description: &Description,
    adapters: &[Adapter],
) -> Result<Permissions, PermissionsError> {
    let zone = match description.hosted_zone_id.as_deref() {
        None if adapters.contains(&Adapter::Route53) => return Err(PermissionsError::NoZone),
        zone => zone.unwrap_or_default(),
    };
    let region = sdk.region().map_or(client::DEFAULT_REGION, |region| region.as_ref()).to_owned();
    let iam = aws_sdk_iam::Client::new(sdk);
    let caller = caller(sdk).await?;
    let principal = principal(&iam, &caller).await?;
    let places = Places { principal: &principal, region: &region, zone };
    let mut verdicts = Vec::new();
    for statement in collected(description, adapters) {
        verdicts.extend(simulate(&iam, &places, &statement).await?);
    }
    Ok(Permissions { principal, verdicts })
}

async fn caller(sdk: &SdkConfig) -> Result<String, PermissionsError> {
    let answer = aws_sdk_sts::Client::new(sdk).get_caller_identity().send().await;
    let answer = answer.map_err(|error| CallError::of("sts:GetCallerIdentity", error))?;
    Ok(answer.arn.unwrap_or_default())
}

/// The user or the role whose policies count for a caller.
async fn principal(iam: &aws_sdk_iam::Client, caller: &str) -> Result<String, PermissionsError> {
    match Caller::of(caller) {
        Some(Caller::User) => Ok(caller.to_owned()),
        Some(Caller::Session { partition, account, role }) => {
            // A session does not say on which path its role is. Whoever may not ask has one without a path, most likely.
            let answer = iam.get_role().role_name(role).send().await;
            let asked = answer.ok().and_then(|answer| answer.role).map(|role| role.arn);
            Ok(asked.unwrap_or_else(|| format!("arn:{partition}:iam::{account}:role/{role}")))
        }
        None => Err(PermissionsError::Principal(caller.to_owned())),
    }
}

/// Who calls, by the ARN of the identity.
#[derive(Debug, PartialEq, Eq)]
enum Caller<'a> {
    User,
    Session { partition: &'a str, account: &'a str, role: &'a str },
}

impl<'a> Caller<'a> {
    /// `arn:aws:iam::123456789012:user/anna`, `arn:aws:sts::123456789012:assumed-role/deployer/session`.
    fn of(arn: &'a str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let &["arn", partition, service, _, account, name] = parts.as_slice() else { return None };
        let (kind, name) = name.split_once('/')?;
        match (service, kind) {
            ("iam", "user") => Some(Self::User),
            ("sts", "assumed-role") => {
                Some(Self::Session { partition, account, role: name.split_once('/')?.0 })
            }
            _ => None,
        }
    }
}

/// What stands for the places of a policy's texts.
struct Places<'a> {
    principal: &'a str,
    region: &'a str,
    zone: &'a str,
}

impl Places<'_> {
    fn fill(&self, text: &Text) -> String {
        let mut of_principal = self.principal.split(':').skip(1);
        let partition = of_principal.next().unwrap_or("aws");
        let account = of_principal.nth(2).unwrap_or_default();
        let piece = |piece: &Piece| match piece {
            Piece::Literal(literal) => literal.clone(),
            Piece::Partition => partition.to_owned(),
            Piece::Region => self.region.to_owned(),
            Piece::Account => account.to_owned(),
            Piece::HostedZone => self.zone.to_owned(),
        };
        text.iter().map(piece).collect()
    }

    /// What a real call would say of itself, by the conditions that the policy has for it.
    fn context(&self, condition: &Condition) -> Vec<ContextEntry> {
        // Only an operator over sets looks at a key with several values.
        let kind = if condition.operator.starts_with("ForA") {
            ContextKeyTypeEnum::StringList
        } else {
            ContextKeyTypeEnum::String
        };
        let entry = |(key, values): &(&str, Vec<Text>)| {
            let values: Vec<String> = values.iter().map(|value| self.fill(value)).collect();
            let entry = ContextEntry::builder().context_key_name(*key).context_key_type(kind.clone());
            entry.set_context_key_values(Some(values)).build()
        };
        condition.keys.iter().map(entry).collect()
    }
}

/// What IAM says of a statement's actions on its resources.
async fn simulate(
    iam: &aws_sdk_iam::Client,
    places: &Places<'_>,
    statement: &Statement,
) -> Result<Vec<Verdict>, CallError> {
    let actions: Vec<String> = statement.actions.iter().map(|&action| action.to_owned()).collect();
    let resources: Vec<String> = statement.resources.iter().map(|resource| places.fill(resource)).collect();
    let context = statement.condition.iter().flat_map(|condition| places.context(condition)).collect();
    let call = iam
        .simulate_principal_policy()
        .policy_source_arn(places.principal)
        .set_action_names(Some(actions))
        .set_resource_arns(Some(resources))
        .set_context_entries(Some(context));
    let (mut verdicts, mut marker) = (Vec::new(), None);
    loop {
        let answer = call.clone().set_marker(marker).send().await.map_err(of_simulation)?;
        verdicts.extend(answer.evaluation_results.iter().flatten().flat_map(of_action));
        marker = answer.marker.filter(|_| answer.is_truncated);
        if marker.is_none() {
            return Ok(verdicts);
        }
    }
}

fn of_simulation(
    error: SdkError<
        aws_sdk_iam::operation::simulate_principal_policy::SimulatePrincipalPolicyError,
        aws_smithy_runtime_api::client::orchestrator::HttpResponse,
    >,
) -> CallError {
    CallError::of("iam:SimulatePrincipalPolicy", error)
}

/// With several resources the decision on each is below the action's own, which is about all of them together.
fn of_action(result: &EvaluationResult) -> Vec<Verdict> {
    let verdict = |resource: &str, decision: &PolicyEvaluationDecisionType, missing: &[String]| Verdict {
        action: result.eval_action_name.clone(),
        resource: resource.to_owned(),
        decision: decided(decision, missing),
    };
    let each = result.resource_specific_results();
    if each.is_empty() {
        let resource = result.eval_resource_name().unwrap_or("*");
        return vec![verdict(resource, &result.eval_decision, result.missing_context_values())];
    }
    let of_one = |one: &aws_sdk_iam::types::ResourceSpecificResult| {
        verdict(&one.eval_resource_name, &one.eval_resource_decision, one.missing_context_values())
    };
    each.iter().map(of_one).collect()
}

fn decided(decision: &PolicyEvaluationDecisionType, missing: &[String]) -> Decision {
    match decision {
        PolicyEvaluationDecisionType::Allowed => Decision::Allowed,
        PolicyEvaluationDecisionType::ExplicitDeny => Decision::Denied,
        PolicyEvaluationDecisionType::ImplicitDeny | _ if missing.is_empty() => Decision::NotAllowed,
        PolicyEvaluationDecisionType::ImplicitDeny | _ => Decision::Unknown(missing.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_policies_are_those_of_a_user_or_of_a_sessions_role() {
        assert_eq!(Caller::of("arn:aws:iam::123456789012:user/ops/anna"), Some(Caller::User));
        let session = Caller::Session { partition: "aws-us-gov", account: "123456789012", role: "deployer" };
        let arn = "arn:aws-us-gov:sts::123456789012:assumed-role/deployer/i-0abc";
        assert_eq!(Caller::of(arn), Some(session));
        for other in [
            "arn:aws:iam::123456789012:root",
            "arn:aws:sts::123456789012:federated-user/anna",
            "arn:aws:sts::123456789012:assumed-role/deployer",
            "anna",
            "",
        ] {
            assert_eq!(Caller::of(other), None, "{other}");
        }
    }

    #[test]
    fn a_decision_that_hangs_on_a_real_call_is_unknown_and_a_denial_is_none_of_that() {
        let missing = ["aws:SourceVpc".to_owned()];
        assert_eq!(
            decided(&PolicyEvaluationDecisionType::ImplicitDeny, &missing),
            Decision::Unknown(missing.to_vec())
        );
        assert_eq!(decided(&PolicyEvaluationDecisionType::ImplicitDeny, &[]), Decision::NotAllowed);
        assert_eq!(decided(&PolicyEvaluationDecisionType::ExplicitDeny, &missing), Decision::Denied);
        assert_eq!(decided(&PolicyEvaluationDecisionType::Allowed, &missing), Decision::Allowed);
    }
}
