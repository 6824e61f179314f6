-- Repository creation templates. The columns applied_for and settings hold JSON.
CREATE TABLE templates (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    prefix_key TEXT NOT NULL,
    prefix TEXT NOT NULL,
    description TEXT,
    applied_for TEXT NOT NULL,
    settings TEXT NOT NULL,
    custom_role_arn TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (account, region, prefix_key)
) STRICT;
