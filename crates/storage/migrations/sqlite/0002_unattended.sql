-- What access without the person needs: whose authority to ask, what happened, the way back, and tokens that outlive
-- a restart.

-- The tenant whose token endpoint is asked, where the application serves several.
ALTER TABLE accounts ADD COLUMN tenant TEXT;

-- The one account a session may mend. No reference: a session whose account is gone must not become an ordinary one.
ALTER TABLE connect_sessions ADD COLUMN mends TEXT;

CREATE INDEX grants_by_refresh ON grants (refreshed_at, account_id);
CREATE INDEX connect_sessions_by_end ON connect_sessions (completed_at);

-- No references here: what happened stays readable when its account is gone. site is null where it concerns the
-- gateway as a whole.
CREATE TABLE events (
    id              TEXT    NOT NULL PRIMARY KEY,
    site            TEXT,
    kind            TEXT    NOT NULL,
    account_id      TEXT,
    connect_session TEXT,
    data            TEXT    NOT NULL,
    occurred_at     INTEGER NOT NULL
) STRICT;

CREATE INDEX events_by_site ON events (site, id);
CREATE INDEX events_by_time ON events (occurred_at);

-- The moment of the last event's identifier, so that the next one comes after it whatever the clock says; and the
-- last event that was forgotten.
CREATE TABLE event_order (
    id                INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    last_milliseconds INTEGER NOT NULL,
    forgotten         TEXT    NOT NULL
) STRICT;

INSERT INTO event_order (id, last_milliseconds, forgotten) VALUES (1, 0, '');

-- What is told once only; kept much longer than the events themselves.
CREATE TABLE event_marks (
    key     TEXT    NOT NULL PRIMARY KEY,
    made_at INTEGER NOT NULL
) STRICT;

CREATE INDEX event_marks_by_time ON event_marks (made_at);

-- The way back for the person whose grant has died; there while the account is in that state and no longer.
CREATE TABLE reauth_links (
    account_id   TEXT    NOT NULL PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    event_id     TEXT    NOT NULL UNIQUE,
    token_hash   BLOB    NOT NULL UNIQUE,
    sealed_token BLOB    NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE access_tokens (
    key          TEXT    NOT NULL PRIMARY KEY,
    account_id   TEXT    REFERENCES accounts (id) ON DELETE CASCADE,
    sealed_token BLOB    NOT NULL,
    generation   INTEGER,
    obtained_at  INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) STRICT;

CREATE INDEX access_tokens_by_account ON access_tokens (account_id);
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);
