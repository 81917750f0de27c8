//! IAM and STS, as their query APIs answer: who calls, and whether its policy allows a call.
//!
//! The caller is a session of one role, [`ROLE_ARN`]. Without a policy everything is allowed. With one, `SimulatePrincipalPolicy` goes by its
//! actions, resources and conditions; of the calls themselves those are refused whose action it can never allow, since a
//! call's resources are not read here.

mod policy;

use mpac_deploy_core::port::Clock as _;
use serde::Serialize;

use super::operation::{Operation, Service};
use super::query::{self, Form, Members};
use super::wire::{Call, Refusal};
use super::{AwsSim, Shared};
use policy::{Context, Decision, Policy};

/// The role of whoever calls. It has a path, which the ARN of its sessions does not show.
pub const ROLE_ARN: &str = "arn:aws:iam::123456789012:role/deploy/mpac-deploy";

const ACCOUNT: &str = "123456789012";
const ROLE: &str = "mpac-deploy";
const SESSION_ARN: &str = "arn:aws:sts::123456789012:assumed-role/mpac-deploy/simulated";
const ROLE_ID: &str = "AROASIMULATEDROLE0001";

const IAM: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
const STS: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// How many decisions a page holds if the call does not say it.
const PAGE: usize = 100;

/// What the caller may do; everything if there is no policy.
#[derive(Debug, Default)]
pub(super) struct Iam {
    policy: Option<Policy>,
}

impl AwsSim {
    /// From here on the caller may do what this policy of IAM allows, a document in JSON.
    ///
    /// # Errors
    /// What in the document is not understood: elements and operators of conditions that are not known here are refused.
    pub fn put_policy(&self, json: &str) -> Result<(), String> {
        self.shared.account.get().iam.policy = Some(Policy::parse(json)?);
        Ok(())
    }
}

