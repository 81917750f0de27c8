//! The least that a controller must be allowed: the calls of [`Adapter::calls`], each on what it acts on.

use super::calls::{Adapter, Scope};
use super::{Description, InfraError, normalized};

/// What IAM takes for a managed policy.
const MOST_CHARACTERS: usize = 6144;

/// The condition key that limits a change of a zone to some of its records.
pub(crate) const RECORD_NAMES: &str = "route53:ChangeResourceRecordSetsNormalizedRecordNames";

/// A policy of IAM before it is written in a template's language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    pub(crate) sid: &'static str,
    pub(crate) actions: Vec<&'static str>,
    pub(crate) resources: Vec<Text>,
    pub(crate) condition: Option<Condition>,
}

/// All of these keys, by one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) operator: &'static str,
    pub(crate) keys: Vec<(&'static str, Vec<Text>)>,
}

/// A text with places that only the deployment knows.
pub(crate) type Text = Vec<Piece>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Literal(String),
    Partition,
    Region,
    Account,
    HostedZone,
}

/// What the described controllers call, one statement for each scope.
pub(crate) fn statements(description: &Description) -> Result<Vec<Statement>, InfraError> {
    let statements = collected(description, &adapters(description));
    match characters(&statements) {
        0..=MOST_CHARACTERS => Ok(statements),
        characters => Err(InfraError::PolicyTooLarge { characters, most: MOST_CHARACTERS }),
    }
}

/// What these adapters call, one statement for each scope.
pub(crate) fn collected(description: &Description, adapters: &[Adapter]) -> Vec<Statement> {
    let mut statements: Vec<Statement> = Vec::new();
    let calls = adapters.iter().flat_map(|adapter| adapter.calls());
    for call in calls {
        let sid = sid(call.scope);
        match statements.iter_mut().find(|statement| statement.sid == sid) {
            // Two adapters may make the same call.
            Some(statement) if statement.actions.contains(&call.action) => {}
            Some(statement) => statement.actions.push(call.action),
            None => statements.push(Statement {
                sid,
                actions: vec![call.action],
                resources: resources(call.scope, description),
                condition: condition(call.scope, description),
            }),
        }
    }
    statements
}

/// How many characters the policy has for IAM, which does not count white space, at the most: with the longest names that a partition,
/// a region and a zone have.
fn characters(statements: &[Statement]) -> usize {
    let quoted = |text: &str| text.len() + r#""","#.len();
    let texts = |texts: &[Text]| texts.iter().map(|text| length(text) + r#""","#.len()).sum::<usize>();
    let keys = |condition: &Condition| {
        let each = condition.keys.iter();
        each.map(|(key, values)| quoted(key) + ":[]".len() + texts(values)).sum::<usize>()
            + quoted(condition.operator)
    };
    let of_one = |one: &Statement| {
        r#"{"Sid":"","Effect":"Allow","Action":[],"Resource":[],"Condition":{:{}}},"#.len()
            + one.sid.len()
            + one.actions.iter().map(|action| quoted(action)).sum::<usize>()
            + texts(&one.resources)
            + one.condition.as_ref().map_or(0, keys)
    };
    r#"{"Version":"2012-10-17","Statement":[]}"#.len() + statements.iter().map(of_one).sum::<usize>()
}

fn length(text: &Text) -> usize {
    let pieces = text.iter().map(|piece| match piece {
        Piece::Literal(literal) => literal.len(),
        Piece::Partition => "aws-us-gov".len(),
        Piece::Region => "ap-southeast-1".len(),
        Piece::Account => "123456789012".len(),
        Piece::HostedZone => 32,
    });
    pieces.sum()
}

/// The adapters that the description has a use for.
fn adapters(description: &Description) -> Vec<Adapter> {
    let used = |adapter: &Adapter| match adapter {
        Adapter::Route53 | Adapter::Balancers | Adapter::Metrics => true,
        Adapter::ListenerRule => !description.listener_rules.is_empty(),
        Adapter::Fleet => description.fleet.is_some(),
        Adapter::Scaling => description.fleet.as_ref().is_some_and(|fleet| fleet.suspends_scaling),
        Adapter::Journal => description.journal_table.is_some(),
        Adapter::Archive => description.archive.is_some(),
        Adapter::Notices => !description.topics.is_empty(),
    };
    Adapter::ALL.into_iter().filter(used).collect()
}

const fn sid(scope: Scope) -> &'static str {
    match scope {
        Scope::Records => "MoveWeights",
        Scope::HostedZone => "ReadWeights",
        Scope::Change => "ConfirmChanges",
        Scope::Services => "Services",
        Scope::TaskDefinitions => "TaskDefinitions",
        Scope::TaskList => "ListTasks",
        Scope::Tasks => "Tasks",
        Scope::Roles => "PassTaskRoles",
        Scope::ScalableTargets => "SuspendScaling",
        Scope::ListenerRules => "ListenerRules",
        Scope::Table => "Journal",
        Scope::Archive => "Archive",
        Scope::Topics => "Notices",
        Scope::Anything => "ReadWhatCannotBeLimited",
    }
}

