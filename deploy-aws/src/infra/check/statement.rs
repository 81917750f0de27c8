//! A statement of a policy in IAM's JSON, or in YAML's.

use super::Place;
use super::facts::Statement;
use super::node::Node;

/// The statement, if it allows something.
pub(super) fn of_node(node: &Node, subject: &str, text: &dyn Fn(&Node) -> String) -> Option<Statement> {
    let effect = node.get("Effect").map(text)?;
    if effect != "Allow" {
        return None;
    }
    let all = |key| node.get(key).map(|list| list.items().into_iter().map(text).collect::<Vec<_>>());
    let not_actions = all("NotAction");
    let not_resources = all("NotResource");
    let operators = node.get("Condition").map(Node::entries).unwrap_or_default();
    let keys = operators.iter().flat_map(|operator| operator.value.entries());
    Some(Statement {
        place: Place { line: Some(node.line), subject: subject.into() },
        all_but_actions: not_actions.is_some(),
        actions: not_actions.or_else(|| all("Action")).unwrap_or_default(),
        all_but_resources: not_resources.is_some(),
        resources: not_resources.or_else(|| all("Resource")).unwrap_or_default(),
        condition_keys: keys.map(|entry| entry.key.clone()).collect(),
    })
}
