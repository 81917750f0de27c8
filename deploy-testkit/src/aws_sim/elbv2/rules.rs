//! Listeners' rules: `DescribeRules` and `ModifyRule`.

use std::collections::{BTreeMap, BTreeSet};

use mpac_deploy_core::port::Clock;
use mpac_deploy_core::time::Timestamp;
use serde::Serialize;

use super::{document, rule_arn};
use crate::aws_sim::Shared;
use crate::aws_sim::query::Form;
use crate::aws_sim::wire::{Call, Refusal};

/// How many rules a page holds at most.
const PAGE: usize = 400;

/// The largest weight of a target group.
const MAX_WEIGHT: u32 = 999;

/// The longest stickiness, 7 days.
const MAX_STICKY_SECONDS: u32 = 604_800;

/// How many target groups one action forwards to at most.
const MAX_GROUPS: usize = 5;

/// A rule of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerRule {
    /// The ARN of the listener.
    pub listener: String,
    /// Its number, or `default`.
    pub priority: String,
    /// The requests that it is for, as field and values; any of the values.
    pub conditions: Vec<(String, Vec<String>)>,
    /// What it does with them, in order.
    pub actions: Vec<Action>,
}

/// An action of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// Such as `forward`.
    pub kind: String,
    /// Its place among the rule's actions.
    pub order: Option<u32>,
    /// Where it forwards to, if it is a `forward`.
    pub forward: Option<Forward>,
    /// The settings of any other action.
    pub settings: BTreeMap<String, String>,
}

/// The target groups of an action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forward {
    /// The groups.
    pub groups: Vec<WeightedGroup>,
    /// Whether clients stay with the group that they came to first.
    pub stickiness: GroupStickiness,
}

/// A target group and its share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "each field is the element of its name")]
pub struct WeightedGroup {
    pub target_group_arn: String,
    pub weight: u32,
}

/// Whether clients stay with the group that they came to first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(missing_docs, reason = "each field is the element of its name")]
pub struct GroupStickiness {
    pub enabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u32>,
}

/// A change of a rule that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedRule {
    /// When.
    pub at: Timestamp,
    /// The ARN of the rule.
    pub arn: String,
    /// The rule's actions from then on.
    pub actions: Vec<Action>,
}

impl ListenerRule {
    /// A rule for every path that forwards to two target groups, by their ARNs.
    #[must_use]
    pub fn weighted(listener: &str, priority: u32, groups: [(String, u32); 2]) -> Self {
        let groups = groups.map(|(target_group_arn, weight)| WeightedGroup { target_group_arn, weight });
        Self {
            listener: listener.into(),
            priority: priority.to_string(),
            conditions: vec![("path-pattern".into(), vec!["/*".into()])],
            actions: vec![Action {
                kind: "forward".into(),
                order: Some(1),
                forward: Some(Forward { groups: groups.into(), stickiness: GroupStickiness::default() }),
                settings: BTreeMap::new(),
            }],
        }
    }

    /// Its ARN.
    #[must_use]
    pub fn arn(&self) -> String {
        rule_arn(&self.listener, &self.priority)
    }

    fn is_default(&self) -> bool {
        self.priority == "default"
    }

    /// Where it forwards to.
    #[must_use]
    pub fn forward(&self) -> Option<&Forward> {
        self.actions.iter().find_map(|action| action.forward.as_ref())
    }
}

/// The rules of the account.
#[derive(Debug, Default)]
pub(in crate::aws_sim) struct Rules {
    rules: BTreeMap<String, ListenerRule>,
    /// The target groups that there are.
    groups: BTreeSet<String>,
    changes: Vec<AcceptedRule>,
}

impl Rules {
    pub(in crate::aws_sim) fn put(&mut self, rule: ListenerRule) {
        let groups = rule.actions.iter().filter_map(|action| action.forward.as_ref());
        let groups = groups.flat_map(|forward| &forward.groups);
        self.groups.extend(groups.map(|group| group.target_group_arn.clone()));
        self.rules.insert(rule.arn(), rule);
    }

    /// The ARNs of the listeners that have rules, each once.
    pub(in crate::aws_sim) fn listeners(&self) -> impl Iterator<Item = &str> {
        self.rules.values().map(|rule| rule.listener.as_str()).collect::<BTreeSet<_>>().into_iter()
    }

