//! What a database's schema is, as lines that can be compared.

use std::collections::BTreeSet;

use mpac_deploy_core::port::PortError;

use super::session::Session;
use super::version::VersionTable;

/// A schema as sorted lines, one for each thing in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Catalog(BTreeSet<String>);

impl Catalog {
    /// Reads the schema of a database, without the table in which the tool keeps its version.
    pub(super) async fn read(session: &Session, without: &VersionTable) -> Result<Self, PortError> {
        let mut lines = BTreeSet::new();
        for query in QUERIES {
            let rows = session.rows(&format!("{COMMON} {query}"), &[&without.sql()]).await?;
            for row in rows {
                let line: Option<String> =
                    row.try_get(0).map_err(|error| super::session::failed(query, &error))?;
                lines.extend(line);
            }
        }
        Ok(Self(lines))
    }

    /// What is missing in a later one, and what is there that was not.
    pub(super) fn changes_to(&self, later: &Self) -> Vec<String> {
        let missing = self.0.difference(&later.0).map(|line| format!("missing: {line}"));
        let left = later.0.difference(&self.0).map(|line| format!("left behind: {line}"));
        missing.chain(left).collect()
    }
}

/// Rights in an order of their own, since PostgreSQL keeps that in which they were given; `none` if all were taken.
macro_rules! sorted {
    ($acl:expr) => {
        concat!(
            "coalesce((SELECT string_agg(a::text, ', ' ORDER BY a::text) FROM unnest(",
            $acl,
            ") a), 'none')"
        )
    };
}

/// The rights, if they are not those that everything of its kind has.
macro_rules! rights {
    ($acl:literal, $kind:literal, $owner:literal) => {
        concat!(
            "CASE WHEN ",
            $acl,
            " IS NOT NULL AND ",
            sorted!($acl),
            " <> ",
            sorted!(concat!("acldefault('", $kind, "', ", $owner, ")")),
            " THEN ' rights ' || ",
            sorted!($acl),
            " ELSE '' END"
        )
    };
}

/// `ours` are the schemas that belong to nobody else, `rel` the tables, views and sequences in them that no extension brought.
const COMMON: &str = "WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'), \
    brought AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'), \
    rel AS (SELECT c.*, format('%I.%I', n.nspname, c.relname) AS called FROM pg_class c JOIN ours n ON n.oid = c.relnamespace \
        WHERE c.oid IS DISTINCT FROM to_regclass($1)::oid \
        AND NOT EXISTS (SELECT FROM brought b WHERE b.classid = 'pg_class'::regclass AND b.objid = c.oid))";

