//! What the contract cannot see from outside: every statement is an index look-up.

use sqlx::{AssertSqlSafe, Row as _};

use super::{
    SqliteMetadata, archive, changes, collection, eviction, lifecycle, links, manifests, markers,
    registry_settings, removal, repositories, resource_requests, roles, rules, secrets, sightings,
    tags, templates, uploads,
};

/// Cost does not grow with what is stored: no statement scans a table or sorts what it found. Only
/// the two ends of the changes are read by a scan, that of an index, which stops at its first row.
#[tokio::test]
async fn every_statement_is_an_index_lookup() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteMetadata::open(directory.path().join("metadata.sqlite")).await.unwrap();
    let modules = [
        ("archive", archive::STATEMENTS),
        ("changes", changes::STATEMENTS),
        ("collection", collection::STATEMENTS),
        ("eviction", eviction::STATEMENTS),
        ("lifecycle", lifecycle::STATEMENTS),
        ("links", links::STATEMENTS),
        ("manifests", manifests::STATEMENTS),
        ("markers", markers::STATEMENTS),
        ("registry_settings", registry_settings::STATEMENTS),
        ("removal", removal::STATEMENTS),
        ("repositories", repositories::STATEMENTS),
        ("resource_requests", resource_requests::STATEMENTS),
        ("roles", roles::STATEMENTS),
        ("rules", rules::STATEMENTS),
        ("secrets", secrets::STATEMENTS),
        ("sightings", sightings::STATEMENTS),
        ("tags", tags::STATEMENTS),
        ("templates", templates::STATEMENTS),
        ("uploads", uploads::STATEMENTS),
    ];
    let mut searches = 0;
    for (module, statements) in modules {
        for (name, sql) in statements {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let plan = sqlx::query(explain).fetch_all(&store.writer).await.unwrap();
            for step in plan {
                let step: String = step.get("detail");
                let is_end = module == "changes" && ["OLDEST", "NEWEST"].contains(name);
                // What a subquery does is a step of its own.
                let is_head = step.starts_with("CORRELATED SCALAR SUBQUERY ");
                let is_lookup = step.starts_with("SEARCH ") || is_head;
                let is_cheap = is_lookup || (is_end && step == "SCAN changes");
                assert!(is_cheap, "{module}::{name}: {step}");
                searches += 1;
            }
        }
    }
    assert!(searches >= 18, "{searches} statements that read were explained");
}

/// A key alone decides: an index look-up by a part of it would still read a whole repository.
#[tokio::test]
async fn lookups_use_the_whole_key() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteMetadata::open(directory.path().join("metadata.sqlite")).await.unwrap();
    let by_key = [
        (archive::STATEMENTS, "ACTIVE_PARENT", "repository=?"),
        (archive::STATEMENTS, "ARCHIVED_PARENT", "repository=?"),
        (
            archive::STATEMENTS,
            "LIST",
            "manifests_archived (account=? AND region=? AND repository=? AND digest>?)",
        ),
        (archive::STATEMENTS, "MOVE", "digest=?"),
        (links::STATEMENTS, "FIND", "digest=?"),
        (manifests::STATEMENTS, "FIND", "digest=?"),
        (manifests::STATEMENTS, "LIST", "digest>?"),
        (manifests::STATEMENTS, "PARENT", "repository=?"),
        (manifests::STATEMENTS, "PULLED", "digest=?"),
        (manifests::STATEMENTS, "REFERRERS", "subject=? AND digest>?"),
        (removal::STATEMENTS, "LINK", "digest=?"),
        (removal::STATEMENTS, "MANIFEST", "digest=?"),
        (removal::STATEMENTS, "REFERENCE", "parent=?"),
        (removal::STATEMENTS, "TAG", "tag=?"),
        (repositories::STATEMENTS, "FIND", "name=?"),
        (repositories::STATEMENTS, "LIST", "name>?"),
        (resource_requests::STATEMENTS, "FIND", "request_token=?"),
        (resource_requests::STATEMENTS, "LIST", "(requested_at,request_token)<(?,?)"),
        (resource_requests::STATEMENTS, "OF_CLIENT_TOKEN", "client_token=? AND requested_at>?"),
        (resource_requests::STATEMENTS, "OPEN", "subject=? AND requested_at>?"),
        (resource_requests::STATEMENTS, "PRUNE", "requested_at<?"),
        (resource_requests::STATEMENTS, "REPLACE", "request_token=?"),
        (roles::STATEMENTS, "FIND", "role_key=?"),
        (roles::STATEMENTS, "LIST", "role_key>?"),
        (secrets::STATEMENTS, "FIND", "name=?"),
        (secrets::STATEMENTS, "LIST", "name>?"),
        (secrets::STATEMENTS, "VERSIONS", "name>? AND name<?"),
        (sightings::STATEMENTS, "FIND", "digest=?"),
        (sightings::STATEMENTS, "FORGET", "seen_at<?"),
        (tags::STATEMENTS, "FIND", "tag=?"),
        (tags::STATEMENTS, "LIST", "tag>?"),
        (tags::STATEMENTS, "REFRESH", "tag=?"),
        (tags::STATEMENTS, "OF_DIGESTS", "digest>? AND digest<?"),
        (templates::STATEMENTS, "FIND", "prefix_key=?"),
        (templates::STATEMENTS, "DELETE", "prefix_key=?"),
        (uploads::STATEMENTS, "ADVANCE", "id=?"),
        (uploads::STATEMENTS, "DELETE", "id=?"),
        (uploads::STATEMENTS, "FIND", "id=?"),
    ];
    for (statements, name, last_column) in by_key {
        let (_, sql) = statements.iter().find(|(held, _)| *held == name).unwrap();
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
        let step: String =
            sqlx::query(explain).fetch_one(&store.writer).await.unwrap().get("detail");
        assert!(step.contains("account=? AND region=?"), "{name}: {step}");
        assert!(step.contains(last_column), "{name}: {step}");
    }
}
