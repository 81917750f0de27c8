//! Migrations as people write them, in any number.

/// Kinds of migration files that follow each other over and over.
const KINDS: [&str; 8] = [
    "CREATE TABLE merchants_{n} (\n    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    name varchar(200) NOT NULL,\n    \
     created_at timestamptz NOT NULL DEFAULT now()\n);\nCREATE INDEX merchants_{n}_name ON merchants_{n} (name);\n",
    "SET lock_timeout = '2s';\nALTER TABLE merchants_{n} ADD COLUMN external_id text;\n",
    "CREATE INDEX CONCURRENTLY payments_{n}_merchant ON payments (merchant_id) WHERE deleted_at IS NULL;\n",
    "-- old code will break\nALTER TABLE payments RENAME COLUMN amount_{n} TO total_{n};\n",
    "ALTER TABLE devices ADD COLUMN device_uuid_{n} uuid;\nUPDATE devices SET device_uuid_{n} = device_id::uuid WHERE device_uuid_{n} IS NULL;\n",
    "ALTER TABLE stores_{n} ADD CONSTRAINT zone CHECK (timezone IS NOT NULL) NOT VALID;\nALTER TABLE stores_{n} VALIDATE CONSTRAINT zone;\n\
     ALTER TABLE stores_{n} ALTER COLUMN timezone SET NOT NULL;\nALTER TABLE stores_{n} DROP CONSTRAINT zone;\n",
    "DO $$\nBEGIN\n    IF NOT EXISTS (SELECT 1 FROM pg_type WHERE typname = 'kind_{n}') THEN\n        CREATE TYPE kind_{n} AS ENUM ('a', 'b');\n    \
     END IF;\nEND $$;\nGRANT SELECT ON payments TO reporting;\n",
    "ALTER TABLE payments DROP COLUMN legacy_{n};\nDROP VIEW IF EXISTS report_{n};\n",
];

/// So many files, each with its name and its text.
#[must_use]
pub fn migrations(files: usize) -> Vec<(String, String)> {
    let one = |number: usize| {
        let kind = KINDS[number % KINDS.len()];
        (format!("{:06}_change.sql", number + 1), kind.replace("{n}", &number.to_string()))
    };
    (0..files).map(one).collect()
}
