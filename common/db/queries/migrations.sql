-- One daemon migrates at a time. The number is nobody else's: names are hashed (db_lock_name), this one is not.
-- migration_lock() :exec
SELECT pg_advisory_xact_lock(7598539152637001);

-- Migrations may take long, and may wait long for each other.
-- migration_lift_deadlines() :exec
SELECT set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true);

-- migration_table_exists() :one -> (found bool)
SELECT to_regclass('schema_migration') IS NOT NULL AS found;

-- migration_table_create() :exec
CREATE TABLE IF NOT EXISTS schema_migration (
    set_name text NOT NULL,
    number integer NOT NULL,
    name text NOT NULL,
    sha256 text NOT NULL,
    works_with_older boolean NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (set_name, number)
);

-- migration_history(set_name text) :many -> (number int4, name text, sha256 text, works_with_older bool)
SELECT number, name, sha256, works_with_older FROM schema_migration WHERE set_name = $1 ORDER BY number;

-- migration_record(set_name text, number int4, name text, sha256 text, works_with_older bool) :exec
INSERT INTO schema_migration (set_name, number, name, sha256, works_with_older) VALUES ($1, $2, $3, $4, $5);
