//! Which statement is about which kind of thing.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use super::expr::flat;
use super::names;
use crate::facts::{Action, Kind, Name};

pub(super) fn dropped(stmt: &ast::Stmt) -> Option<Kind> {
    Some(match stmt {
        ast::Stmt::DropTable(_) => Kind::Table,
        ast::Stmt::DropForeignTable(_) => Kind::ForeignTable,
        ast::Stmt::DropView(_) => Kind::View,
        ast::Stmt::DropMaterializedView(_) => Kind::MaterializedView,
        ast::Stmt::DropIndex(_) => Kind::Index,
        ast::Stmt::DropSequence(_) => Kind::Sequence,
        ast::Stmt::DropFunction(_) | ast::Stmt::DropRoutine(_) => Kind::Function,
        ast::Stmt::DropProcedure(_) => Kind::Procedure,
        ast::Stmt::DropAggregate(_) => Kind::Aggregate,
        ast::Stmt::DropType(_) => Kind::Type,
        ast::Stmt::DropDomain(_) => Kind::Domain,
        ast::Stmt::DropSchema(_) => Kind::Schema,
        ast::Stmt::DropTrigger(_) => Kind::Trigger,
        ast::Stmt::DropPolicy(_) => Kind::Policy,
        ast::Stmt::DropRule(_) => Kind::Rule,
        ast::Stmt::DropExtension(_) => Kind::Extension,
        ast::Stmt::DropDatabase(_) => Kind::Database,
        ast::Stmt::DropRole(_) | ast::Stmt::DropUser(_) | ast::Stmt::DropGroup(_) => Kind::Role,
        ast::Stmt::DropOwned(_) => Kind::Other("OWNED BY"),
        ast::Stmt::DropCast(_) => Kind::Other("CAST"),
        ast::Stmt::DropOperator(_) => Kind::Other("OPERATOR"),
        ast::Stmt::DropOperatorClass(_) => Kind::Other("OPERATOR CLASS"),
        ast::Stmt::DropOperatorFamily(_) => Kind::Other("OPERATOR FAMILY"),
        ast::Stmt::DropCollation(_) => Kind::Other("COLLATION"),
        ast::Stmt::DropConversion(_) => Kind::Other("CONVERSION"),
        ast::Stmt::DropEventTrigger(_) => Kind::Other("EVENT TRIGGER"),
        ast::Stmt::DropServer(_) => Kind::Other("SERVER"),
        ast::Stmt::DropForeignDataWrapper(_) => Kind::Other("FOREIGN DATA WRAPPER"),
        ast::Stmt::DropUserMapping(_) => Kind::Other("USER MAPPING"),
        ast::Stmt::DropLanguage(_) => Kind::Other("LANGUAGE"),
        ast::Stmt::DropPublication(_) => Kind::Other("PUBLICATION"),
        ast::Stmt::DropSubscription(_) => Kind::Other("SUBSCRIPTION"),
        ast::Stmt::DropStatistics(_) => Kind::Other("STATISTICS"),
        ast::Stmt::DropTablespace(_) => Kind::Other("TABLESPACE"),
        ast::Stmt::DropTextSearchConfig(_) => Kind::Other("TEXT SEARCH CONFIGURATION"),
        ast::Stmt::DropTextSearchDict(_) => Kind::Other("TEXT SEARCH DICTIONARY"),
        ast::Stmt::DropTextSearchParser(_) => Kind::Other("TEXT SEARCH PARSER"),
        ast::Stmt::DropTextSearchTemplate(_) => Kind::Other("TEXT SEARCH TEMPLATE"),
        ast::Stmt::DropTransform(_) => Kind::Other("TRANSFORM"),
        ast::Stmt::DropAccessMethod(_) => Kind::Other("ACCESS METHOD"),
        ast::Stmt::DropPropertyGraph(_) => Kind::Other("PROPERTY GRAPH"),
        _ => return None,
    })
}

