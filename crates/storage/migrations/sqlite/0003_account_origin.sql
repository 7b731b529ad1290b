-- The page on which an account was connected: its person knows the site by it. Connect sessions are forgotten earlier.
ALTER TABLE accounts ADD COLUMN origin TEXT;

UPDATE accounts SET origin =
    (SELECT origin FROM connect_sessions WHERE account_id = accounts.id AND status = 'connected' ORDER BY id DESC LIMIT 1);
