//! Target groups and the health of their targets.

use std::collections::BTreeMap;
use std::time::Duration;

use mpac_deploy_core::port::Clock;
use serde::Serialize;

use super::{document, load_balancer_arn, target_group_arn};
use crate::aws_sim::ecs::{TargetState, targets_of};
use crate::aws_sim::query::{Form, Members};
use crate::aws_sim::wire::{Call, Refusal};
use crate::aws_sim::{AwsSim, Shared};

/// How many groups a page holds at most.
const PAGE: usize = 400;

/// A target group. Its targets are the tasks of the services that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TargetGroup {
    /// Its name.
    pub name: String,
    /// Where targets listen.
    pub port: u16,
    /// What health checks ask for.
    pub health_check_path: String,
    /// The ARNs of the load balancers that forward to it.
    pub load_balancers: Vec<String>,
    /// How long a target drains.
    pub deregistration_delay: Duration,
    /// How many of its healthy targets are unhealthy all the same.
    pub broken: usize,
}

impl TargetGroup {
    /// A group of this name behind the load balancer of that name. Its targets drain for 1 s.
    #[must_use]
    pub fn behind(name: &str, balancer: &str) -> Self {
        Self {
            name: name.into(),
            port: 8080,
            health_check_path: "/health".into(),
            load_balancers: vec![load_balancer_arn(balancer)],
            deregistration_delay: Duration::from_secs(1),
            broken: 0,
        }
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        target_group_arn(&self.name)
    }
}

/// The target groups of the account, by their ARN.
#[derive(Debug, Default)]
pub(in crate::aws_sim) struct Targets(BTreeMap<String, TargetGroup>);

impl Targets {
    pub(in crate::aws_sim) fn get(&self, arn: &str) -> Option<&TargetGroup> {
        self.0.get(arn)
    }

    /// The names of all, in the order of their ARNs.
    pub(in crate::aws_sim) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|group| group.name.as_str())
    }
}

impl AwsSim {
    /// Makes a target group, or changes it.
    pub fn put_target_group(&self, group: TargetGroup) {
        let mut account = self.shared.account.get();
        account.elbv2.rules.know_group(&group.arn());
        account.elbv2.targets.0.insert(group.arn(), group);
    }

    /// The target group of this name.
    #[must_use]
    pub fn target_group(&self, name: &str) -> Option<TargetGroup> {
        self.shared.account.get().elbv2.targets.get(&target_group_arn(name)).cloned()
    }

    /// Makes this many healthy targets of a group unhealthy; 0 heals it.
    pub fn break_targets(&self, group: &str, targets: usize) {
        if let Some(group) = self.shared.account.get().elbv2.targets.0.get_mut(&target_group_arn(group)) {
            group.broken = targets;
        }
    }
}

fn not_found() -> Refusal {
    Refusal::new(400, "TargetGroupNotFound", "One or more target groups not found")
}

