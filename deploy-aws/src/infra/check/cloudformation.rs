//! A CloudFormation template as facts.

use super::facts::{Alias, Facts, Record, Setting, Source, Statement, Table};
use super::node::{Entry, Node, Value};
use super::{Place, statement};
use crate::infra::InfraError;

pub(super) fn read(text: &str) -> Result<Facts, InfraError> {
    let document = Node::parse(text)?;
    let Some(resources) = document.get("Resources") else {
        let problem = "no `Resources`: this is no CloudFormation template".into();
        return Err(InfraError::Unreadable { line: document.line, problem });
    };
    let template = Template { document: &document };
    let mut facts = Facts {
        source: Source::CloudFormation,
        records: Vec::new(),
        tables: Vec::new(),
        statements: Vec::new(),
    };
    for resource in resources.entries() {
        let kind = resource.value.get("Type").and_then(Node::text).unwrap_or_default();
        let Some(properties) = resource.value.get("Properties") else { continue };
        match kind {
            "AWS::Route53::RecordSet" => {
                let place = place(resource.line, &resource.key);
                facts.records.push(template.record(place, properties, kept(&resource.value)));
            }
            "AWS::Route53::RecordSetGroup" => {
                for one in properties.get("RecordSets").map(Node::items).unwrap_or_default() {
                    let place = place(one.line, &resource.key);
                    facts.records.push(template.record(place, one, kept(&resource.value)));
                }
            }
            "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => {
                facts.tables.push(template.table(resource, properties));
            }
            _ if kind.starts_with("AWS::IAM::") => {
                template.policies(resource, properties, &mut facts.statements)
            }
            _ => {}
        }
    }
    Ok(facts)
}

fn place(line: usize, subject: &str) -> Place {
    Place { line: Some(line), subject: subject.into() }
}

/// CloudFormation lets go of the resource rather than delete it.
fn kept(resource: &Node) -> bool {
    let deletion = resource.get("DeletionPolicy").and_then(Node::text);
    let kept = |policy| resource.get(policy).and_then(Node::text) == Some("Retain");
    (kept("DeletionPolicy") || deletion == Some("RetainExceptOnCreate")) && kept("UpdateReplacePolicy")
}

struct Template<'a> {
    document: &'a Node,
}

