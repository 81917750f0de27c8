//! One conditional write of one item.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;

use super::item::n;
use super::table::PARTITION_KEY;

/// What is changed, and what has to hold of the item for that. Names go as placeholders, so that none can be a reserved word.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    assignments: Vec<String>,
    removals: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Change {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn set(mut self, name: &str, value: AttributeValue) -> Self {
        let assignment = format!("{} = {}", self.name(name), self.value("new", name, value));
        self.assignments.push(assignment);
        self
    }

    /// One more than it was; one, if it was not there.
    pub(super) fn count_up(mut self, name: &str) -> Self {
        let (place, zero, one) =
            (self.name(name), self.value("zero", name, n(0)), self.value("one", name, n(1)));
        let assignment = format!("{place} = if_not_exists({place}, {zero}) + {one}");
        self.assignments.push(assignment);
        self
    }

    pub(super) fn remove(mut self, name: &str) -> Self {
        let removal = self.name(name);
        self.removals.push(removal);
        self
    }

    /// Only if it has this value now.
    pub(super) fn only_if(mut self, name: &str, value: AttributeValue) -> Self {
        let condition = format!("{} = {}", self.name(name), self.value("old", name, value));
        self.conditions.push(condition);
        self
    }

    /// Only if it has any value now.
    pub(super) fn only_if_present(mut self, name: &str) -> Self {
        let condition = format!("attribute_exists({})", self.name(name));
        self.conditions.push(condition);
        self
    }

    /// Only if it has no value now.
    pub(super) fn only_if_absent(mut self, name: &str) -> Self {
        let condition = format!("attribute_not_exists({})", self.name(name));
        self.conditions.push(condition);
        self
    }

    /// Only if there is no such item, or its value is this one.
    pub(super) fn only_if_new_or(self, name: &str, value: AttributeValue) -> Self {
        self.only_if_new_or_compared(name, "=", value)
    }

    /// Only if there is no such item, or its value is below this one.
    pub(super) fn only_if_new_or_below(self, name: &str, value: AttributeValue) -> Self {
        self.only_if_new_or_compared(name, "<", value)
    }

    /// Only if there is no such item, or its value is at most this one.
    pub(super) fn only_if_new_or_at_most(self, name: &str, value: AttributeValue) -> Self {
        self.only_if_new_or_compared(name, "<=", value)
    }

    fn only_if_new_or_compared(mut self, name: &str, comparator: &str, value: AttributeValue) -> Self {
        let (key, name_placeholder) = (self.name(PARTITION_KEY), self.name(name));
        let value = self.value("old", name, value);
        self.conditions
            .push(format!("(attribute_not_exists({key}) OR {name_placeholder} {comparator} {value})"));
        self
    }

    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    fn value(&mut self, kind: &str, name: &str, value: AttributeValue) -> String {
        let placeholder = format!(":{kind}_{name}");
        self.values.insert(placeholder.clone(), value);
        placeholder
    }

    pub(super) fn on(self, call: UpdateItemFluentBuilder) -> UpdateItemFluentBuilder {
        let clause = |word: &str, parts: Vec<String>| {
            (!parts.is_empty()).then(|| format!("{word} {}", parts.join(", ")))
        };
        let clauses = [clause("SET", self.assignments), clause("REMOVE", self.removals)];
        let conditions = (!self.conditions.is_empty()).then(|| self.conditions.join(" AND "));
        call.update_expression(clauses.into_iter().flatten().collect::<Vec<_>>().join(" "))
            .set_condition_expression(conditions)
            .set_expression_attribute_names(Some(self.names))
            .set_expression_attribute_values((!self.values.is_empty()).then_some(self.values))
    }
}