fn group_arn(form: &Form) -> Result<String, Refusal> {
    let arn = form.text("TargetGroupArn");
    arn.map(str::to_owned)
        .ok_or_else(|| Refusal::new(400, "ValidationError", "A target group ARN must be specified"))
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct HealthAnswer {
    target_health_descriptions: Members<Description>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Description {
    target: Target,
    health_check_port: u16,
    target_health: Health,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    id: String,
    port: u16,
    availability_zone: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl Health {
    fn of(state: TargetState, is_used: bool) -> Self {
        let (state, reason, description): (_, _, String) = match state {
            TargetState::Draining => {
                ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress".into())
            }
            TargetState::Initial | TargetState::Healthy | TargetState::Unhealthy { .. } if !is_used => (
                "unused",
                "Target.NotInUse",
                "Target group is not configured to receive traffic from the load balancer".into(),
            ),
            TargetState::Healthy => return Self { state: "healthy", reason: None, description: None },
            TargetState::Initial => {
                ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress".into())
            }
            TargetState::Unhealthy { reason, description } => ("unhealthy", reason, description),
        };
        Self { state, reason: Some(reason), description: Some(description) }
    }
}

pub(in crate::aws_sim) fn describe_target_health(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let arn = group_arn(&Form::of(call))?;
    let mut guard = shared.account.get();
    let group = guard.elbv2.targets.get(&arn).cloned().ok_or_else(not_found)?;
    let targets = targets_of(shared, &mut guard, &arn, shared.clock.now());
    let mut broken = group.broken;
    let described = targets.into_iter().map(|(id, port, mut state)| {
        if state == TargetState::Healthy && broken > 0 {
            broken -= 1;
            state =
                TargetState::Unhealthy { reason: "Target.Timeout", description: "Request timed out".into() };
        }
        Description {
            target: Target { id, port, availability_zone: "us-east-1a" },
            health_check_port: port,
            target_health: Health::of(state, !group.load_balancers.is_empty()),
        }
    });
    let described: Vec<Description> = described.collect();
    document("DescribeTargetHealth", &HealthAnswer { target_health_descriptions: described.into() })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct GroupsAnswer {
    target_groups: Members<Group>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_marker: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Group {
    target_group_arn: String,
    target_group_name: String,
    protocol: &'static str,
    protocol_version: &'static str,
    port: u16,
    vpc_id: &'static str,
    health_check_protocol: &'static str,
    health_check_port: &'static str,
    health_check_enabled: bool,
    health_check_interval_seconds: u32,
    health_check_timeout_seconds: u32,
    healthy_threshold_count: u32,
    unhealthy_threshold_count: u32,
    health_check_path: String,
    matcher: Matcher,
    load_balancer_arns: Members<String>,
    target_type: &'static str,
    ip_address_type: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Matcher {
    http_code: &'static str,
}

impl Group {
    fn of(group: &TargetGroup) -> Self {
        Self {
            target_group_arn: group.arn(),
            target_group_name: group.name.clone(),
            protocol: "HTTP",
            protocol_version: "HTTP1",
            port: group.port,
            vpc_id: "vpc-0",
            health_check_protocol: "HTTP",
            health_check_port: "traffic-port",
            health_check_enabled: true,
            health_check_interval_seconds: 30,
            health_check_timeout_seconds: 5,
            healthy_threshold_count: 5,
            unhealthy_threshold_count: 2,
            health_check_path: group.health_check_path.clone(),
            matcher: Matcher { http_code: "200" },
            load_balancer_arns: group.load_balancers.clone().into(),
            target_type: "ip",
            ip_address_type: "ipv4",
        }
    }
}

pub(in crate::aws_sim) fn describe_target_groups(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let form = Form::of(call);
    let account = shared.account.get();
    let all = &account.elbv2.targets;
    let (arns, names, balancer) =
        (form.texts("TargetGroupArns"), form.texts("Names"), form.text("LoadBalancerArn"));
    let named = arns.into_iter().chain(names.iter().map(|name| target_group_arn(name)));
    let named: Vec<String> = named.collect();
    let found: Vec<&TargetGroup> = match balancer {
        Some(balancer) => {
            all.0.values().filter(|group| group.load_balancers.iter().any(|arn| arn == balancer)).collect()
        }
        None if named.is_empty() => all.0.values().collect(),
        None => named.iter().map(|arn| all.get(arn).ok_or_else(not_found)).collect::<Result<_, _>>()?,
    };
    let size = form.parsed::<usize>("PageSize")?.unwrap_or(PAGE).clamp(1, PAGE);
    let from = form.parsed::<usize>("Marker")?.unwrap_or(0);
    let next_marker = (from + size < found.len()).then_some(from + size);
    let page: Vec<Group> = found.into_iter().skip(from).take(size).map(Group::of).collect();
    document("DescribeTargetGroups", &GroupsAnswer { target_groups: page.into(), next_marker })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttributesAnswer {
    attributes: Members<Attribute>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    key: &'static str,
    value: String,
}

pub(in crate::aws_sim) fn describe_target_group_attributes(
    shared: &Shared,
    call: &Call,
) -> Result<Vec<u8>, Refusal> {
    let arn = group_arn(&Form::of(call))?;
    let account = shared.account.get();
    let group = account.elbv2.targets.get(&arn).ok_or_else(not_found)?;
    let attributes = vec![
        Attribute {
            key: "deregistration_delay.timeout_seconds",
            value: group.deregistration_delay.as_secs().to_string(),
        },
        Attribute { key: "stickiness.enabled", value: "false".into() },
        Attribute { key: "stickiness.type", value: "lb_cookie".into() },
        Attribute { key: "slow_start.duration_seconds", value: "0".into() },
        Attribute { key: "load_balancing.algorithm.type", value: "round_robin".into() },
    ];
    document("DescribeTargetGroupAttributes", &AttributesAnswer { attributes: attributes.into() })
}