    pub(in crate::aws_sim) fn know_group(&mut self, arn: &str) {
        self.groups.insert(arn.into());
    }

    pub(in crate::aws_sim) fn remove(&mut self, arn: &str) {
        self.rules.remove(arn);
    }

    pub(in crate::aws_sim) fn get(&self, arn: &str) -> Option<&ListenerRule> {
        self.rules.get(arn)
    }

    pub(in crate::aws_sim) fn changes(&self) -> &[AcceptedRule] {
        &self.changes
    }

    fn known(&self, arn: &str) -> Result<&ListenerRule, Refusal> {
        self.rules.get(arn).ok_or_else(|| refused("RuleNotFound", "One or more rules not found"))
    }
}

fn refused(code: &'static str, message: impl Into<String>) -> Refusal {
    Refusal::new(400, code, message)
}

fn invalid(message: impl Into<String>) -> Refusal {
    refused("ValidationError", message)
}

pub(in crate::aws_sim) fn describe_rules(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let form = Form::of(call);
    let account = shared.account.get();
    let rules = &account.elbv2.rules;
    let (listener, arns) = (form.text("ListenerArn"), form.texts("RuleArns"));
    let mut found: Vec<&ListenerRule> = match (listener, arns.is_empty()) {
        (Some(listener), true) => rules.rules.values().filter(|rule| rule.listener == listener).collect(),
        (None, false) => arns.iter().map(|arn| rules.known(arn)).collect::<Result<_, _>>()?,
        (Some(_), false) | (None, true) => {
            return Err(invalid("You must specify either listener ARN or rule ARNs"));
        }
    };
    if listener.is_some() && found.is_empty() {
        return Err(refused("ListenerNotFound", "One or more listeners not found"));
    }
    // The default rule is the last one.
    found.sort_by_key(|rule| rule.priority.parse::<u32>().unwrap_or(u32::MAX));
    let size = form.parsed::<usize>("PageSize")?.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&size) {
        return Err(invalid(format!("Page size must be between 1 and {PAGE}, inclusive")));
    }
    let from = form.parsed::<usize>("Marker")?.unwrap_or(0);
    let next = (from + size < found.len()).then_some(from + size);
    let page: Vec<wire::Rule> = found.into_iter().skip(from).take(size).map(wire::Rule::of).collect();
    document("DescribeRules", &wire::Page { rules: page.into(), next_marker: next })
}

pub(in crate::aws_sim) fn modify_rule(shared: &Shared, call: &Call) -> Result<Vec<u8>, Refusal> {
    let form = Form::of(call);
    let arn = form.text("RuleArn").ok_or_else(|| invalid("A rule ARN must be specified"))?;
    let mut guard = shared.account.get();
    let rules = &mut guard.elbv2.rules;
    let mut rule = rules.known(arn)?.clone();
    if rule.is_default() {
        return Err(refused("OperationNotPermitted", format!("Default rule '{arn}' cannot be modified")));
    }
    let actions = form.list("Actions");
    if !actions.is_empty() {
        rule.actions = read_actions(&rules.groups, &rule.actions, &actions)?;
    }
    let conditions = form.list("Conditions");
    if !conditions.is_empty() {
        rule.conditions = conditions.iter().map(read_condition).collect::<Result<_, _>>()?;
    }
    let answer =
        document("ModifyRule", &wire::Page { rules: vec![wire::Rule::of(&rule)].into(), next_marker: None });
    let change = AcceptedRule { at: shared.clock.now(), arn: arn.into(), actions: rule.actions.clone() };
    rules.changes.push(change);
    rules.rules.insert(arn.into(), rule.clone());
    if let Some(bound) = &shared.bound {
        bound.rule_changed(arn, &rule);
    }
    answer
}

fn read_condition(form: &Form) -> Result<(String, Vec<String>), Refusal> {
    let field = form.text("Field").ok_or_else(|| invalid("A condition field must be specified"))?;
    let mut values = form.texts("Values");
    if values.is_empty() {
        values = form.texts(&format!("{}.Values", wire::condition_config(field)));
    }
    if values.is_empty() {
        return Err(invalid(format!("A condition value must be specified for '{field}'")));
    }
    Ok((field.into(), values))
}

