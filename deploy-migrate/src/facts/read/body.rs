//! `DO`, functions and procedures: what stands in their bodies.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::body::{Body as Parsed, BodyLanguage};
use squawk_syntax::{SourceFile, SyntaxKind, SyntaxNode};

use super::expr::flat;
use super::{Reader, kinds, names};
use crate::depth::nests_too_deep;
use crate::facts::{Act, Action, Kind};
use crate::text::Span;

impl Reader {
    /// A `DO` runs now: it is what its statements are.
    pub(super) fn block(self, block: &ast::Do) -> Vec<Act> {
        let foreign = || {
            let language =
                block.do_language().map_or_else(|| "an unknown language".to_owned(), |it| flat(it.syntax()));
            vec![self.act(block, Action::Opaque { language: Some(language) })]
        };
        let Some(parsed) = block.plpgsql() else { return foreign() };
        let mut acts = self.plpgsql(&parsed);
        if acts.iter().any(|act| act.action.changes_rows()) {
            let what = "changes rows in a block, which may go through them many times";
            acts.push(self.act(block, Action::Runs { what, calls: Vec::new() }));
        }
        acts
    }

    pub(super) fn routines(self, stmt: &ast::Stmt) -> Option<Action> {
        match stmt {
            ast::Stmt::CreateFunction(create) => {
                let body = create.plpgsql().map(|parsed| self.plpgsql(&parsed));
                let body = body.or_else(|| create.sql_body().map(|parsed| self.sql(&parsed)));
                let name = names::of_path(&create.name()?.path()?)?;
                let replace = create.or_replace().is_some();
                Some(Action::CreateRoutine {
                    kind: Kind::Function,
                    name,
                    replace,
                    body: body.unwrap_or_default(),
                })
            }
            ast::Stmt::CreateProcedure(create) => {
                let body = create.plpgsql().map(|parsed| self.plpgsql(&parsed));
                let body = body.or_else(|| create.sql_body().map(|parsed| self.sql(&parsed)));
                let name = names::of_path(&create.name()?.path()?)?;
                let replace = create.or_replace().is_some();
                Some(Action::CreateRoutine {
                    kind: Kind::Procedure,
                    name,
                    replace,
                    body: body.unwrap_or_default(),
                })
            }
            _ => None,
        }
    }

    fn sql(self, parsed: &Parsed<SourceFile>) -> Vec<Act> {
        parsed.tree().stmts().flat_map(|stmt| self.inner(parsed, &stmt)).collect()
    }

    fn plpgsql(self, parsed: &Parsed<ast::Plpgsql>) -> Vec<Act> {
        let mut acts = Vec::new();
        for node in parsed.syntax().descendants() {
            if let Some(stmt) = ast::PlpgsqlExecSqlStmt::cast(node.clone()).and_then(|exec| exec.stmt()) {
                acts.extend(self.inner(parsed, &stmt));
            } else if let Some(block) = ast::PlpgsqlDoStmt::cast(node.clone()).and_then(|stmt| stmt.do_()) {
                acts.extend(self.inner(parsed, &ast::Stmt::Do(block)));
            } else if let Some(what) = unfollowed(node.kind()) {
                let span = self.moved(parsed, &node);
                acts.push(Act { span, action: kinds::runs(what, &node) });
            } else if let Some(query) = dynamic(&node) {
                let span = self.moved(parsed, query.syntax());
                let read = text_of(query.syntax()).as_deref().and_then(actions_of);
                let actions = read.unwrap_or_else(|| vec![Action::Opaque { language: None }]);
                acts.extend(actions.into_iter().map(|action| Act { span, action }));
            }
        }
        acts
    }

    /// A statement of a body; all that it does is said to be where it stands.
    fn inner<T: BodyLanguage>(self, parsed: &Parsed<T>, stmt: &ast::Stmt) -> Vec<Act> {
        let span = self.moved(parsed, stmt.syntax());
        Self { base: 0 }.acts(stmt).into_iter().map(|act| Act { span, action: act.action }).collect()
    }

    fn moved<T: BodyLanguage>(self, parsed: &Parsed<T>, node: &SyntaxNode) -> Span {
        let range = parsed.source_range(node.text_range());
        Span::new(range.start().into(), range.end().into()).moved(self.base)
    }
}