/// Refuses a call that the caller's policy never allows.
pub(super) fn allow(shared: &Shared, operation: Operation) -> Result<(), Refusal> {
    // AWS lets everybody ask who they are.
    if operation == Operation::GetCallerIdentity {
        return Ok(());
    }
    let account = shared.account.get();
    let action = operation.action();
    if account.iam.policy.as_ref().is_none_or(|policy| policy.may_allow(&action)) {
        return Ok(());
    }
    let code = match operation.service() {
        Service::Route53
        | Service::ElasticLoadBalancing
        | Service::Sts
        | Service::Iam
        | Service::S3
        | Service::Sns => "AccessDenied",
        Service::Ecs | Service::ApplicationAutoScaling | Service::CloudWatch | Service::DynamoDb => {
            "AccessDeniedException"
        }
    };
    Err(Refusal::new(
        if code == "AccessDenied" { 403 } else { 400 },
        code,
        format!(
            "User: {SESSION_ARN} is not authorized to perform: {action} because no identity-based policy allows the {action} action"
        ),
    ))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Identity {
    arn: &'static str,
    user_id: String,
    account: &'static str,
}

pub(super) fn get_caller_identity() -> Result<Vec<u8>, Refusal> {
    let identity = Identity { arn: SESSION_ARN, user_id: format!("{ROLE_ID}:simulated"), account: ACCOUNT };
    query::document(STS, "GetCallerIdentity", &identity)
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RoleAnswer {
    role: Role,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Role {
    path: &'static str,
    role_name: &'static str,
    role_id: &'static str,
    arn: &'static str,
    create_date: String,
}

pub(super) fn get_role(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let name = call.form("RoleName").unwrap_or_default();
    if name != ROLE {
        let message = format!("The role with name {name} cannot be found.");
        return Err(Refusal::new(404, "NoSuchEntity", message));
    }
    let create_date = shared.clock.now().to_string();
    let role = Role { path: "/deploy/", role_name: ROLE, role_id: ROLE_ID, arn: ROLE_ARN, create_date };
    query::document(IAM, "GetRole", &RoleAnswer { role })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Simulation {
    evaluation_results: Members<Evaluation>,
    is_truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Evaluation {
    eval_action_name: String,
    eval_resource_name: String,
    eval_decision: &'static str,
    missing_context_values: Members<String>,
    resource_specific_results: Members<OnResource>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct OnResource {
    eval_resource_name: String,
    eval_resource_decision: &'static str,
    missing_context_values: Members<String>,
}

pub(super) fn simulate_principal_policy(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let form = Form::of(call);
    let principal = form.text("PolicySourceArn").unwrap_or_default();
    if principal != ROLE_ARN {
        return Err(Refusal::new(404, "NoSuchEntity", format!("{principal} does not exist.")));
    }
    let actions = form.texts("ActionNames");
    if let Some(unfit) = actions.iter().find(|action| !action.contains(':')) {
        return Err(Refusal::new(400, "InvalidInput", format!("Invalid Entity Action: {unfit}")));
    }
    let mut resources = form.texts("ResourceArns");
    if resources.is_empty() {
        resources.push("*".into());
    }
    let context = context(&form)?;
    let (size, from) =
        (form.parsed::<usize>("MaxItems")?.unwrap_or(PAGE), form.parsed::<usize>("Marker")?.unwrap_or(0));
    let account = shared.account.get();
    let policy = account.iam.policy.as_ref();
    let all = actions.into_iter().map(|action| evaluated(policy, action, &resources, &context));
    let mut rest = all.skip(from);
    let page: Vec<Evaluation> = rest.by_ref().take(size).collect();
    let marker = rest.next().map(|_| from + size);
    let answer = Simulation { evaluation_results: page.into(), is_truncated: marker.is_some(), marker };
    query::document(IAM, "SimulatePrincipalPolicy", &answer)
}

/// With one resource the decision is the action's; with several each has its own, and the action is allowed on all of them or not.
fn evaluated(policy: Option<&Policy>, action: String, resources: &[String], context: &Context) -> Evaluation {
    let on = |resource: &String| {
        let decision = policy.map_or(Decision::Allowed, |policy| policy.decide(&action, resource, context));
        let (eval_resource_decision, missing) = match decision {
            Decision::Allowed => ("allowed", Vec::new()),
            Decision::Denied => ("explicitDeny", Vec::new()),
            Decision::NotAllowed { missing } => ("implicitDeny", missing.into_iter().collect()),
        };
        let missing_context_values = missing.into();
        OnResource { eval_resource_name: resource.clone(), eval_resource_decision, missing_context_values }
    };
    let mut each: Vec<OnResource> = resources.iter().map(on).collect();
    let first = match each.as_slice() {
        [_] => each.pop(),
        _ => None,
    };
    let (eval_resource_name, eval_decision, missing_context_values) = match first {
        Some(one) => (one.eval_resource_name, one.eval_resource_decision, one.missing_context_values),
        None => {
            let refused = each.iter().map(|one| one.eval_resource_decision).find(|said| *said != "allowed");
            ("*".to_owned(), refused.unwrap_or("allowed"), Vec::new().into())
        }
    };
    Evaluation {
        eval_action_name: action,
        eval_resource_name,
        eval_decision,
        missing_context_values,
        resource_specific_results: each.into(),
    }
}

fn context(form: &Form) -> Result<Context, Refusal> {
    let entry = |entry: &Form| {
        let key = entry.text("ContextKeyName").unwrap_or_default().to_owned();
        let (values, kind) = (entry.texts("ContextKeyValues"), entry.text("ContextKeyType"));
        match kind {
            Some("stringList") => Ok((key, values)),
            Some("string") if values.len() == 1 => Ok((key, values)),
            _ => Err(Refusal::new(
                400,
                "InvalidInput",
                format!("Invalid context entry {key}: a string has one value, a stringList several"),
            )),
        }
    };
    form.list("ContextEntries").iter().map(entry).collect()
}
