//! Data, transactions, rights and upkeep.

use squawk_syntax::SyntaxKind;
use squawk_syntax::ast::{self, AstNode};

use super::expr::{expression, flat};
use super::{Reader, kinds, names};
use crate::facts::{Action, Name};
use crate::lock::LockMode;

/// The setting by which names without a schema are looked up.
const SEARCH_PATH: &str = "search_path";

impl Reader {
    pub(super) fn data(self, stmt: &ast::Stmt) -> Option<Action> {
        let table = || names::first(stmt.syntax());
        match stmt {
            ast::Stmt::Insert(insert) => {
                let table = names::of_ref(&insert.relation_name_ref()?.path_ref()?)?;
                Some(Action::Insert { table })
            }
            ast::Stmt::Update(update) => self::update(update),
            ast::Stmt::Delete(delete) => Some(Action::Delete {
                table: names::relation(delete.relation_name())?,
                filtered: delete.where_clause_or_current_of().is_some() || delete.using_clause().is_some(),
            }),
            ast::Stmt::Merge(merge) => {
                let target = merge.syntax().children().find_map(ast::TableRelationName::cast);
                Some(Action::Merge { table: names::table(target)? })
            }
            ast::Stmt::Truncate(truncate) => Some(Action::Truncate {
                tables: truncate
                    .table_list()?
                    .table_relation_names()
                    .filter_map(|name| names::table(Some(name)))
                    .collect(),
            }),
            ast::Stmt::Copy(copy) => match copy.copy_direction()? {
                ast::CopyDirection::CopyFrom(_) => Some(Action::Insert { table: table()? }),
                ast::CopyDirection::CopyTo(_) => Some(kinds::runs("reads", copy.syntax())),
            },
            ast::Stmt::Lock(lock) => Some(Action::LockTable {
                tables: lock
                    .relation_list()?
                    .relation_names()
                    .filter_map(|name| names::relation(Some(name)))
                    .collect(),
                mode: lock
                    .lock_mode_clause()
                    .and_then(|clause| clause.lock_mode())
                    .map_or(LockMode::AccessExclusive, |mode| lock_mode(&mode)),
            }),
            ast::Stmt::Set(set) => self::set(set),
            ast::Stmt::Reset(_) | ast::Stmt::Discard(_) => reset(&flat(stmt.syntax()).to_lowercase()),
            ast::Stmt::Begin(_) => Some(Action::Begin),
            ast::Stmt::Commit(ast::Commit::CommitTransaction(_)) => Some(Action::Commit),
            ast::Stmt::Rollback(ast::Rollback::RollbackTransaction(_)) => Some(Action::Rollback),
            ast::Stmt::Grant(_) => Some(Action::Grant),
            ast::Stmt::Revoke(revoke) => Some(Action::Revoke {
                what: flat(revoke.syntax()),
                roles: revoke.role_ref_list().map_or_else(Vec::new, |list| {
                    list.role_refs().map(|role| names::plain(role.syntax())).collect()
                }),
            }),
            _ => upkeep(stmt),
        }
    }
}

fn update(update: &ast::Update) -> Option<Action> {
    let table = names::relation(update.relation_name())?;
    let set = update.set_clause()?;
    let columns = set
        .syntax()
        .descendants()
        .filter(|inner| inner.kind() == SyntaxKind::COLUMN_TARGET)
        .flat_map(|target| names::columns(&target))
        .collect();
    let reads = set
        .syntax()
        .descendants()
        .filter(|inner| inner.kind() == SyntaxKind::SET_EXPR)
        .flat_map(|inner| expression(&inner).columns)
        .collect();
    let filtered = update.where_clause_or_current_of().is_some() || update.from_clause().is_some();
    Some(Action::Update { table, columns, reads, filtered })
}

fn set(set: &ast::Set) -> Option<Action> {
    let config = match set.set_target()? {
        ast::SetTarget::SetConfig(config) => config,
        ast::SetTarget::SetSchemaValue(schema) => {
            let value = schema.literal()?.string_value()?;
            return Some(Action::Set { name: SEARCH_PATH.to_owned(), value });
        }
        _ => return Some(Action::Nothing("sets the session up")),
    };
    let name = names::of_ref(&config.config_parameter_ref()?.path_ref()?)?.name;
    let value = config.config_assignment().map_or_else(String::new, |value| flat(value.syntax()));
    let value = value.trim_start_matches(['=', ' ']).trim_matches('\'').to_owned();
    Some(Action::Set { name, value })
}

/// `RESET` and `DISCARD`, as far as names are looked up otherwise afterwards.
fn reset(text: &str) -> Option<Action> {
    if text.starts_with("discard") {
        return Some(Action::Discard);
    }
    let words: Vec<&str> = text.trim_end_matches(';').split_whitespace().collect();
    let value = "default".to_owned();
    matches!(words.as_slice(), ["reset", "all" | SEARCH_PATH])
        .then(|| Action::Set { name: SEARCH_PATH.to_owned(), value })
}

fn lock_mode(mode: &ast::LockMode) -> LockMode {
    match mode {
        ast::LockMode::AccessShare(_) => LockMode::AccessShare,
        ast::LockMode::RowShare(_) => LockMode::RowShare,
        ast::LockMode::RowExclusive(_) => LockMode::RowExclusive,
        ast::LockMode::ShareUpdateExclusive(_) => LockMode::ShareUpdateExclusive,
        ast::LockMode::Share(_) => LockMode::Share,
        ast::LockMode::ShareRowExclusive(_) => LockMode::ShareRowExclusive,
        ast::LockMode::Exclusive(_) => LockMode::Exclusive,
        ast::LockMode::AccessExclusive(_) => LockMode::AccessExclusive,
    }
}

fn upkeep(stmt: &ast::Stmt) -> Option<Action> {
    match stmt {
        ast::Stmt::Refresh(refresh) => Some(Action::RefreshView {
            name: names::of_ref(&refresh.view_ref()?.path_ref()?)?,
            concurrently: refresh.concurrently_token().is_some(),
        }),
        ast::Stmt::Reindex(reindex) => {
            let text = flat(reindex.syntax());
            let concurrently = text.to_lowercase().contains("concurrently");
            Some(Action::Reindex { concurrently, text })
        }
        ast::Stmt::Cluster(cluster) => Some(Action::Cluster { table: names::first(cluster.syntax()) }),
        ast::Stmt::Vacuum(vacuum) => {
            let options = vacuum.vacuum_option_list().map_or_else(String::new, |list| flat(list.syntax()));
            let full = vacuum.full_token().is_some() || options.to_lowercase().contains("full");
            let tables: Vec<Name> = vacuum.table_and_columns_list().map_or_else(Vec::new, |list| {
                list.syntax().children().filter_map(|child| names::first(&child)).collect()
            });
            Some(Action::Vacuum { full, tables })
        }
        _ => None,
    }
}