/// What calls functions, or repeats what stands in it. An `IF` or an assignment may call them as well.
fn unfollowed(kind: SyntaxKind) -> Option<&'static str> {
    match kind {
        SyntaxKind::PLPGSQL_PERFORM_STMT | SyntaxKind::PLPGSQL_CALL_STMT => {
            Some("calls what is not followed")
        }
        SyntaxKind::PLPGSQL_FOR_I_STMT
        | SyntaxKind::PLPGSQL_FOR_QUERY_STMT
        | SyntaxKind::PLPGSQL_FOR_CURSOR_STMT
        | SyntaxKind::PLPGSQL_FOR_EACH_STMT
        | SyntaxKind::PLPGSQL_LOOP_STMT
        | SyntaxKind::PLPGSQL_WHILE_STMT => Some("repeats what stands in a loop"),
        _ => None,
    }
}

/// The text that a node runs as SQL.
fn dynamic(node: &SyntaxNode) -> Option<ast::PlpgsqlExpr> {
    ast::PlpgsqlDynExecuteStmt::cast(node.clone())
        .and_then(|execute| execute.query())
        .or_else(|| ast::PlpgsqlForDynStmt::cast(node.clone()).and_then(|each| each.query()))
        .or_else(|| ast::PlpgsqlReturnQueryExecuteStmt::cast(node.clone()).and_then(|query| query.query()))
}

/// What a piece of dynamic SQL does, if it is SQL.
fn actions_of(text: &str) -> Option<Vec<Action>> {
    if nests_too_deep(text) {
        return None;
    }
    let parse = SourceFile::parse(text);
    if !parse.errors().is_empty() {
        return None;
    }
    let reader = Reader { base: 0 };
    let acts = parse.tree().stmts().flat_map(|stmt| reader.acts(&stmt)).map(|act| act.action);
    Some(acts.collect())
}

/// A string that is known: a literal, or `format` with a literal whose places are names or values.
fn text_of(query: &SyntaxNode) -> Option<String> {
    let targets: Vec<SyntaxNode> =
        query.descendants().filter(|inner| inner.kind() == SyntaxKind::TARGET).collect();
    let [target] = targets.as_slice() else { return None };
    let expr = target.children().next()?;
    if let Some(literal) = ast::Literal::cast(expr.clone()) {
        return literal.string_value();
    }
    let call = ast::CallExpr::cast(expr)?;
    let callee = call.syntax().children().find(|child| child.kind() != SyntaxKind::ARG_LIST)?;
    if !flat(&callee).eq_ignore_ascii_case("format") {
        return None;
    }
    let mut args = call.arg_list()?.args();
    let template = ast::Literal::cast(args.next()?.syntax().children().next()?)?.string_value()?;
    let values: Vec<Option<String>> = args
        .map(|arg| {
            arg.syntax().children().next().and_then(ast::Literal::cast).and_then(|it| it.string_value())
        })
        .collect();
    filled(&template, &values)
}

/// `format`, where `%I` that is not known becomes a name that no table has. `%s` may be anything.
fn filled(template: &str, values: &[Option<String>]) -> Option<String> {
    let mut text = String::new();
    let mut next = 0;
    let mut chars = template.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let value = values.get(next).cloned().flatten();
        match chars.next()? {
            '%' => {
                text.push('%');
                continue;
            }
            'I' => text.push_str(&format!("\"{}\"", value.as_deref().unwrap_or("?").replace('"', "\"\""))),
            'L' => text.push_str(&format!("'{}'", value.as_deref().unwrap_or("?").replace('\'', "''"))),
            's' => text.push_str(&value?),
            _ => return None,
        }
        next += 1;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_is_filled_as_far_as_it_is_known() {
        let known = [Some("a".to_owned()), None];
        assert_eq!(filled("DROP TABLE %I, %I", &known).as_deref(), Some("DROP TABLE \"a\", \"?\""));
        assert_eq!(filled("DROP %s %I", &[None, None]), None);
        assert_eq!(filled("SELECT 100 %% %L", &[None]).as_deref(), Some("SELECT 100 % '?'"));
    }
}
