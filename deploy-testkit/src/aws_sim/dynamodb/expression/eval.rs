//! What an expression means for an item.

use std::cmp::Ordering;

use super::super::value::{AttributeValue, Item};
use super::{Comparator, Condition, Operand, Sum, Term, Update};

impl Operand {
    fn of(&self, item: &Item) -> Option<AttributeValue> {
        match self {
            Self::Path(name) => item.get(name).cloned(),
            Self::Value(value) => Some(value.clone()),
            Self::Size(name) => item.get(name).map(|value| AttributeValue::N(value.size().to_string())),
        }
    }
}

impl Condition {
    /// Whether it holds; of an item that is not there, no attribute exists.
    pub(in super::super) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::Compare(left, comparator, right) => comparator.holds(left.of(item), right.of(item)),
            Self::Between(subject, low, high) => {
                let order = |bound: &Operand| subject.of(item)?.order(&bound.of(item)?);
                order(low).is_some_and(Ordering::is_ge) && order(high).is_some_and(Ordering::is_le)
            }
            Self::BeginsWith(subject, prefix) => match (subject.of(item), prefix.of(item)) {
                (Some(AttributeValue::S(text)), Some(AttributeValue::S(prefix))) => text.starts_with(&prefix),
                _ => false,
            },
            Self::Exists(name) => item.contains_key(name),
            Self::And(left, right) => left.holds(item) && right.holds(item),
            Self::Or(left, right) => left.holds(item) || right.holds(item),
            Self::Not(condition) => !condition.holds(item),
        }
    }
}

impl Comparator {
    fn holds(self, left: Option<AttributeValue>, right: Option<AttributeValue>) -> bool {
        let (Some(left), Some(right)) = (left, right) else { return self == Self::NotEqual };
        let order = left.order(&right);
        match self {
            Self::Equal => left.same(&right),
            Self::NotEqual => !left.same(&right),
            Self::Less => order.is_some_and(Ordering::is_lt),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order.is_some_and(Ordering::is_gt),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

impl Update {
    /// The item after it. Every value is taken from the item before it.
    pub(in super::super) fn apply(&self, before: &Item) -> Result<Item, String> {
        let mut after = before.clone();
        for (name, sum) in &self.set {
            after.insert(name.clone(), sum.of(before)?);
        }
        for name in &self.remove {
            after.remove(name);
        }
        Ok(after)
    }

    /// The attributes that it changes.
    pub(in super::super) fn names(&self) -> impl Iterator<Item = &String> {
        self.set.iter().map(|(name, _)| name).chain(&self.remove)
    }
}

impl Sum {
    fn of(&self, item: &Item) -> Result<AttributeValue, String> {
        let (left, right, add): (_, _, fn(i128, i128) -> Option<i128>) = match self {
            Self::Only(term) => return term.of(item),
            Self::Total(left, right) => (left, right, i128::checked_add),
            Self::Difference(left, right) => (left, right, i128::checked_sub),
        };
        let whole = |term: &Term| {
            let value = term.of(item)?;
            value.whole().ok_or_else(|| {
                format!("An operand in the update expression has an incorrect data type: {}", value.kind())
            })
        };
        let sum = add(whole(left)?, whole(right)?);
        sum.map(|sum| AttributeValue::N(sum.to_string())).ok_or_else(|| "Number overflow".to_owned())
    }
}

impl Term {
    fn of(&self, item: &Item) -> Result<AttributeValue, String> {
        match self {
            Self::Operand(operand) => there(operand, item),
            Self::IfNotExists(name, otherwise) => {
                item.get(name).cloned().map_or_else(|| there(otherwise, item), Ok)
            }
            Self::ListAppend(front, back) => match (there(front, item)?, there(back, item)?) {
                (AttributeValue::L(front), AttributeValue::L(back)) => {
                    Ok(AttributeValue::L(front.into_iter().chain(back).collect()))
                }
                _ => Err("An operand in the update expression has an incorrect data type".into()),
            },
        }
    }
}

fn there(operand: &Operand, item: &Item) -> Result<AttributeValue, String> {
    operand.of(item).ok_or_else(|| {
        "The provided expression refers to an attribute that does not exist in the item".to_owned()
    })
}
