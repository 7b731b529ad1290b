-- Optional values are the columns without NOT NULL. Times are seconds since 1970 (UTC).
-- A column named *_hash holds a SHA-256; one named sealed_* holds an AES-256-GCM value bound to its row.

CREATE TABLE data_keys (
    id            TEXT    NOT NULL PRIMARY KEY,
    master_key_id TEXT    NOT NULL,
    wrapped       BLOB    NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    id              TEXT    NOT NULL PRIMARY KEY,
    site            TEXT    NOT NULL,
    application     TEXT    NOT NULL,
    flow            TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    imap_user       TEXT    NOT NULL,
    smtp_user       TEXT    NOT NULL,
    from_address    TEXT    NOT NULL,
    identity        TEXT,
    -- Who connected (see Identity::key) and the mailbox in lower case: what makes a reconnect the same account.
    identity_key    TEXT    NOT NULL,
    mailbox_key     TEXT    NOT NULL,
    diagnosis       TEXT,
    next_attempt_at INTEGER,
    metadata        TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    UNIQUE (site, application, flow, identity_key, mailbox_key)
) STRICT;

CREATE INDEX accounts_by_site ON accounts (site, id);
CREATE INDEX accounts_by_state ON accounts (state, id);

CREATE TABLE grants (
    account_id           TEXT    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    sealed_refresh_token BLOB    NOT NULL,
    scopes               TEXT    NOT NULL,
    obtained_at          INTEGER NOT NULL,
    refreshed_at         INTEGER NOT NULL,
    generation           INTEGER NOT NULL
) STRICT;

CREATE TABLE connect_sessions (
    id                 TEXT    NOT NULL PRIMARY KEY,
    site               TEXT    NOT NULL,
    application        TEXT    NOT NULL,
    origin             TEXT    NOT NULL,
    user_label         TEXT,
    login_hint         TEXT,
    mailbox            TEXT,
    return_url         TEXT,
    metadata           TEXT    NOT NULL,
    client_token_hash  BLOB    NOT NULL UNIQUE,
    status             TEXT    NOT NULL,
    phase              TEXT    NOT NULL,
    account_id         TEXT    REFERENCES accounts (id) ON DELETE SET NULL,
    diagnosis          TEXT,
    consent_state_hash BLOB    UNIQUE,
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    completed_at       INTEGER
) STRICT;

CREATE INDEX connect_sessions_by_site ON connect_sessions (site, id);
CREATE INDEX connect_sessions_by_expiry ON connect_sessions (status, expires_at);
CREATE INDEX connect_sessions_by_account ON connect_sessions (account_id);

-- The browser's trip to the authority. The row is deleted by whoever consumes its state: exactly one can.
CREATE TABLE connect_attempts (
    session_id           TEXT    NOT NULL PRIMARY KEY REFERENCES connect_sessions (id) ON DELETE CASCADE,
    state_hash           BLOB    NOT NULL UNIQUE,
    browser_hash         BLOB    NOT NULL,
    sealed_nonce         BLOB    NOT NULL,
    sealed_code_verifier BLOB    NOT NULL,
    started_at           INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id           TEXT    NOT NULL PRIMARY KEY,
    site         TEXT    NOT NULL,
    label        TEXT    NOT NULL,
    secret_hash  BLOB    NOT NULL UNIQUE,
    hint         TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT;

-- Written by ping, which thereby knows that writing works.
CREATE TABLE pings (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    answered INTEGER NOT NULL
) STRICT;

INSERT INTO pings (id, answered) VALUES (1, 0);
