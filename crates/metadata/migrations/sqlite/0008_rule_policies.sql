-- The policy of a rule: JSON, absent where it has none.
ALTER TABLE rules ADD COLUMN policy TEXT;

-- When the manifest of a digest was first seen at an upstream by a rule that lets in only what is old
-- enough.
CREATE TABLE sightings (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    digest TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (account, region, digest)
) STRICT;

CREATE INDEX sightings_by_time ON sightings (account, region, seen_at);
