//! Attribute values and items, as the API writes them.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum AttributeValue {
    /// Text.
    S(String),
    /// A number, as text.
    N(String),
    /// Bytes, in base 64.
    B(String),
    /// True or false.
    #[serde(rename = "BOOL")]
    Bool(bool),
    /// Null.
    #[serde(rename = "NULL")]
    Null(bool),
    /// A list.
    L(Vec<Self>),
    /// A map.
    M(BTreeMap<String, Self>),
    /// A set of texts.
    #[serde(rename = "SS")]
    Texts(Vec<String>),
    /// A set of numbers.
    #[serde(rename = "NS")]
    Numbers(Vec<String>),
    /// A set of bytes.
    #[serde(rename = "BS")]
    Binaries(Vec<String>),
}

/// The attributes of an item by their names.
pub type Item = BTreeMap<String, AttributeValue>;

impl AttributeValue {
    /// The name of its type.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null(_) => "NULL",
            Self::L(_) => "L",
            Self::M(_) => "M",
            Self::Texts(_) => "SS",
            Self::Numbers(_) => "NS",
            Self::Binaries(_) => "BS",
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::S(text) => Some(text),
            Self::N(_)
            | Self::B(_)
            | Self::Bool(_)
            | Self::Null(_)
            | Self::L(_)
            | Self::M(_)
            | Self::Texts(_)
            | Self::Numbers(_)
            | Self::Binaries(_) => None,
        }
    }

    /// The whole number, if it is one.
    #[must_use]
    pub fn whole(&self) -> Option<i128> {
        match self {
            Self::N(text) => text.parse().ok(),
            Self::S(_)
            | Self::B(_)
            | Self::Bool(_)
            | Self::Null(_)
            | Self::L(_)
            | Self::M(_)
            | Self::Texts(_)
            | Self::Numbers(_)
            | Self::Binaries(_) => None,
        }
    }

    /// The order of two values of one type that has an order.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::S(left), Self::S(right)) => Some(left.as_bytes().cmp(right.as_bytes())),
            (Self::N(left), Self::N(right)) => number_order(left, right),
            _ => None,
        }
    }

    /// Whether two values are the same one; 1 and 1.0 are.
    pub(super) fn same(&self, other: &Self) -> bool {
        self == other || self.order(other) == Some(Ordering::Equal)
    }

    /// What it takes of an item's 400 KB.
    pub(super) fn size(&self) -> usize {
        const CONTAINER: usize = 3;
        match self {
            Self::S(text) => text.len(),
            Self::N(digits) => number_size(digits),
            Self::B(encoded) => encoded.len() * 3 / 4,
            Self::Bool(_) | Self::Null(_) => 1,
            Self::L(list) => CONTAINER + list.iter().map(|value| 1 + value.size()).sum::<usize>(),
            Self::M(map) => {
                CONTAINER + map.iter().map(|(name, value)| name.len() + 1 + value.size()).sum::<usize>()
            }
            Self::Texts(texts) => texts.iter().map(String::len).sum(),
            Self::Numbers(numbers) => numbers.iter().map(|digits| number_size(digits)).sum(),
            Self::Binaries(binaries) => binaries.iter().map(|encoded| encoded.len() * 3 / 4).sum(),
        }
    }
}

/// Two digits a byte, and one for the sign and the point.
fn number_size(digits: &str) -> usize {
    digits.len().div_ceil(2) + 1
}

fn number_order(left: &str, right: &str) -> Option<Ordering> {
    match (left.parse::<i128>(), right.parse::<i128>()) {
        (Ok(left), Ok(right)) => Some(left.cmp(&right)),
        _ => left.parse::<f64>().ok()?.partial_cmp(&right.parse().ok()?),
    }
}

/// What an item takes of its 400 KB: names and values.
pub(super) fn size_of(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.size()).sum()
}