fn read_actions(
    groups: &BTreeSet<String>,
    before: &[Action],
    forms: &[Form],
) -> Result<Vec<Action>, Refusal> {
    let mut actions: Vec<Action> =
        forms.iter().map(|form| read_action(groups, before, form)).collect::<Result<_, _>>()?;
    if actions.len() > 1 && actions.iter().any(|action| action.order.is_none()) {
        return Err(invalid("Action order must be specified for all actions"));
    }
    actions.sort_by_key(|action| action.order);
    let routes = |action: &Action| matches!(action.kind.as_str(), "forward" | "redirect" | "fixed-response");
    match actions.split_last() {
        Some((last, others)) if routes(last) && !others.iter().any(routes) => Ok(actions),
        Some(_) | None => Err(refused(
            "InvalidLoadBalancerAction",
            "Exactly one forward, redirect or fixed-response action is needed, as the last one",
        )),
    }
}

fn read_action(groups: &BTreeSet<String>, before: &[Action], form: &Form) -> Result<Action, Refusal> {
    let kind = form.text("Type").ok_or_else(|| invalid("An action type must be specified"))?;
    let mut action = Action { kind: kind.into(), order: form.parsed("Order")?, ..Action::default() };
    if kind == "forward" {
        action.forward = Some(read_forward(groups, form)?);
        return Ok(action);
    }
    let name = wire::action_config(kind)
        .ok_or_else(|| invalid(format!("Action type '{kind}' must be one of the known ones")))?;
    let settings = form.below(name);
    action.settings = settings.entries().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let keeps = action.settings.remove("UseExistingClientSecret").as_deref() == Some("true");
    if kind == "authenticate-oidc" && !action.settings.contains_key(wire::SECRET) {
        let secret =
            before.iter().find(|action| action.kind == kind).and_then(|old| old.settings.get(wire::SECRET));
        let secret = secret
            .filter(|_| keeps)
            .ok_or_else(|| invalid("The client secret must be specified, or the existing one be used"))?;
        action.settings.insert(wire::SECRET.into(), secret.clone());
    }
    Ok(action)
}

fn read_forward(groups: &BTreeSet<String>, form: &Form) -> Result<Forward, Refusal> {
    let config = form.below("ForwardConfig");
    let mut forward = Forward::default();
    let tuples = config.list("TargetGroups");
    for tuple in &tuples {
        let arn =
            tuple.text("TargetGroupArn").ok_or_else(|| invalid("A target group ARN must be specified"))?;
        let weight = match tuple.parsed::<u32>("Weight")? {
            Some(weight) if weight <= MAX_WEIGHT => weight,
            Some(weight) => {
                return Err(invalid(format!(
                    "Weight value '{weight}' must be between 0 and {MAX_WEIGHT}, inclusive"
                )));
            }
            None if tuples.len() == 1 => 1,
            None => return Err(invalid("A weight must be specified for each of several target groups")),
        };
        forward.groups.push(WeightedGroup { target_group_arn: arn.into(), weight });
    }
    match (form.text("TargetGroupArn"), forward.groups.as_slice()) {
        (Some(arn), []) => forward.groups.push(WeightedGroup { target_group_arn: arn.into(), weight: 1 }),
        (Some(arn), [one]) if one.target_group_arn == arn => {}
        (Some(_), _) => {
            return Err(invalid("Target group ARN and ForwardConfig must name the same single target group"));
        }
        (None, []) => return Err(invalid("A forward action needs a target group")),
        (None, _) => {}
    }
    if forward.groups.len() > MAX_GROUPS {
        return Err(refused("TooManyTargetGroups", format!("At most {MAX_GROUPS} target groups per action")));
    }
    if forward.groups.iter().any(|group| !groups.contains(&group.target_group_arn)) {
        return Err(refused("TargetGroupNotFound", "One or more target groups not found"));
    }
    forward.stickiness = read_stickiness(&config.below("TargetGroupStickinessConfig"))?;
    Ok(forward)
}

