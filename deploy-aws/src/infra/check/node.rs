//! A CloudFormation document as a tree that knows its lines. `!Ref X` and `{"Ref": "X"}` are one thing here.

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};

use crate::infra::InfraError;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// An intrinsic function: `Ref`, `GetAtt`, `Sub`, `If` and so on.
    Call(String, Box<Node>),
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) value: Node,
}

impl Node {
    /// Reads YAML or JSON, which is YAML too.
    pub(super) fn parse(text: &str) -> Result<Self, InfraError> {
        let mut documents = MarkedYaml::load_from_str(text).map_err(|error| {
            // What is missing at the end is said to be missing in the line after it.
            let line = error.marker().line().min(text.lines().count().max(1));
            InfraError::Unreadable { line, problem: error.info().to_owned() }
        })?;
        match documents.len() {
            1 => Ok(Self::of(&documents.remove(0))),
            0 => Err(InfraError::Unreadable { line: 1, problem: "the document is empty".into() }),
            _ => Err(InfraError::Unreadable {
                line: documents.get(1).map_or(1, |second| second.span.start.line()),
                problem: "a template is one document, and here begins a second one".into(),
            }),
        }
    }

    fn of(yaml: &MarkedYaml<'_>) -> Self {
        let line = yaml.span.start.line();
        Self { line, value: value(&yaml.data) }
    }

    /// The value under a key of a mapping.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// What a mapping holds; nothing for anything else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Call(..) => &[],
        }
    }

    /// What a list holds; the value itself if it is none, as policies allow it.
    pub(super) fn items(&self) -> Vec<&Self> {
        match &self.value {
            Value::List(items) => items.iter().collect(),
            Value::Null => Vec::new(),
            Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) | Value::Call(..) => {
                vec![self]
            }
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Call(..) => None,
        }
    }

    pub(super) fn bool(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(value) => Some(*value),
            // CloudFormation takes both for what they say.
            Value::Text(text) => text.to_ascii_lowercase().parse().ok(),
            Value::Null | Value::Number(_) | Value::List(_) | Value::Map(_) | Value::Call(..) => None,
        }
    }

    pub(super) fn number(&self) -> Option<f64> {
        match &self.value {
            Value::Number(value) => Some(*value),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) | Value::Call(..) => None,
        }
    }
}

fn value<'a>(data: &YamlData<'a, MarkedYaml<'a>>) -> Value {
    match data {
        YamlData::Value(scalar) => scalar_value(scalar),
        YamlData::Representation(text, _, _) => Value::Text(text.to_string()),
        YamlData::Sequence(items) => Value::List(items.iter().map(Node::of).collect()),
        YamlData::Mapping(entries) => {
            let entries: Vec<Entry> = entries
                .iter()
                .map(|(key, value)| Entry {
                    key: key_text(&key.data),
                    line: key.span.start.line(),
                    value: Node::of(value),
                })
                .collect();
            long_form(entries)
        }
        YamlData::Tagged(tag, node) if tag.is_yaml_core_schema() => value(&node.data),
        YamlData::Tagged(tag, node) => Value::Call(tag.suffix.clone(), Box::new(Node::of(node))),
        YamlData::Alias(_) | YamlData::BadValue => Value::Null,
    }
}

/// `{"Fn::GetAtt": …}` and `{"Ref": …}` are calls.
fn long_form(mut entries: Vec<Entry>) -> Value {
    let name = match entries.as_slice() {
        [only] if only.key == "Ref" => Some("Ref".to_owned()),
        [only] => only.key.strip_prefix("Fn::").map(str::to_owned),
        _ => None,
    };
    match (name, entries.pop()) {
        (Some(name), Some(only)) => Value::Call(name, Box::new(only.value)),
        (_, last) => {
            entries.extend(last);
            Value::Map(entries)
        }
    }
}

fn scalar_value(scalar: &Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => Value::Bool(*value),
        // Weights are small: what a double cannot hold exactly is out of range all the same.
        #[allow(clippy::cast_precision_loss, reason = "see above")]
        Scalar::Integer(value) => Value::Number(*value as f64),
        Scalar::FloatingPoint(value) => Value::Number(value.into_inner()),
        Scalar::String(text) => Value::Text(text.to_string()),
    }
}

fn key_text<'a>(data: &YamlData<'a, MarkedYaml<'a>>) -> String {
    match data {
        YamlData::Value(Scalar::String(text)) | YamlData::Representation(text, _, _) => text.to_string(),
        YamlData::Value(other) => format!("{other:?}"),
        YamlData::Sequence(_)
        | YamlData::Mapping(_)
        | YamlData::Tagged(..)
        | YamlData::Alias(_)
        | YamlData::BadValue => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_calls_are_one_thing_and_lines_are_counted_from_one() {
        let yaml = Node::parse("a:\n  - !Ref X\n  - !GetAtt Y.DNSName\n").unwrap();
        let json =
            Node::parse("{\"a\": [\n{\"Ref\": \"X\"},\n{\"Fn::GetAtt\": [\"Y\", \"DNSName\"]}]}").unwrap();
        for document in [&yaml, &json] {
            let items = document.get("a").unwrap().items();
            assert!(
                matches!(&items[0].value, Value::Call(name, of) if name == "Ref" && of.text() == Some("X"))
            );
            assert!(matches!(&items[1].value, Value::Call(name, _) if name == "GetAtt"));
            assert_eq!((items[0].line, items[1].line), (2, 3));
        }
    }

    #[test]
    fn what_is_no_document_is_an_error_with_its_line() {
        for (text, line) in [("", 1), ("a: [1, 2\nb: }", 2), ("a: 1\n---\nb: 2", 3)] {
            let error = Node::parse(text).unwrap_err();
            assert!(
                matches!(error, InfraError::Unreadable { line: at, .. } if at == line),
                "{text}: {error:?}"
            );
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_crash() {
        assert!(Node::parse(&"[".repeat(200_000)).is_err());
    }
}