fn resources(scope: Scope, description: &Description) -> Vec<Text> {
    let fleet = description.fleet.as_ref();
    let services = fleet.map(|fleet| fleet.services.as_slice()).unwrap_or_default();
    let families = fleet.map(|fleet| fleet.families.as_slice()).unwrap_or_default();
    let cluster = fleet.map_or("", |fleet| fleet.cluster.as_str());
    match scope {
        Scope::Records | Scope::HostedZone => {
            vec![global("route53", vec![literal("hostedzone/"), Piece::HostedZone])]
        }
        Scope::Change => vec![global("route53", vec![literal("change/*")])],
        Scope::Services => {
            services.iter().map(|name| regional("ecs", &format!("service/{cluster}/{name}"))).collect()
        }
        Scope::TaskDefinitions => {
            families.iter().map(|name| regional("ecs", &format!("task-definition/{name}:*"))).collect()
        }
        Scope::Tasks => vec![regional("ecs", &format!("task/{cluster}/*"))],
        Scope::Roles => fleet.iter().flat_map(|fleet| &fleet.roles).map(|arn| vec![literal(arn)]).collect(),
        Scope::ScalableTargets => vec![regional("application-autoscaling", "scalable-target/*")],
        Scope::ListenerRules => description.listener_rules.iter().map(|arn| vec![literal(arn)]).collect(),
        Scope::Table => {
            let table = description.journal_table.as_deref().unwrap_or_default();
            vec![regional("dynamodb", &format!("table/{table}"))]
        }
        Scope::Archive => description.archive.iter().map(objects).collect(),
        Scope::Topics => description.topics.iter().map(|arn| vec![literal(arn)]).collect(),
        Scope::TaskList | Scope::Anything => vec![vec![literal("*")]],
    }
}

fn condition(scope: Scope, description: &Description) -> Option<Condition> {
    match scope {
        Scope::Records => Some(records(description)),
        Scope::TaskList => {
            let clusters = description.fleet.iter();
            let clusters = clusters.map(|fleet| regional("ecs", &format!("cluster/{}", fleet.cluster)));
            Some(Condition { operator: "ArnEquals", keys: vec![("ecs:cluster", clusters.collect())] })
        }
        Scope::Roles => {
            let tasks = vec![vec![literal("ecs-tasks.amazonaws.com")]];
            Some(Condition { operator: "StringEquals", keys: vec![("iam:PassedToService", tasks)] })
        }
        Scope::ScalableTargets => {
            let value = |text| vec![vec![literal(text)]];
            let keys = vec![
                ("application-autoscaling:service-namespace", value("ecs")),
                ("application-autoscaling:scalable-dimension", value("ecs:service:DesiredCount")),
            ];
            Some(Condition { operator: "StringEquals", keys })
        }
        Scope::HostedZone
        | Scope::Change
        | Scope::Services
        | Scope::TaskDefinitions
        | Scope::Tasks
        | Scope::ListenerRules
        | Scope::Table
        | Scope::Archive
        | Scope::Topics
        | Scope::Anything => None,
    }
}

/// The pair and, if there is one, the fence record beside it: each value of a batch must be one of these. CREATE and DELETE are
/// for the fence record, and for a change that is confirmed after a restart.
fn records(description: &Description) -> Condition {
    let fence = description.fence_record.as_deref();
    let names = [Some(description.record.as_str()), fence].into_iter().flatten().map(normalized);
    let types = description.types().iter().map(|kind| kind.as_str());
    let types: Vec<&str> = types.chain(fence.map(|_| "TXT")).collect();
    let each = |values: &[&str]| values.iter().map(|value| vec![literal(value)]).collect();
    let keys = vec![
        (RECORD_NAMES, names.map(|name| vec![literal(&name)]).collect()),
        ("route53:ChangeResourceRecordSetsRecordTypes", each(&types)),
        ("route53:ChangeResourceRecordSetsActions", each(&["CREATE", "DELETE", "UPSERT"])),
    ];
    Condition { operator: "ForAllValues:StringEquals", keys }
}

fn objects(archive: &super::Archive) -> Text {
    let prefix = archive.prefix.trim_matches('/');
    let folder = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    vec![literal("arn:"), Piece::Partition, literal(&format!(":s3:::{}/{folder}*", archive.bucket))]
}

fn global(service: &str, rest: Text) -> Text {
    let mut text = vec![literal("arn:"), Piece::Partition, literal(&format!(":{service}:::"))];
    text.extend(rest);
    text
}

fn regional(service: &str, rest: &str) -> Text {
    vec![
        literal("arn:"),
        Piece::Partition,
        literal(&format!(":{service}:")),
        Piece::Region,
        literal(":"),
        Piece::Account,
        literal(&format!(":{rest}")),
    ]
}

fn literal(text: &str) -> Piece {
    Piece::Literal(text.into())
}
