-- Waits for the lock of that name; it ends with the transaction.
-- db_lock_name(name text) :exec
SELECT pg_advisory_xact_lock(hashtextextended($1, 0));
