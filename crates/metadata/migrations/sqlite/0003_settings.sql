-- What a repository and a registry are set to do, as JSON. There is no row where nothing was set. Rows
-- may be wide (policies are part of them), so these tables are not clustered by their keys.

CREATE TABLE repository_settings (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    repository TEXT NOT NULL,
    settings TEXT NOT NULL,
    PRIMARY KEY (account, region, repository),
    FOREIGN KEY (account, region, repository) REFERENCES repositories ON DELETE CASCADE
) STRICT;

CREATE TABLE registry_settings (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    settings TEXT NOT NULL,
    PRIMARY KEY (account, region)
) STRICT;
