//! Expressions: what a condition, an update and a projection say, and what that means for an item.
//!
//! Known are comparisons, `BETWEEN`, `AND`, `OR`, `NOT`, `attribute_exists`, `attribute_not_exists`, `begins_with` and `size` in conditions, `SET` (with
//! `+`, `-`, `if_not_exists` and `list_append`) and `REMOVE` in updates. Everything else of the language is refused.

mod eval;
mod lex;
mod parse;

pub(super) use parse::Placeholders;

use super::value::AttributeValue;
use parse::Parser;

/// Something that has a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Path(String),
    Value(AttributeValue),
    Size(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparator {
    fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "=" => Self::Equal,
            "<>" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }
}

/// What holds of an item or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Compare(Operand, Comparator, Operand),
    Between(Operand, Operand, Operand),
    BeginsWith(Operand, Operand),
    Exists(String),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
}

/// What an attribute is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sum {
    Only(Term),
    Total(Term, Term),
    Difference(Term, Term),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Term {
    Operand(Operand),
    IfNotExists(String, Operand),
    ListAppend(Operand, Operand),
}

/// What becomes of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Update {
    pub(super) set: Vec<(String, Sum)>,
    pub(super) remove: Vec<String>,
}

/// Reads a condition; `what` is the request's name for it, for the message.
pub(super) fn condition(
    what: &str,
    text: &str,
    placeholders: &Placeholders<'_>,
) -> Result<Condition, String> {
    let parsed = Parser::new(text, placeholders).and_then(Parser::condition);
    parsed.map_err(|why| format!("Invalid {what}: {why}"))
}

pub(super) fn update(text: &str, placeholders: &Placeholders<'_>) -> Result<Update, String> {
    let parsed = Parser::new(text, placeholders).and_then(Parser::update);
    parsed.map_err(|why| format!("Invalid UpdateExpression: {why}"))
}

pub(super) fn projection(text: &str, placeholders: &Placeholders<'_>) -> Result<Vec<String>, String> {
    let parsed = Parser::new(text, placeholders).and_then(Parser::paths);
    parsed.map_err(|why| format!("Invalid ProjectionExpression: {why}"))
}

#[cfg(test)]
mod tests;
