//! Names in a tree.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode, NameLike};

use crate::facts::Name;

/// A name as it is referred to.
pub(super) fn of_ref(path: &ast::PathRef) -> Option<Name> {
    let name = path.segment()?.text();
    let schema = path.qualifier().and_then(|qualifier| Some(qualifier.segment()?.text()));
    Some(Name { schema, name })
}

/// A name as it is given.
pub(super) fn of_path(path: &ast::Path) -> Option<Name> {
    let name = path.segment()?.text();
    let schema = path.qualifier().and_then(|qualifier| Some(qualifier.segment()?.text()));
    Some(Name { schema, name })
}

/// The first name in a node, in either form.
pub(super) fn first(node: &SyntaxNode) -> Option<Name> {
    node.descendants().find_map(|inner| {
        ast::Path::cast(inner.clone())
            .and_then(|path| of_path(&path))
            .or_else(|| ast::PathRef::cast(inner).and_then(|path| of_ref(&path)))
    })
}

/// A name as it is written, `name` or `schema.name`.
pub(super) fn written(text: &str) -> Name {
    let (schema, name) = match text.rsplit_once('.') {
        Some((schema, name)) => (Some(unquoted(schema)), name),
        None => (None, text),
    };
    Name { schema, name: unquoted(name) }
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    match text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => text.to_lowercase(),
    }
}

/// An identifier without a schema, in PostgreSQL's lower case if it was not quoted.
pub(super) fn plain(node: &SyntaxNode) -> String {
    unquoted(&node.text().to_string())
}

pub(super) fn table(reference: Option<ast::TableRelationName>) -> Option<Name> {
    of_ref(&reference?.table_name_ref()?.path_ref()?)
}

pub(super) fn table_ref(reference: Option<ast::TableNameRef>) -> Option<Name> {
    of_ref(&reference?.path_ref()?)
}

pub(super) fn relation(reference: Option<ast::RelationName>) -> Option<Name> {
    of_ref(&reference?.relation_name_ref()?.path_ref()?)
}

/// The columns that are named in a node by reference.
pub(super) fn columns(node: &SyntaxNode) -> Vec<String> {
    node.descendants().filter_map(ast::ColumnNameRef::cast).map(|column| column.text()).collect()
}
