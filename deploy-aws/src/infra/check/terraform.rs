//! A Terraform file as facts.

use super::facts::{Alias, Facts, Record, Setting, Source, Statement, Table};
use super::node::{Node, Value};
use super::{Place, hcl_node, statement};
use crate::infra::InfraError;

pub(super) fn read(text: &str) -> Result<Facts, InfraError> {
    let document = hcl_node::parse(text)?;
    let file = File { document: &document };
    let mut facts =
        Facts { source: Source::Terraform, records: Vec::new(), tables: Vec::new(), statements: Vec::new() };
    for (kind, name, body) in file.blocks("resource") {
        let place = Place { line: Some(body.line), subject: format!("{kind}.{name}") };
        match kind {
            "aws_route53_record" => facts.records.push(file.record(place, body)),
            "aws_dynamodb_table" => facts.tables.push(file.table(place, body)),
            _ if kind.starts_with("aws_iam_") => {
                file.document_of(&place.subject, body, &mut facts.statements)
            }
            _ => {}
        }
    }
    for (kind, name, body) in file.blocks("data") {
        if kind == "aws_iam_policy_document" {
            let subject = format!("data.{kind}.{name}");
            let statements = all(body, "statement").into_iter();
            facts.statements.extend(statements.filter_map(|node| file.statement(&subject, node)));
        }
    }
    Ok(facts)
}

/// Every block of a name in a body.
fn all<'a>(body: &'a Node, key: &str) -> Vec<&'a Node> {
    let found = body.entries().iter().filter(|entry| entry.key == key);
    found.map(|entry| &entry.value).collect()
}

fn kept(body: &Node) -> bool {
    let lifecycle = body.get("lifecycle");
    lifecycle.and_then(|lifecycle| lifecycle.get("prevent_destroy")).and_then(Node::bool) == Some(true)
}

struct File<'a> {
    document: &'a Node,
}

impl<'a> File<'a> {
    /// Type, name and body of each `resource` or `data`.
    fn blocks(&self, what: &str) -> Vec<(&'a str, &'a str, &'a Node)> {
        let blocks = self.document.entries().iter().filter(|entry| entry.key == what);
        let kinds = blocks.flat_map(|block| block.value.entries());
        kinds
            .flat_map(|kind| {
                kind.value.entries().iter().map(|name| (kind.key.as_str(), name.key.as_str(), &name.value))
            })
            .collect()
    }

    fn record(&self, place: Place, body: &Node) -> Record {
        let text = |key| body.get(key).map(|node| self.text(node));
        let weighted = body.get("weighted_routing_policy");
        let ignored = body.get("lifecycle").and_then(|lifecycle| lifecycle.get("ignore_changes"));
        let ignored = ignored.map(Node::items).unwrap_or_default();
        let ignored = ignored.iter().any(|item| {
            let name = self.text(item);
            name == "all" || name.starts_with("weighted_routing_policy")
        });
        Record {
            place,
            name: text("name").unwrap_or_default(),
            kind: text("type").unwrap_or_default(),
            set: text("set_identifier"),
            weight: self.setting(weighted.and_then(|policy| policy.get("weight")), Node::number),
            other_routing: routing(body),
            alias: body.get("alias").map(|alias| self.alias(alias)),
            health_check: body.get("health_check_id").is_some(),
            kept: kept(body),
            weight_ignored: ignored,
            overwrites: self.setting(body.get("allow_overwrite"), Node::bool).known() == Some(true),
        }
    }

    /// Terraform reads a balancer's attributes anew at each plan, but an apply of the record leaves an ignored weight as it is: it follows
    /// nothing.
    fn alias(&self, alias: &Node) -> Alias {
        Alias {
            target: alias.get("name").map(|node| self.text(node)).unwrap_or_default(),
            follows: None,
            evaluate_health: self.setting(alias.get("evaluate_target_health"), Node::bool),
        }
    }

    fn table(&self, place: Place, body: &Node) -> Table {
        let on = |node: Option<&Node>| self.setting(node, Node::bool).known() == Some(true);
        let recovery = body.get("point_in_time_recovery").and_then(|recovery| recovery.get("enabled"));
        Table {
            place,
            name: body.get("name").map(|node| self.text(node)),
            keys: ["hash_key", "range_key"]
                .into_iter()
                .filter_map(|key| body.get(key))
                .map(|node| self.text(node))
                .collect(),
            deletion_protection: on(body.get("deletion_protection_enabled")),
            point_in_time_recovery: on(recovery),
            kept: kept(body),
        }
    }

