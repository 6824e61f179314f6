-- Images that rules brought, the least recently used first: what a quota takes away.
CREATE INDEX manifests_by_use ON manifests
    (MAX(pushed_at, COALESCE(last_pulled_at, 0)), account, region, repository, digest)
    WHERE json_type(origin, '$.cached') = 'object';
