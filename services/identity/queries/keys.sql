-- signing_key_publish(kid text, jwk jsonb, lifetime_s float8) :exec
INSERT INTO signing_key (kid, jwk, verify_until) VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3::float8)) ON CONFLICT (kid) DO NOTHING;

-- signing_key_prolong(kid text, jwk jsonb, lifetime_s float8) :exec
INSERT INTO signing_key (kid, jwk, verify_until) VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3::float8))
ON CONFLICT (kid) DO UPDATE SET verify_until = greatest(signing_key.verify_until, EXCLUDED.verify_until);

-- signing_keys_forget() :exec
DELETE FROM signing_key WHERE verify_until < clock_timestamp();

-- signing_keys_all() :many -> (kid text, jwk jsonb, verify_until timestamptz)
SELECT kid, jwk, verify_until FROM signing_key ORDER BY kid;
