-- Roles belong to an account: they are kept under one region of its own (see the registry room). The key
-- is the name in lower case. Columns named tags, inline_policies and attached_policies hold JSON.
CREATE TABLE roles (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    role_key TEXT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    role_id TEXT NOT NULL,
    assume_role_policy TEXT NOT NULL,
    description TEXT,
    max_session_secs INTEGER NOT NULL,
    permissions_boundary TEXT,
    tags TEXT NOT NULL,
    inline_policies TEXT NOT NULL,
    attached_policies TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account, region, role_key)
) STRICT;

-- Secrets that are scheduled for deletion, by the moment they will be gone.
CREATE INDEX secrets_by_deletion ON secrets (delete_after) WHERE delete_after IS NOT NULL;