fn read_stickiness(form: &Form) -> Result<GroupStickiness, Refusal> {
    let enabled = form.parsed("Enabled")?.unwrap_or(false);
    let duration_seconds = form.parsed("DurationSeconds")?;
    let fits = |seconds: u32| (1..=MAX_STICKY_SECONDS).contains(&seconds);
    if (enabled && duration_seconds.is_none()) || duration_seconds.is_some_and(|seconds| !fits(seconds)) {
        return Err(invalid(format!(
            "DurationSeconds must be between 1 and {MAX_STICKY_SECONDS}, inclusive"
        )));
    }
    Ok(GroupStickiness { enabled, duration_seconds })
}

/// The XML of rules.
mod wire {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::{Action, GroupStickiness, ListenerRule, WeightedGroup};
    use crate::aws_sim::query::Members;

    /// Which is never shown.
    pub(super) const SECRET: &str = "ClientSecret";

    #[derive(Debug, Serialize)]
    #[serde(rename_all = "PascalCase")]
    pub(super) struct Page {
        pub(super) rules: Members<Rule>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub(super) next_marker: Option<usize>,
    }

    #[derive(Debug, Serialize)]
    #[serde(rename_all = "PascalCase")]
    pub(super) struct Rule {
        rule_arn: String,
        priority: String,
        conditions: Members<BTreeMap<String, Value>>,
        actions: Members<BTreeMap<String, Value>>,
        is_default: bool,
    }

    #[derive(Debug, Serialize)]
    #[serde(untagged)]
    enum Value {
        Text(String),
        Number(u32),
        Texts(Members<String>),
        Values(Values),
        Settings(BTreeMap<String, String>),
        Forward(ForwardConfig),
    }

    #[derive(Debug, Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Values {
        values: Members<String>,
    }

    #[derive(Debug, Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct ForwardConfig {
        target_groups: Members<WeightedGroup>,
        target_group_stickiness_config: GroupStickiness,
    }

    impl Rule {
        pub(super) fn of(rule: &ListenerRule) -> Self {
            Self {
                rule_arn: rule.arn(),
                priority: rule.priority.clone(),
                conditions: rule.conditions.iter().map(condition).collect::<Vec<_>>().into(),
                actions: rule.actions.iter().map(action).collect::<Vec<_>>().into(),
                is_default: rule.is_default(),
            }
        }
    }

    fn condition((field, values): &(String, Vec<String>)) -> BTreeMap<String, Value> {
        let config = Values { values: values.clone().into() };
        BTreeMap::from([
            ("Field".into(), Value::Text(field.clone())),
            ("Values".into(), Value::Texts(values.clone().into())),
            (condition_config(field), Value::Values(config)),
        ])
    }

    fn action(action: &Action) -> BTreeMap<String, Value> {
        let mut fields = BTreeMap::from([("Type".into(), Value::Text(action.kind.clone()))]);
        fields.extend(action.order.map(|order| ("Order".into(), Value::Number(order))));
        if let Some(forward) = &action.forward {
            if let [single] = forward.groups.as_slice() {
                fields.insert("TargetGroupArn".into(), Value::Text(single.target_group_arn.clone()));
            }
            let config = ForwardConfig {
                target_groups: forward.groups.clone().into(),
                target_group_stickiness_config: forward.stickiness,
            };
            fields.insert("ForwardConfig".into(), Value::Forward(config));
        }
        if let Some(name) = action_config(&action.kind) {
            let shown = action.settings.iter().filter(|(name, _)| name.as_str() != SECRET);
            let shown = shown.map(|(name, value)| (name.clone(), value.clone()));
            fields.insert(name.into(), Value::Settings(shown.collect()));
        }
        fields
    }

    /// The element with the settings of an action that does not forward.
    pub(super) fn action_config(kind: &str) -> Option<&'static str> {
        match kind {
            "authenticate-oidc" => Some("AuthenticateOidcConfig"),
            "authenticate-cognito" => Some("AuthenticateCognitoConfig"),
            "redirect" => Some("RedirectConfig"),
            "fixed-response" => Some("FixedResponseConfig"),
            _ => None,
        }
    }

    /// The element with the values of a condition: `HostHeaderConfig` for `host-header`.
    pub(super) fn condition_config(field: &str) -> String {
        let words = field.split('-').map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            format!("{}{rest}", first.to_ascii_uppercase())
        });
        format!("{}Config", words.collect::<String>())
    }
}