    /// A `statement` block of a policy document.
    fn statement(&self, subject: &str, node: &Node) -> Option<Statement> {
        let texts = |key| {
            node.get(key).map(|list| list.items().into_iter().map(|item| self.text(item)).collect::<Vec<_>>())
        };
        let effect = node.get("effect").map(|effect| self.text(effect));
        if effect.is_some_and(|effect| effect != "Allow") {
            return None;
        }
        let (not_actions, not_resources) = (texts("not_actions"), texts("not_resources"));
        let conditions = all(node, "condition").into_iter();
        Some(Statement {
            place: Place { line: Some(node.line), subject: subject.into() },
            all_but_actions: not_actions.is_some(),
            actions: not_actions.or_else(|| texts("actions")).unwrap_or_default(),
            all_but_resources: not_resources.is_some(),
            resources: not_resources.or_else(|| texts("resources")).unwrap_or_default(),
            condition_keys: conditions
                .filter_map(|condition| condition.get("variable"))
                .map(|key| self.text(key))
                .collect(),
        })
    }

    /// A policy that stands in the resource itself: `jsonencode({…})`, or JSON in a text.
    fn document_of(&self, subject: &str, body: &Node, out: &mut Vec<Statement>) {
        let inline = all(body, "inline_policy");
        for policy in std::iter::once(body).chain(inline).filter_map(|body| body.get("policy")) {
            let text = |node: &Node| self.text(node);
            match &policy.value {
                Value::Call(name, arguments) if name == "jsonencode" => {
                    let objects = arguments.items();
                    let statements =
                        objects.iter().filter_map(|object| object.get("Statement")).flat_map(Node::items);
                    out.extend(statements.filter_map(|node| statement::of_node(node, subject, &text)));
                }
                Value::Text(json) => {
                    // What is no JSON is refused by Terraform's provider; a place in it is the place of the text.
                    let Ok(document) = Node::parse(json) else { continue };
                    let statements = document.get("Statement").map(Node::items).unwrap_or_default();
                    let found =
                        statements.into_iter().filter_map(|node| statement::of_node(node, subject, &text));
                    out.extend(found.map(|mut one| {
                        one.place.line = one.place.line.map(|line| policy.line + line - 1);
                        one
                    }));
                }
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::List(_)
                | Value::Map(_)
                | Value::Call(..) => {}
            }
        }
    }

    /// What `var.x` has as its default, and what `local.x` is.
    fn resolve(&self, node: &Node) -> Option<(&'a str, Option<&'a Node>)> {
        let Value::Call(name, source) = &node.value else { return None };
        if name != hcl_node::EXPRESSION {
            return None;
        }
        let (kind, name) = source.text()?.split_once('.')?;
        match kind {
            "var" => {
                let variables = self.document.entries().iter().filter(|entry| entry.key == "variable");
                let mut bodies = variables.filter_map(|entry| entry.value.get(name));
                Some(("var", bodies.next().and_then(|body| body.get("default"))))
            }
            "local" => {
                let locals = self.document.entries().iter().filter(|entry| entry.key == "locals");
                let mut values = locals.filter_map(|entry| entry.value.get(name));
                values.next().map(|value| ("local", Some(value)))
            }
            _ => None,
        }
    }

    /// A text with the defaults of variables filled in; what is unknown stands as its expression.
    fn text(&self, node: &Node) -> String {
        // A local may name another one, and a mistaken one itself: one step is enough.
        let known = |node: &Node| match &node.value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Null | Value::List(_) | Value::Map(_) | Value::Call(..) => None,
        };
        let resolved = self.resolve(node).and_then(|(_, value)| value).and_then(known);
        let source = || match &node.value {
            Value::Call(name, source) if name == hcl_node::EXPRESSION => {
                source.text().unwrap_or_default().to_owned()
            }
            Value::Call(name, _) => format!("{name}(…)"),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_) => String::new(),
        };
        known(node).or(resolved).unwrap_or_else(source)
    }

    fn setting<T>(&self, node: Option<&Node>, read: impl Fn(&Node) -> Option<T>) -> Setting<T> {
        let Some(node) = node else { return Setting::Absent };
        match (&node.value, self.resolve(node)) {
            (Value::Null, _) => Setting::Absent,
            (Value::Call(..), Some(("local", value))) => {
                value.and_then(read).map_or(Setting::Unknown, Setting::Fixed)
            }
            (Value::Call(..), Some((_, default))) => Setting::Variable(default.and_then(read)),
            (Value::Call(..), None) => Setting::Unknown,
            (Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_), _) => {
                read(node).map_or(Setting::Unknown, Setting::Fixed)
            }
        }
    }
}

fn routing(body: &Node) -> Option<&'static str> {
    let ways = [
        ("latency_routing_policy", "latency"),
        ("failover_routing_policy", "failover"),
        ("geolocation_routing_policy", "geolocation"),
        ("geoproximity_routing_policy", "geoproximity"),
        ("cidr_routing_policy", "IP address"),
        ("multivalue_answer_routing_policy", "multivalue answers"),
    ];
    ways.into_iter().find(|(key, _)| body.get(key).is_some()).map(|(_, name)| name)
}
