-- Blobs that clients are pushing, piece by piece: the bytes are in the blob store, under the id. Rows go
-- when the upload ends, so the table stays small. moved_at is when bytes last came.
CREATE TABLE uploads (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    repository TEXT NOT NULL,
    id TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    origin TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    moved_at INTEGER NOT NULL,
    PRIMARY KEY (account, region, repository, id)
) STRICT, WITHOUT ROWID;

-- Which uploads nobody goes on with.
CREATE INDEX uploads_by_moved_at ON uploads (moved_at);

-- Tags of a repository in the order of OCI distribution-spec 1.1, "Listing Tags": without regard to case.
CREATE INDEX tags_by_name ON tags (account, region, repository, tag COLLATE NOCASE, tag);