const QUERIES: [&str; 16] = [
    concat!(
        "SELECT format('schema %I %s', nspname, (SELECT ",
        rights!("nspacl", "n", "nspowner"),
        " FROM pg_namespace n WHERE n.oid = ours.oid)) FROM ours"
    ),
    "SELECT format('extension %I %s', extname, extversion) FROM pg_extension",
    concat!(
        "SELECT format('%s %s%s%s%s%s%s', CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table' WHEN 'v' THEN 'view' \
        WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table' ELSE 'type' END, called, \
        CASE relpersistence WHEN 'u' THEN ' unlogged' ELSE '' END, \
        CASE WHEN relrowsecurity THEN ' with row security' ELSE '' END || CASE WHEN relforcerowsecurity THEN ' that is forced' ELSE '' END \
        || CASE WHEN relreplident NOT IN ('d', 'n') OR relreplident = 'n' AND relkind IN ('r', 'p') THEN ' replica identity ' || relreplident::text ELSE '' END \
        || coalesce(' inherits ' || (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno) FROM pg_inherits i WHERE i.inhrelid = rel.oid), '') \
        || ' of ' || pg_get_userbyid(relowner), \
        CASE WHEN relispartition THEN ' partition ' || pg_get_expr(relpartbound, oid) ELSE '' END, \
        CASE WHEN relkind IN ('v', 'm') THEN ' as ' || pg_get_viewdef(oid) ELSE '' END, \
        ",
        rights!("relacl", "r", "relowner"),
        " || coalesce(' options ' || reloptions::text, '')) \
        FROM rel WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'c')"
    ),
    concat!(
        "SELECT format('column %s.%I %s%s%s%s%s%s', r.called, a.attname, format_type(a.atttypid, a.atttypmod), \
        CASE WHEN a.attnotnull THEN ' not null' ELSE '' END, \
        coalesce(CASE WHEN a.attgenerated <> '' THEN ' generated ' ELSE ' default ' END || pg_get_expr(d.adbin, d.adrelid), ''), \
        CASE a.attidentity WHEN 'a' THEN ' identity always' WHEN 'd' THEN ' identity' ELSE '' END, \
        CASE WHEN a.attacl IS NOT NULL THEN ' rights ' || ",
        sorted!("a.attacl"),
        " ELSE '' END, \
        coalesce(' collate ' || (SELECT l.collname FROM pg_collation l JOIN pg_type t ON t.oid = a.atttypid WHERE l.oid = a.attcollation AND l.oid <> t.typcollation), '')) \
        FROM rel r JOIN pg_attribute a ON a.attrelid = r.oid LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum \
        WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped"
    ),
    "SELECT format('constraint %I on %s: %s', c.conname, r.called, pg_get_constraintdef(c.oid)) FROM pg_constraint c \
        JOIN rel r ON r.oid = c.conrelid WHERE c.contype NOT IN ('t', 'n')",
    "SELECT format('index %s%s', pg_get_indexdef(i.indexrelid), CASE WHEN i.indisvalid THEN '' ELSE ' invalid' END) \
        FROM pg_index i JOIN rel r ON r.oid = i.indrelid",
    "SELECT format('trigger %s%s', pg_get_triggerdef(t.oid), CASE t.tgenabled WHEN 'O' THEN '' ELSE ' enabled ' || t.tgenabled::text END) \
        FROM pg_trigger t JOIN rel r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal",
    // Those of constraints have names of their own in every database.
    "SELECT format('triggers of constraints of %s: %s not as usual', r.called, count(*)) FROM pg_trigger t JOIN rel r ON r.oid = t.tgrelid \
        WHERE t.tgisinternal AND t.tgenabled <> 'O' GROUP BY r.called",
    "SELECT format('rule %s', pg_get_ruledef(w.oid)) FROM pg_rewrite w JOIN rel r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'",
    "SELECT format('policy %I on %s %s for %s to %s using %s check %s', p.polname, r.called, CASE WHEN p.polpermissive THEN 'permits' ELSE 'restricts' END, p.polcmd, p.polroles, \
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) FROM pg_policy p JOIN rel r ON r.oid = p.polrelid",
    concat!(
        "SELECT format('function %s %s', p.oid::regprocedure, CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) ELSE '' END \
        || ' of ' || pg_get_userbyid(p.proowner) || ",
        rights!("p.proacl", "f", "p.proowner"),
        ") \
        FROM pg_proc p JOIN ours n ON n.oid = p.pronamespace WHERE NOT EXISTS (SELECT FROM brought b WHERE b.classid = 'pg_proc'::regclass AND b.objid = p.oid)"
    ),
    concat!(
        "SELECT format('type %I.%I %s %s %s', n.nspname, t.typname, t.typtype, \
        (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), \
        CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) || coalesce(' default ' || t.typdefault, '') \
        || CASE WHEN t.typnotnull THEN ' not null' ELSE '' END || coalesce(' ' || (SELECT string_agg(pg_get_constraintdef(c.oid), ' ' \
        ORDER BY c.conname) FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c'), '') ELSE '' END \
        || ' of ' || pg_get_userbyid(t.typowner) || ",
        rights!("t.typacl", "T", "t.typowner"),
        ") \
        FROM pg_type t JOIN ours n ON n.oid = t.typnamespace WHERE t.typtype IN ('e', 'd', 'r') \
        AND NOT EXISTS (SELECT FROM brought b WHERE b.classid = 'pg_type'::regclass AND b.objid = t.oid)"
    ),
    concat!(
        "SELECT format('sequence %s %s from %s by %s, %s to %s, cache %s%s of %s%s%s', r.called, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, \
        s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN ' in a circle' ELSE '' END, pg_get_userbyid(r.relowner), \
        ",
        rights!("r.relacl", "s", "r.relowner"),
        ", \
        coalesce(' owned by ' || (SELECT format('%s.%I', d.refobjid::regclass, a.attname) FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid \
        AND a.attnum = d.refobjsubid WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')), '')) \
        FROM pg_sequence s JOIN rel r ON r.oid = s.seqrelid"
    ),
    "SELECT format('statistics %s', pg_get_statisticsobjdef(x.oid)) FROM pg_statistic_ext x JOIN rel r ON r.oid = x.stxrelid",
    concat!(
        "SELECT format('default rights of %s in %s for %s: %s', pg_get_userbyid(d.defaclrole), n.nspname, d.defaclobjtype, ",
        sorted!("d.defaclacl"),
        ") \
        FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace"
    ),
    "SELECT format('event trigger %I on %s runs %s, enabled %s', e.evtname, e.evtevent, e.evtfoid::regproc, e.evtenabled) FROM pg_event_trigger e \
        WHERE NOT EXISTS (SELECT FROM brought b WHERE b.classid = 'pg_event_trigger'::regclass AND b.objid = e.oid)",
];
