//! Reads a text into facts. The only module that knows the parser: another one is put in its place here.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "the parser's enums are not ours: what is not named is of no interest"
)]

mod body;
mod data;
mod expr;
mod kinds;
mod names;
mod object;
mod table;

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxNode};

use super::{Act, Action, Problem, Statement};
use crate::split::{Piece, split};
use crate::text::Span;

/// The statements of a text, each with what it does.
pub(crate) fn read(text: &str) -> Vec<Statement> {
    split(text).into_iter().map(|piece| statement(text, piece)).collect()
}

fn statement(text: &str, piece: Piece) -> Statement {
    let Piece { span, comments, too_deep } = piece;
    if too_deep {
        return Statement { span, acts: Vec::new(), comments, problem: Some(Problem::TooDeep) };
    }
    let source = text.get(span.start..span.end).unwrap_or("");
    let parse = SourceFile::parse(source);
    let problem = parse.errors().first().map(|error| {
        let range = error.range();
        Problem::Syntax {
            message: error.message().to_owned(),
            span: Span::new(range.start().into(), range.end().into()).moved(span.start),
        }
    });
    let reader = Reader { base: span.start };
    let acts = parse.tree().stmts().flat_map(|stmt| reader.acts(&stmt)).collect();
    Statement { span, acts, comments, problem }
}

/// Reads nodes of a tree whose text begins at `base` in the file.
#[derive(Clone, Copy, Debug)]
struct Reader {
    base: usize,
}

impl Reader {
    fn span(self, node: &SyntaxNode) -> Span {
        let range = node.text_range();
        Span::new(range.start().into(), range.end().into()).moved(self.base)
    }

    fn act(self, node: &impl AstNode, action: Action) -> Act {
        Act { span: self.span(node.syntax()), action }
    }

    fn acts(self, stmt: &ast::Stmt) -> Vec<Act> {
        if let ast::Stmt::AlterTable(alter) = stmt {
            return self.alter_table(alter);
        }
        if let ast::Stmt::Do(block) = stmt {
            return self.block(block);
        }
        let many = self.drops(stmt).or_else(|| self.renames(stmt)).or_else(|| self.alters(stmt));
        if let Some(actions) = many {
            return actions
                .into_iter()
                .map(|action| Act { span: self.span(stmt.syntax()), action })
                .collect();
        }
        let action = self
            .creates(stmt)
            .or_else(|| self.data(stmt))
            .or_else(|| self.routines(stmt))
            .unwrap_or_else(|| kinds::other(stmt));
        vec![Act { span: self.span(stmt.syntax()), action }]
    }
}
