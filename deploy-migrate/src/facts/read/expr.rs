//! Types and expressions.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::facts::{Expression, Type};

/// A type, with its aliases resolved.
pub(super) fn ty(node: &ast::Type) -> Type {
    let text = flat(node.syntax());
    let array = matches!(node, ast::Type::ArrayType(_));
    let lower = text.to_lowercase();
    let base = lower.split(['(', '[']).next().unwrap_or("").trim().to_owned();
    let zone = lower.contains("with time zone") && !lower.contains("without time zone");
    let name = canonical(&base, zone);
    let args: Option<Vec<u32>> = match lower.split_once('(').and_then(|(_, rest)| rest.split_once(')')) {
        Some((inner, _)) => inner.split(',').map(|arg| arg.trim().parse().ok()).collect(),
        None => Some(Vec::new()),
    };
    let args = args.unwrap_or_default();
    let args = if args.is_empty() && matches!(name.as_str(), "bpchar" | "bit") { vec![1] } else { args };
    Type { name, args, array, text }
}

/// The name under which PostgreSQL itself knows a type.
fn canonical(base: &str, zone: bool) -> String {
    let base = base.strip_prefix("pg_catalog.").unwrap_or(base);
    let base = base.trim_matches('"');
    match base {
        "character varying" | "char varying" | "national character varying" | "nchar varying" => "varchar",
        "character" | "char" | "nchar" | "national character" => "bpchar",
        "int" | "integer" => "int4",
        "bigint" => "int8",
        "smallint" => "int2",
        "serial4" => "serial",
        "serial8" => "bigserial",
        "serial2" => "smallserial",
        "decimal" | "dec" => "numeric",
        "real" => "float4",
        "double precision" | "float" => "float8",
        "boolean" => "bool",
        "bit varying" => "varbit",
        _ if base.starts_with("timestamp") && base != "timestamptz" => {
            if zone {
                "timestamptz"
            } else {
                "timestamp"
            }
        }
        _ if base == "time" || base.starts_with("time ") => {
            if zone {
                "timetz"
            } else {
                "time"
            }
        }
        _ => base,
    }
    .to_owned()
}

/// An expression, and what matters of it.
pub(super) fn expression(node: &SyntaxNode) -> Expression {
    let text = flat(node);
    let calls = node
        .descendants()
        .filter_map(|inner| match inner.kind() {
            SyntaxKind::CALL_EXPR => {
                let callee = inner.children().find(|child| child.kind() != SyntaxKind::ARG_LIST);
                callee.map(|callee| flat(&callee).to_lowercase())
            }
            SyntaxKind::NAME_REF => {
                let word = flat(&inner).to_lowercase();
                word.starts_with("current_").then_some(word)
            }
            _ => None,
        })
        .collect();
    let columns = node
        .descendants()
        .filter(|inner| inner.kind() == SyntaxKind::NAME_REF)
        .map(|inner| super::names::plain(&inner))
        .collect();
    Expression { null: text.eq_ignore_ascii_case("null"), calls, columns, not_null: not_null(&text), text }
}

/// The column of `x IS NOT NULL`.
fn not_null(text: &str) -> Option<String> {
    let mut text = text.trim();
    while let Some(inner) = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        text = inner.trim();
    }
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let [column, "is", "not", "null"] = words.as_slice() else { return None };
    let written = text.split_whitespace().next()?;
    let plain = match written.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) => inner.to_owned(),
        None => (*column).to_owned(),
    };
    plain.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$').then_some(plain)
}

/// The text of a node on one line, without comments.
pub(super) fn flat(node: &SyntaxNode) -> String {
    let mut text = String::new();
    for element in node.descendants_with_tokens() {
        let Some(token) = element.into_token() else { continue };
        match token.kind() {
            SyntaxKind::COMMENT => {}
            SyntaxKind::WHITESPACE => {
                if !text.ends_with(' ') {
                    text.push(' ');
                }
            }
            _ => text.push_str(token.text()),
        }
    }
    text.trim().to_owned()
}
