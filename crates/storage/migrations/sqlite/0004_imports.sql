-- Refresh tokens that are brought along, from before their first use until the account has them; and for a while the
-- hash of the one that was given, by which a repeated import is the same one. request is what was asked with it.
CREATE TABLE imports (
    id                   TEXT    NOT NULL PRIMARY KEY,
    site                 TEXT    NOT NULL,
    application          TEXT    NOT NULL,
    given_hash           BLOB    NOT NULL,
    mailbox_key          TEXT    NOT NULL,
    request              TEXT    NOT NULL,
    sealed_refresh_token BLOB    NOT NULL,
    generation           INTEGER NOT NULL,
    attempts             INTEGER NOT NULL,
    -- Null when it is not tried again by itself.
    next_attempt_at      INTEGER,
    account_id           TEXT    REFERENCES accounts (id) ON DELETE CASCADE,
    created_at           INTEGER NOT NULL,
    expires_at           INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX imports_under_way ON imports (site, application, given_hash) WHERE account_id IS NULL;
CREATE UNIQUE INDEX imports_done ON imports (site, application, given_hash, mailbox_key) WHERE account_id IS NOT NULL;
CREATE INDEX imports_by_account ON imports (account_id);
CREATE INDEX imports_by_expiry ON imports (expires_at);

-- When the browser came back: a process that died then finishes nothing, and the person may begin again.
ALTER TABLE connect_sessions ADD COLUMN returned_at INTEGER;

UPDATE connect_sessions SET returned_at = expires_at WHERE phase = 'returned';