impl Template<'_> {
    /// A record of its own, or one of a group.
    fn record(&self, place: Place, properties: &Node, kept: bool) -> Record {
        let text = |key| properties.get(key).map(|node| self.text(node));
        Record {
            place,
            name: text("Name").unwrap_or_default(),
            kind: text("Type").unwrap_or_default(),
            set: text("SetIdentifier"),
            weight: self.setting(properties.get("Weight"), Node::number),
            other_routing: routing(properties),
            alias: properties.get("AliasTarget").map(|alias| self.alias(alias)),
            health_check: properties.get("HealthCheckId").is_some(),
            kept,
            weight_ignored: false,
            overwrites: false,
        }
    }

    fn alias(&self, alias: &Node) -> Alias {
        let name = alias.get("DNSName");
        Alias {
            target: name.map(|node| self.text(node)).unwrap_or_default(),
            follows: name.and_then(|node| self.resource_of(node)),
            evaluate_health: self.setting(alias.get("EvaluateTargetHealth"), Node::bool),
        }
    }

    fn table(&self, resource: &Entry, properties: &Node) -> Table {
        let on = |node: Option<&Node>| self.setting(node, Node::bool).known() == Some(true);
        let recovery = |of: &Node| {
            on(of
                .get("PointInTimeRecoverySpecification")
                .and_then(|spec| spec.get("PointInTimeRecoveryEnabled")))
        };
        // A global table has these settings for each of its replicas.
        let replicas = properties.get("Replicas").map(Node::items);
        let everywhere = |has: &dyn Fn(&Node) -> bool| match &replicas {
            Some(replicas) => replicas.iter().all(|replica| has(replica)),
            None => has(properties),
        };
        let keys = properties.get("KeySchema").map(Node::items).unwrap_or_default();
        Table {
            place: place(resource.line, &resource.key),
            name: properties.get("TableName").map(|node| self.text(node)),
            keys: keys
                .iter()
                .filter_map(|key| key.get("AttributeName").map(|name| self.text(name)))
                .collect(),
            deletion_protection: everywhere(&|of| on(of.get("DeletionProtectionEnabled"))),
            point_in_time_recovery: everywhere(&recovery),
            kept: kept(&resource.value),
        }
    }

    /// Managed policies, and those inside of roles, users and groups.
    fn policies(&self, resource: &Entry, properties: &Node, out: &mut Vec<Statement>) {
        let own = properties.get("PolicyDocument");
        let inline = properties.get("Policies").map(Node::items).unwrap_or_default();
        let inline = inline.iter().filter_map(|policy| policy.get("PolicyDocument"));
        for document in own.into_iter().chain(inline) {
            let statements = document.get("Statement").map(Node::items).unwrap_or_default();
            let text = |node: &Node| self.text(node);
            out.extend(statements.iter().filter_map(|node| statement::of_node(node, &resource.key, &text)));
        }
    }

    fn parameter(&self, name: &str) -> Option<&Node> {
        self.document.get("Parameters")?.get(name)
    }

    /// A text with the defaults of parameters filled in; what is unknown stands as its expression.
    fn text(&self, node: &Node) -> String {
        match &node.value {
            Value::Text(text) => text.clone(),
            Value::Call(name, of) if name == "Ref" => {
                let name = of.text().unwrap_or_default();
                let default = self.parameter(name).and_then(|parameter| parameter.get("Default"));
                default.map_or_else(|| format!("${{{name}}}"), |default| self.text(default))
            }
            Value::Call(name, of) => format!("{name}({})", self.text(of)),
            Value::List(items) => items.iter().map(|item| self.text(item)).collect::<Vec<_>>().join("."),
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Map(entries) => {
                entries.iter().map(|entry| self.text(&entry.value)).collect::<Vec<_>>().join(".")
            }
            Value::Null => String::new(),
        }
    }

    /// A plain value, or what a parameter has as its default.
    fn setting<T>(&self, node: Option<&Node>, read: impl Fn(&Node) -> Option<T>) -> Setting<T> {
        let Some(node) = node else { return Setting::Absent };
        match &node.value {
            Value::Call(name, of) if name == "Ref" => match of.text().and_then(|name| self.parameter(name)) {
                Some(parameter) => Setting::Variable(parameter.get("Default").and_then(read)),
                None => Setting::Unknown,
            },
            Value::Call(name, of) if name == "If" => match of.items().get(1..) {
                // Both branches stand in the template.
                Some([yes, no]) if [yes, no].iter().all(|branch| read(branch).is_some()) => {
                    read(yes).map_or(Setting::Unknown, Setting::Fixed)
                }
                Some(_) | None => Setting::Unknown,
            },
            Value::Call(..) => Setting::Unknown,
            Value::Null => Setting::Absent,
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
                read(node).map_or(Setting::Unknown, Setting::Fixed)
            }
        }
    }

    /// The resource of this template that a text is made from.
    fn resource_of(&self, node: &Node) -> Option<String> {
        let Value::Call(name, of) = &node.value else { return None };
        let resources = self.document.get("Resources")?;
        let is_resource = |name: &str| resources.get(name).is_some().then(|| name.to_owned());
        match name.as_str() {
            "Ref" => of.text().and_then(is_resource),
            "GetAtt" => {
                let first = of.items().first().and_then(|node| node.text())?;
                is_resource(first.split('.').next().unwrap_or(first))
            }
            "Sub" => {
                let text = of.items().first().and_then(|node| node.text())?;
                let names = text.split("${").skip(1).filter_map(|rest| rest.split(['}', '.']).next());
                names.filter_map(is_resource).next()
            }
            _ => of.items().iter().find_map(|item| self.resource_of(item)),
        }
    }
}

fn routing(properties: &Node) -> Option<&'static str> {
    let ways = [
        ("Region", "latency"),
        ("Failover", "failover"),
        ("GeoLocation", "geolocation"),
        ("GeoProximityLocation", "geoproximity"),
        ("CidrRoutingConfig", "IP address"),
        ("MultiValueAnswer", "multivalue answers"),
    ];
    ways.into_iter().find(|(key, _)| properties.get(key).is_some()).map(|(_, name)| name)
}
