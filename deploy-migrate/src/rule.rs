//! The rules, by name.

use std::fmt;

use serde::{Serialize, Serializer};

macro_rules! rules {
    ($($variant:ident $id:literal $summary:literal)+) => {
        /// A rule that a statement or a file can meet.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $(#[doc = $summary] $variant,)+
        }

        impl Rule {
            /// Every rule, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name under which it is reported and allowed.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }

            /// What it finds, in a sentence.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)+ }
            }
        }
    };
}

rules! {
    DropTable "drop-table" "A table is dropped that old code uses."
    DropColumn "drop-column" "A column is dropped that old code selects or writes."
    DropView "drop-view" "A view is dropped that old code reads."
    DropRoutine "drop-function" "A function, procedure or aggregate is dropped that old code calls."
    DropType "drop-type" "A type or domain is dropped that old code casts to."
    DropDefault "drop-default" "A default is dropped on which old inserts rely."
    DropConstraint "drop-constraint" "A constraint is dropped on which old code relies."
    DropIndex "drop-index" "An index is dropped that keeps old queries fast, or writes wait while it is dropped."
    DropTrigger "drop-trigger" "A trigger is dropped or switched off that old writes rely on."
    DropObject "drop-object" "A schema, sequence, extension, policy, role or other object is dropped."
    DropDatabase "drop-database" "A database is dropped."
    RenameColumn "rename-column" "A column is renamed in place: old code names the old one."
    RenameTable "rename-table" "A table is renamed in place: old code names the old one."
    RenameObject "rename-object" "A view, function, type, schema, constraint or other object is renamed in place."
    RenameEnumValue "rename-enum-value" "A value of an enum is renamed in place: old code sends the old one."
    RenameSwap "rename-swap" "A name that was freed by a drop in the same release is given to the successor."
    SetSchema "set-schema" "An object is moved to another schema in place."
    RenameAsDropAdd "rename-as-drop-add" "A column is dropped and one like it is added: really a rename, and the data is lost."
    ChangeType "change-type" "The type of a column is changed in place."
    WidenType "widen-type" "The type of a column is widened without a rewrite, or to text from a type that is not known."
    AddNotNullColumn "add-not-null-column" "A NOT NULL column without a default is added."
    NotNullSameRelease "not-null-same-release" "A column is added and made NOT NULL, or loses its default, in one release: old inserts do not name it."
    SetNotNull "set-not-null" "A column becomes NOT NULL: old writes may leave it empty, and the table is scanned without a validated CHECK."
    IdentityAlways "identity-always" "A column is from here on numbered by PostgreSQL alone: old inserts that give it a value fail."
    VolatileDefault "volatile-default" "A column is added with a default that is computed for each row: the table is rewritten."
    SerialColumn "serial-column" "A serial or identity column is added to a table with rows: the table is rewritten."
    StoredGenerated "stored-generated-column" "A stored generated column is added: the table is rewritten."
    AddCheck "add-check" "A CHECK constraint narrows what may be written."
    AddForeignKey "add-foreign-key" "A foreign key narrows what may be written."
    AddUnique "add-unique" "Uniqueness, a primary key or an exclusion narrows what may be written."
    ValidateConstraint "validate-constraint" "A constraint is validated under the locks of its own creation."
    IndexNotConcurrently "index-not-concurrently" "An index is built while writes wait."
    ConcurrentlyInTransaction "concurrently-in-transaction" "A CONCURRENTLY form, or another that cannot run in a transaction, stands in one."
    TableRewrite "table-rewrite" "A table is written anew under an exclusive lock."
    NoLockTimeout "no-lock-timeout" "An exclusive lock is taken without a lock_timeout."
    WorkUnderLock "work-under-lock" "Long work is done in a transaction that already holds an exclusive lock."
    BackfillWithDdl "backfill-with-ddl" "Rows are filled in the same transaction as the change of the schema."
    LockTable "lock-table" "A table is locked explicitly."
    UpdateWithoutWhere "update-without-where" "Every row is updated, whatever it holds."
    DeleteWithoutWhere "delete-without-where" "Every row is deleted."
    Truncate "truncate" "A table is emptied."
    OpaqueExecute "opaque-execute" "SQL is built at run time and cannot be read."
    DdlInFunction "ddl-in-function" "A function changes the schema whenever it is called."
    AddEnumValue "add-enum-value" "An enum gets a value that old code does not know."
    AlterType "alter-type" "A composite type or a domain is changed in place."
    AttachPartition "attach-partition" "A partition is attached or created: the table is scanned, or everybody waits."
    DetachPartition "detach-partition" "A partition is detached: old reads do not find its rows."
    CreateTrigger "create-trigger" "A trigger or rule is added that old writes run."
    RowSecurity "row-security" "Row-level security or a policy changes which rows old code sees."
    Revoke "revoke" "A right is taken away, or an owner changes."
    ReplaceView "replace-view-loses-column" "A view is replaced by one that lacks a column of it."
    ReplaceRoutine "replace-function" "A function that old code calls is replaced."
    RefreshView "refresh-not-concurrently" "A materialized view is refreshed while reads wait."
    MixedPhases "mixed-phases" "One file holds statements of both phases."
    NestedTransaction "nested-transaction" "A transaction is begun or ended in a file that runs in one."
    DuplicateVersion "duplicate-version" "Two migrations have the same version."
    VersionGap "version-gap" "A version is missing between two others."
    MissingDown "missing-down" "A migration has no way back."
    MissingUp "missing-up" "A way back has no migration."
    Unreadable "syntax-error" "A statement cannot be read."
    AllowWithoutReason "allow-without-reason" "A finding is allowed without a reason, or under a name that no rule has."
}

impl Rule {
    /// The rule of this name.
    #[must_use]
    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.id() == id)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_belongs_to_one_rule() {
        for rule in Rule::ALL {
            assert_eq!(Rule::by_id(rule.id()), Some(*rule));
        }
        assert_eq!(Rule::by_id("no-such-rule"), None);
    }
}