pub(super) fn altered(stmt: &ast::Stmt) -> Option<Kind> {
    Some(match stmt {
        ast::Stmt::AlterForeignTable(_) => Kind::ForeignTable,
        ast::Stmt::AlterView(_) => Kind::View,
        ast::Stmt::AlterMaterializedView(_) => Kind::MaterializedView,
        ast::Stmt::AlterIndex(_) => Kind::Index,
        ast::Stmt::AlterSequence(_) => Kind::Sequence,
        ast::Stmt::AlterFunction(_) | ast::Stmt::AlterRoutine(_) => Kind::Function,
        ast::Stmt::AlterProcedure(_) => Kind::Procedure,
        ast::Stmt::AlterAggregate(_) => Kind::Aggregate,
        ast::Stmt::AlterType(_) => Kind::Type,
        ast::Stmt::AlterDomain(_) => Kind::Domain,
        ast::Stmt::AlterSchema(_) => Kind::Schema,
        ast::Stmt::AlterTrigger(_) => Kind::Trigger,
        ast::Stmt::AlterPolicy(_) => Kind::Policy,
        ast::Stmt::AlterRule(_) => Kind::Rule,
        ast::Stmt::AlterExtension(_) => Kind::Extension,
        ast::Stmt::AlterDatabase(_) => Kind::Database,
        ast::Stmt::AlterRole(_) | ast::Stmt::AlterUser(_) | ast::Stmt::AlterGroup(_) => Kind::Role,
        ast::Stmt::AlterCollation(_) => Kind::Other("COLLATION"),
        ast::Stmt::AlterConversion(_) => Kind::Other("CONVERSION"),
        ast::Stmt::AlterEventTrigger(_) => Kind::Other("EVENT TRIGGER"),
        ast::Stmt::AlterForeignDataWrapper(_) => Kind::Other("FOREIGN DATA WRAPPER"),
        ast::Stmt::AlterLanguage(_) => Kind::Other("LANGUAGE"),
        ast::Stmt::AlterOperator(_) => Kind::Other("OPERATOR"),
        ast::Stmt::AlterOperatorClass(_) => Kind::Other("OPERATOR CLASS"),
        ast::Stmt::AlterOperatorFamily(_) => Kind::Other("OPERATOR FAMILY"),
        ast::Stmt::AlterPropertyGraph(_) => Kind::Other("PROPERTY GRAPH"),
        ast::Stmt::AlterPublication(_) => Kind::Other("PUBLICATION"),
        ast::Stmt::AlterServer(_) => Kind::Other("SERVER"),
        ast::Stmt::AlterStatistics(_) => Kind::Other("STATISTICS"),
        ast::Stmt::AlterSubscription(_) => Kind::Other("SUBSCRIPTION"),
        ast::Stmt::AlterTablespace(_) => Kind::Other("TABLESPACE"),
        ast::Stmt::AlterTextSearchConfiguration(_) => Kind::Other("TEXT SEARCH CONFIGURATION"),
        ast::Stmt::AlterTextSearchDictionary(_) => Kind::Other("TEXT SEARCH DICTIONARY"),
        ast::Stmt::AlterTextSearchParser(_) => Kind::Other("TEXT SEARCH PARSER"),
        ast::Stmt::AlterTextSearchTemplate(_) => Kind::Other("TEXT SEARCH TEMPLATE"),
        _ => return None,
    })
}

