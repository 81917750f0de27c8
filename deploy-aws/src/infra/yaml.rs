//! YAML as CloudFormation writes it, with `!Ref` and the like in their short form.

use std::borrow::Cow;

use saphyr::{Mapping, Scalar, ScalarStyle, Tag, Yaml, YamlEmitter};

use super::InfraError;
use super::policy::{Piece, Text};

pub(super) type Node = Yaml<'static>;

/// A mapping in the order given.
pub(super) fn map<const N: usize>(entries: [(&str, Node); N]) -> Node {
    entries_of(entries.map(|(key, value)| (key.to_owned(), value)))
}

pub(super) fn entries_of(entries: impl IntoIterator<Item = (String, Node)>) -> Node {
    Yaml::Mapping(entries.into_iter().map(|(key, value)| (text(key), value)).collect::<Mapping<'_>>())
}

pub(super) fn list(items: impl IntoIterator<Item = Node>) -> Node {
    Yaml::Sequence(items.into_iter().collect())
}

/// Quoted where YAML, old or new, would read something else than text.
pub(super) fn text(value: impl Into<String>) -> Node {
    Yaml::Value(Scalar::String(Cow::Owned(value.into())))
}

/// A version, which looks like a date: some readers of YAML make one of it, and CloudFormation wants text.
pub(super) const fn version(date: &'static str) -> Node {
    Yaml::Representation(Cow::Borrowed(date), ScalarStyle::DoubleQuoted, None)
}

pub(super) fn number(value: i64) -> Node {
    Yaml::Value(Scalar::Integer(value))
}

pub(super) const fn yes() -> Node {
    Yaml::Value(Scalar::Boolean(true))
}

/// `!Ref NAME`
pub(super) fn reference(name: &str) -> Node {
    call("Ref", text(name))
}

/// `!NAME ARGUMENT`
pub(super) fn call(name: &str, argument: Node) -> Node {
    let tag = Tag { handle: "!".into(), suffix: name.into() };
    Yaml::Tagged(Cow::Owned(tag), Box::new(argument))
}

/// A text with pseudo parameters in it.
pub(super) fn sub(pieces: &Text) -> Node {
    let plain = pieces.iter().all(|piece| matches!(piece, Piece::Literal(_)));
    let written: String = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Literal(literal) => literal.as_str(),
            Piece::Partition => "${AWS::Partition}",
            Piece::Region => "${AWS::Region}",
            Piece::Account => "${AWS::AccountId}",
            Piece::HostedZone => "${HostedZoneId}",
        })
        .collect();
    if plain { text(written) } else { call("Sub", text(written)) }
}

/// The document, without the `---` of a stream.
pub(super) fn write(document: &Node) -> Result<String, InfraError> {
    let mut out = String::new();
    let mut emitter = YamlEmitter::new(&mut out);
    emitter.dump(document).map_err(|error| InfraError::Unwritable(error.to_string()))?;
    // A tag in front of a block ends its line with a space.
    Ok(out.trim_start_matches("---\n").lines().map(|line| format!("{}\n", line.trim_end())).collect())
}
