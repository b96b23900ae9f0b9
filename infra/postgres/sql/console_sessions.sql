-- name: sweep_console_sessions
-- Sessions that have ended by their age or by silence. Asked for at every sign-in, which is rare, so that the table
-- never needs any other care.
DELETE FROM console_session
 WHERE expires_at <= clock_timestamp()
    OR seen_at <= clock_timestamp() - CAST(:idle AS interval);

-- name: insert_console_session
-- A new session of an operator token; of its secret only the hash is kept.
INSERT INTO console_session (hash, token_id, expires_at)
VALUES (:hash, :token_id, clock_timestamp() + CAST(:lifetime AS interval));

-- name: find_console_session
-- The session behind a hash, with what its token may do. It is gone as soon as the token is revoked or has expired,
-- when it has become too old, or when it was silent for too long.
SELECT token.id AS token_id, token.name, token.scopes,
       session.seen_at <= clock_timestamp() - CAST(:stale AS interval) AS is_stale
  FROM console_session AS session
  JOIN api_token AS token ON token.tenant_id = 0 AND token.id = session.token_id
 WHERE session.hash = :hash
   AND session.expires_at > clock_timestamp()
   AND session.seen_at > clock_timestamp() - CAST(:idle AS interval)
   AND token.revoked_at IS NULL
   AND (token.expires_at IS NULL OR token.expires_at > clock_timestamp());

-- name: touch_console_session
-- Notes that the session is in use. The caller asks at most once a minute, so that looking at pages writes next to
-- nothing.
UPDATE console_session
   SET seen_at = clock_timestamp()
 WHERE hash = :hash;

-- name: delete_console_session
-- Ends a session; no row comes back where it has ended before.
DELETE FROM console_session
 WHERE hash = :hash
RETURNING token_id;
