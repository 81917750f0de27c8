//! A policy of IAM, and what it says of a call.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A policy document.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Policy {
    #[allow(dead_code, reason = "a document without its version is refused")]
    version: Version,
    #[serde(deserialize_with = "one_or_more")]
    statement: Vec<Statement>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum Version {
    #[serde(rename = "2012-10-17")]
    Current,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    #[allow(dead_code, reason = "it is allowed, and means nothing")]
    #[serde(default)]
    sid: Option<String>,
    effect: Effect,
    #[serde(deserialize_with = "one_or_more")]
    action: Vec<String>,
    #[serde(deserialize_with = "one_or_more")]
    resource: Vec<String>,
    #[serde(default)]
    condition: BTreeMap<Operator, BTreeMap<String, Values>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

/// The operators that are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
enum Operator {
    #[serde(alias = "StringLike", alias = "ArnEquals", alias = "ArnLike")]
    StringEquals,
    #[serde(rename = "ForAllValues:StringEquals", alias = "ForAllValues:StringLike")]
    ForAllValues,
}

#[derive(Clone, Debug, Deserialize)]
struct Values(#[serde(deserialize_with = "one_or_more")] Vec<String>);

/// `"a"` or `["a", "b"]`.
fn one_or_more<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let list = if value.is_array() { value } else { Value::Array(vec![value]) };
    serde_json::from_value(list).map_err(D::Error::custom)
}

/// What a call says of itself: the values of each context key.
pub(super) type Context = BTreeMap<String, Vec<String>>;

/// What a policy says of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Allowed,
    Denied,
    /// No statement allows it; these keys would have been needed to know it for certain.
    NotAllowed {
        missing: BTreeSet<String>,
    },
}

impl Policy {
    /// A document in JSON.
    pub(super) fn parse(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    /// What it says of an action on a resource.
    pub(super) fn decide(&self, action: &str, resource: &str, context: &Context) -> Decision {
        let mut missing = BTreeSet::new();
        let mut allowed = false;
        for statement in self.statement.iter().filter(|one| one.is_about(action, resource)) {
            if statement.holds(context, &mut missing) {
                match statement.effect {
                    Effect::Deny => return Decision::Denied,
                    Effect::Allow => allowed = true,
                }
            }
        }
        if allowed { Decision::Allowed } else { Decision::NotAllowed { missing } }
    }

    /// Whether a call of this action can be allowed at all, on whatever resource and under whatever condition.
    pub(super) fn may_allow(&self, action: &str) -> bool {
        let names = |statement: &&Statement| {
            statement.action.iter().any(|pattern| is_like(pattern, action, Case::Ignored))
        };
        let denies = |statement: &Statement| {
            statement.effect == Effect::Deny
                && statement.condition.is_empty()
                && statement.resource.iter().any(|resource| resource == "*")
        };
        let mut about = self.statement.iter().filter(names);
        about.clone().all(|statement| !denies(statement)) && about.any(|one| one.effect == Effect::Allow)
    }
}

impl Statement {
    fn is_about(&self, action: &str, resource: &str) -> bool {
        self.action.iter().any(|pattern| is_like(pattern, action, Case::Ignored))
            && self.resource.iter().any(|pattern| is_like(pattern, resource, Case::Matters))
    }

