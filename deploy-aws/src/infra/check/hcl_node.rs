//! A Terraform file as the same tree as a CloudFormation document: a block is a mapping under its name and labels.

use hcl::edit::expr::{Expression, FuncCall, ObjectKey};
use hcl::edit::structure::{Block, Body, Structure};
use hcl::edit::{Span, parser};

use super::node::{Entry, Node, Value};
use crate::infra::InfraError;

/// The call that an expression becomes which is neither a plain value nor a function: a traversal such as `var.name`, a template,
/// an operation.
pub(super) const EXPRESSION: &str = "expression";

pub(super) fn parse(text: &str) -> Result<Node, InfraError> {
    let body = parser::parse_body(text).map_err(|error| InfraError::Unreadable {
        line: error.location().line(),
        problem: error.message().to_owned(),
    })?;
    let reader = Reader { line_starts: text.match_indices('\n').map(|(at, _)| at).collect() };
    Ok(Node { line: 1, value: reader.body(&body) })
}

struct Reader {
    /// Where each line ends, and so where the next begins.
    line_starts: Vec<usize>,
}

impl Reader {
    fn line(&self, of: &impl Span) -> Option<usize> {
        of.span().map(|span| self.line_starts.partition_point(|end| *end < span.start) + 1)
    }

    fn body(&self, body: &Body) -> Value {
        let entries = body.iter().map(|structure| match structure {
            Structure::Attribute(attribute) => {
                let line = self.line(attribute).unwrap_or(1);
                let value = self.node(&attribute.value, line);
                Entry { key: attribute.key.to_string(), line, value }
            }
            Structure::Block(block) => self.block(block),
        });
        Value::Map(entries.collect())
    }

    fn block(&self, block: &Block) -> Entry {
        let line = self.line(block).unwrap_or(1);
        let inner = Node { line, value: self.body(&block.body) };
        let labelled = block.labels.iter().rev().fold(inner, |value, label| {
            let key = label.as_str().to_owned();
            Node { line, value: Value::Map(vec![Entry { key, line, value }]) }
        });
        Entry { key: block.ident.to_string(), line, value: labelled }
    }

    /// `above` is the line of what holds the expression, for those that have no place of their own.
    fn node(&self, expression: &Expression, above: usize) -> Node {
        let line = self.line(expression).unwrap_or(above);
        let value = match expression {
            Expression::Null(_) => Value::Null,
            Expression::Bool(value) => Value::Bool(*value.value()),
            Expression::Number(value) => value.value().as_f64().map_or(Value::Null, Value::Number),
            Expression::String(text) => Value::Text(text.value().clone()),
            Expression::Array(items) => Value::List(items.iter().map(|item| self.node(item, line)).collect()),
            Expression::Object(object) => {
                let entries = object.iter().map(|(key, value)| {
                    let node = self.node(value.expr(), line);
                    Entry { key: key_text(key), line: node.line, value: node }
                });
                Value::Map(entries.collect())
            }
            Expression::Parenthesis(inner) => return self.node(inner.inner(), line),
            Expression::FuncCall(call) => self.call(call, line),
            Expression::HeredocTemplate(heredoc) => {
                let text = heredoc.template.to_string();
                if !text.contains("${") && !text.contains("%{") {
                    // It begins in the line after its delimiter.
                    return Node { line: line + 1, value: Value::Text(text) };
                }
                unknown(expression, line)
            }
            Expression::StringTemplate(_)
            | Expression::Variable(_)
            | Expression::Conditional(_)
            | Expression::Traversal(_)
            | Expression::UnaryOp(_)
            | Expression::BinaryOp(_)
            | Expression::ForExpr(_) => unknown(expression, line),
        };
        Node { line, value }
    }

    fn call(&self, call: &FuncCall, line: usize) -> Value {
        let arguments = call.args.iter().map(|argument| self.node(argument, line)).collect();
        let arguments = Node { line, value: Value::List(arguments) };
        Value::Call(call.name.name.to_string(), Box::new(arguments))
    }
}

fn unknown(expression: &Expression, line: usize) -> Value {
    let source = Value::Text(expression.to_string().trim().to_owned());
    Value::Call(EXPRESSION.into(), Box::new(Node { line, value: source }))
}

fn key_text(key: &ObjectKey) -> String {
    match key {
        ObjectKey::Ident(ident) => ident.as_str().to_owned(),
        ObjectKey::Expression(expression) => {
            expression.as_str().map_or_else(|| expression.to_string().trim().to_owned(), str::to_owned)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_mappings_that_know_their_lines() {
        let node = parse("# first\nresource \"a\" \"b\" {\n  x = 1\n  y {\n    z = var.q\n  }\n}\n").unwrap();
        let inner =
            node.get("resource").and_then(|node| node.get("a")).and_then(|node| node.get("b")).unwrap();
        assert_eq!((inner.line, inner.get("x").unwrap().number()), (2, Some(1.0)));
        let z = inner.get("y").unwrap().get("z").unwrap();
        assert_eq!(z.line, 5);
        assert!(
            matches!(&z.value, Value::Call(name, source) if name == EXPRESSION && source.text() == Some("var.q"))
        );
    }

    #[test]
    fn what_is_no_file_of_terraform_is_an_error_with_its_line() {
        let error = parse("a = 1\nb = {\n").unwrap_err();
        assert!(matches!(error, InfraError::Unreadable { line: 2.., .. }), "{error:?}");
        assert!(parse(&format!("a = {}", "[".repeat(200_000))).is_err());
    }
}
