-- Puts logins and what ends tokens in order: services/identity/revocations.h says why that must be, and who takes the lock otherwise.
-- works-with-older-builds
--
-- The first row is the moment, the others are what was recorded after 'since'. A statement sees what was committed before it began, so the two
-- are statements of a function: the second one begins when the lock was had.

CREATE FUNCTION login_moment(since timestamptz) RETURNS TABLE (moment timestamptz, ends jsonb) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7598539152637002);
    RETURN QUERY SELECT clock_timestamp(), NULL::jsonb;
    RETURN QUERY SELECT r.created_at, r.body FROM revocation r WHERE r.created_at > since;
END $$;