    /// Whether its conditions hold; keys that the call does not name are added to what is missing.
    fn holds(&self, context: &Context, missing: &mut BTreeSet<String>) -> bool {
        let mut holds = true;
        for (operator, keys) in &self.condition {
            for (key, wanted) in keys {
                let found = context.iter().find(|(known, _)| known.eq_ignore_ascii_case(key));
                let is_wanted =
                    |value: &String| wanted.0.iter().any(|pattern| is_like(pattern, value, Case::Matters));
                holds &= match (operator, found) {
                    // All of no values are as they should be.
                    (Operator::ForAllValues, None) => true,
                    (Operator::ForAllValues, Some((_, values))) => values.iter().all(is_wanted),
                    (Operator::StringEquals, Some((_, values))) => values.iter().any(is_wanted),
                    (Operator::StringEquals, None) => {
                        missing.insert(key.clone());
                        false
                    }
                };
            }
        }
        holds
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Matters,
    Ignored,
}

/// Whether a text is as a pattern says, in which `*` stands for any characters and `?` for one.
fn is_like(pattern: &str, text: &str, case: Case) -> bool {
    let bytes = |text: &str| match case {
        Case::Matters => text.as_bytes().to_vec(),
        Case::Ignored => text.to_ascii_lowercase().into_bytes(),
    };
    let (pattern, text) = (bytes(pattern), bytes(text));
    let (mut p, mut t) = (0, 0);
    // Where the last `*` stands, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), text.get(t)) {
            (Some(b'*'), _) => {
                star = Some((p, t));
                p += 1;
            }
            (Some(b'?'), _) => (p, t) = (p + 1, t + 1),
            (Some(one), Some(other)) if one == other => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(pairs: &[(&str, &[&str])]) -> Context {
        let entry = |(key, values): &(&str, &[&str])| {
            ((*key).to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
        };
        pairs.iter().map(entry).collect()
    }

    #[test]
    fn a_pattern_has_stars_and_question_marks() {
        for (pattern, text, expected) in [
            ("arn:aws:ecs:*:*:service/mpac/*", "arn:aws:ecs:us-east-1:1:service/mpac/svc-portal-blue", true),
            ("arn:aws:ecs:*:service/mpac", "arn:aws:ecs:us-east-1:1:service/mpac/svc", false),
            ("*", "", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyy", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("", "a", false),
        ] {
            assert_eq!(is_like(pattern, text, Case::Matters), expected, "{pattern} {text}");
        }
        assert!(is_like("ECS:describe*", "ecs:DescribeServices", Case::Ignored));
        assert!(!is_like("ECS:describe*", "ecs:DescribeServices", Case::Matters));
    }

    #[test]
    fn a_denial_wins_and_what_nobody_allows_is_not_allowed() {
        let policy = Policy::parse(
            r#"{"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "ecs:*", "Resource": "*"},
                {"Sid": "Freeze", "Effect": "Deny", "Action": ["ecs:UpdateService"], "Resource": "arn:*/green"},
                {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*",
                 "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}},
                {"Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": "*",
                 "Condition": {"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsActions": ["UPSERT"]}}}]}"#,
        )
        .unwrap();
        let decide = |action: &str, resource: &str, pairs: &[(&str, &[&str])]| -> Decision {
            policy.decide(action, resource, &context(pairs))
        };
        let not_allowed = |missing: &[&str]| Decision::NotAllowed {
            missing: missing.iter().map(|&key| key.to_owned()).collect(),
        };
        assert_eq!(decide("ecs:UpdateService", "arn:1/blue", &[]), Decision::Allowed);
        assert_eq!(decide("ecs:UpdateService", "arn:1/green", &[]), Decision::Denied);
        assert_eq!(decide("s3:GetObject", "*", &[]), not_allowed(&[]));
        assert_eq!(decide("iam:PassRole", "arn:role", &[]), not_allowed(&["iam:PassedToService"]));
        let passed = |to: &'static [&'static str]| [("iam:PassedToService", to)];
        assert_eq!(
            decide("iam:PassRole", "arn:role", &passed(&["ecs-tasks.amazonaws.com"])),
            Decision::Allowed
        );
        assert_eq!(decide("iam:PassRole", "arn:role", &passed(&["ec2.amazonaws.com"])), not_allowed(&[]));
        let actions = |values: &'static [&'static str]| [("route53:ChangeResourceRecordSetsActions", values)];
        let change = "route53:ChangeResourceRecordSets";
        assert_eq!(decide(change, "zone", &actions(&["UPSERT"])), Decision::Allowed);
        assert_eq!(decide(change, "zone", &actions(&["UPSERT", "DELETE"])), not_allowed(&[]));
        assert!(policy.may_allow("ecs:UpdateService") && policy.may_allow("iam:PassRole"));
        assert!(!policy.may_allow("s3:GetObject"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let refused = |json: &str| Policy::parse(json).unwrap_err();
        let statement = |rest: &str| {
            format!(r#"{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", {rest}}}}}"#)
        };
        assert!(refused(&statement(r#""NotAction": "ecs:*", "Resource": "*""#)).contains("NotAction"));
        let condition =
            r#""Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}"#;
        assert!(refused(&statement(condition)).contains("Bool"));
        assert!(refused(r#"{"Statement": []}"#).contains("Version"));
    }
}