pub(super) fn created(stmt: &ast::Stmt) -> Option<Kind> {
    Some(match stmt {
        ast::Stmt::CreateType(_) => Kind::Type,
        ast::Stmt::CreateDomain(_) => Kind::Domain,
        ast::Stmt::CreateSchema(_) => Kind::Schema,
        ast::Stmt::CreateSequence(_) => Kind::Sequence,
        ast::Stmt::CreateExtension(_) => Kind::Extension,
        ast::Stmt::CreateForeignTable(_) => Kind::ForeignTable,
        ast::Stmt::CreateAggregate(_) => Kind::Aggregate,
        ast::Stmt::CreateDatabase(_) => Kind::Database,
        ast::Stmt::CreateRole(_) | ast::Stmt::CreateUser(_) | ast::Stmt::CreateGroup(_) => Kind::Role,
        ast::Stmt::CreateAccessMethod(_)
        | ast::Stmt::CreateCast(_)
        | ast::Stmt::CreateCollation(_)
        | ast::Stmt::CreateConversion(_)
        | ast::Stmt::CreateForeignDataWrapper(_)
        | ast::Stmt::CreateLanguage(_)
        | ast::Stmt::CreateOperator(_)
        | ast::Stmt::CreateOperatorClass(_)
        | ast::Stmt::CreateOperatorFamily(_)
        | ast::Stmt::CreatePropertyGraph(_)
        | ast::Stmt::CreatePublication(_)
        | ast::Stmt::CreateServer(_)
        | ast::Stmt::CreateStatistics(_)
        | ast::Stmt::CreateSubscription(_)
        | ast::Stmt::CreateTablespace(_)
        | ast::Stmt::CreateTextSearchConfiguration(_)
        | ast::Stmt::CreateTextSearchDictionary(_)
        | ast::Stmt::CreateTextSearchParser(_)
        | ast::Stmt::CreateTextSearchTemplate(_)
        | ast::Stmt::CreateTransform(_)
        | ast::Stmt::CreateUserMapping(_)
        | ast::Stmt::ImportForeignSchema(_) => Kind::Other("object"),
        ast::Stmt::CreateEventTrigger(_) => Kind::Other("EVENT TRIGGER"),
        _ => return None,
    })
}

/// What is left.
pub(super) fn other(stmt: &ast::Stmt) -> Action {
    match stmt {
        ast::Stmt::AlterSystem(_)
        | ast::Stmt::AlterDefaultPrivileges(_)
        | ast::Stmt::AlterLargeObject(_)
        | ast::Stmt::Checkpoint(_)
        | ast::Stmt::Load(_)
        | ast::Stmt::Reassign(_)
        | ast::Stmt::SecurityLabel(_)
        | ast::Stmt::AlterUserMapping(_) => Action::Administer("administers the server"),
        ast::Stmt::Call(call) => Action::Runs {
            what: "calls a procedure, which is not followed",
            calls: names::first(call.syntax()).into_iter().collect(),
        },
        ast::Stmt::Explain(explain) if is_analyze(explain) => runs("runs what it explains", explain.syntax()),
        ast::Stmt::CommentOn(_) => Action::Nothing("writes a comment"),
        ast::Stmt::Analyze(_) => Action::Nothing("gathers statistics"),
        ast::Stmt::Select(_)
        | ast::Stmt::CompoundSelect(_)
        | ast::Stmt::ParenSelect(_)
        | ast::Stmt::Table(_)
        | ast::Stmt::Values(_) => runs("reads", stmt.syntax()),
        _ => Action::Nothing("changes nothing that code sees"),
    }
}

/// `EXPLAIN ANALYZE` runs the statement.
fn is_analyze(explain: &ast::Explain) -> bool {
    explain.explain_mode().is_some_and(|mode| {
        let words = flat(mode.syntax()).to_lowercase();
        words.contains("analyze") || words.contains("analyse")
    })
}

/// What runs, with the functions that it calls.
pub(super) fn runs(what: &'static str, node: &SyntaxNode) -> Action {
    let calls = node.descendants().filter(|inner| inner.kind() == SyntaxKind::CALL_EXPR);
    Action::Runs { what, calls: calls.filter_map(|call| called(&call)).collect() }
}

/// The function; nothing if it only sets something by which no name is looked up.
fn called(call: &SyntaxNode) -> Option<Name> {
    let callee = call.children().find(|child| child.kind() != SyntaxKind::ARG_LIST)?;
    let name = names::written(&flat(&callee));
    let arguments =
        call.children().find(|child| child.kind() == SyntaxKind::ARG_LIST).map(|list| flat(&list));
    let sets_other =
        |list: &String| list.starts_with("('") && !list.to_lowercase().starts_with("('search_path'");
    (name.name != "set_config" || !arguments.is_some_and(|list| sets_other(&list))).then_some(name)
}
