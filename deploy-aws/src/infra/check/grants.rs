//! The rules for policies. Only statements that allow a call of a controller are looked at: others are somebody else's business.

use std::collections::BTreeSet;

use super::Rule;
use super::facts::{Facts, Statement};
use crate::Finding;
use crate::infra::calls::{self, Call, Scope};
use crate::infra::policy::RECORD_NAMES;

/// A statement and the calls of controllers that it allows.
#[derive(Debug)]
pub(super) struct Grant<'a> {
    statement: &'a Statement,
    calls: Vec<Call>,
}

pub(super) fn granted(facts: &Facts) -> Vec<Grant<'_>> {
    let grants = facts.statements.iter().map(|statement| Grant {
        statement,
        calls: calls::all().filter(|call| allows(statement, call.action)).collect(),
    });
    grants.filter(|grant| !grant.calls.is_empty()).collect()
}

fn allows(statement: &Statement, action: &str) -> bool {
    statement.actions.iter().any(|pattern| matches(pattern, action)) != statement.all_but_actions
}

pub(super) fn judge(grant: &Grant<'_>) -> Vec<Finding> {
    let Grant { statement, calls } = grant;
    let mut findings = Vec::new();
    let mut add = |rule: Rule, problem: String| findings.push(rule.broken(&statement.place, problem));
    if statement.all_but_actions {
        add(Rule::WildcardAction, "every call but those that are named is allowed".into());
    }
    let wild = statement.actions.iter().filter(|action| is_wild(action));
    let wild: Vec<&str> = wild
        .filter(|pattern| {
            !statement.all_but_actions && calls.iter().any(|call| matches(pattern, call.action))
        })
        .map(String::as_str)
        .collect();
    if !wild.is_empty() {
        add(Rule::WildcardAction, format!("`{}` allows more than a controller calls", wild.join("`, `")));
    }
    let everything =
        statement.all_but_resources || statement.resources.iter().any(|resource| resource == "*");
    let limited = |key: &str| statement.condition_keys.iter().any(|one| one.eq_ignore_ascii_case(key));
    let loose = calls
        .iter()
        .filter(|call| match call.scope {
            Scope::Anything => false,
            Scope::TaskList => everything && !limited("ecs:cluster"),
            Scope::Records
            | Scope::HostedZone
            | Scope::Change
            | Scope::Services
            | Scope::TaskDefinitions
            | Scope::Tasks
            | Scope::Roles
            | Scope::ScalableTargets
            | Scope::ListenerRules
            | Scope::Table
            | Scope::Archive
            | Scope::Topics => everything,
        })
        .map(|call| call.action);
    let loose: BTreeSet<&str> = loose.collect();
    if !loose.is_empty() {
        add(
            Rule::WildcardResource,
            format!("`{}` is allowed on every resource of the account", Vec::from_iter(loose).join("`, `")),
        );
    }
    let has = |scope| calls.iter().any(|call| call.scope == scope);
    if has(Scope::Records) && !limited(RECORD_NAMES) {
        add(
            Rule::AnyRecord,
            "every record of the zone can be changed, the mail's and the zone's own too".into(),
        );
    }
    if has(Scope::Roles) && !limited("iam:PassedToService") {
        add(Rule::PassRoleAnywhere, "the roles can be passed to any service, not to ECS tasks alone".into());
    }
    findings
}

fn is_wild(action: &str) -> bool {
    action.contains(['*', '?'])
}

/// Whether an action of a policy means this one: IAM's `*` and `?`, letters of either case.
fn matches(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    glob(pattern.as_bytes(), action.as_bytes())
}

/// Linear in both: after a mismatch the latest `*` takes one more.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match (pattern.get(at), text.get(from)) {
            (Some(b'*'), _) => {
                star = Some((at, from));
                at += 1;
            }
            (Some(one), Some(other)) if *one == b'?' || one == other => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((wild, taken)) => {
                    star = Some((wild, taken + 1));
                    at = wild + 1;
                    from = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_mean_what_they_mean_to_iam() {
        for (pattern, fits) in [
            ("*", true),
            ("route53:*", true),
            ("ROUTE53:getchange", true),
            ("route53:Get?hange", true),
            ("route53:*Change*", true),
            ("route53:Get", false),
            ("ecs:*", false),
            ("route53:GetChange?", false),
            ("", false),
        ] {
            assert_eq!(matches(pattern, "route53:GetChange"), fits, "{pattern}");
        }
    }
}
