//! Opening, closing and refusing SQLite files.

use std::{error::Error as _, fs, path::Path};

use metadata::{
    AccountId, EcrRepositoryPrefix, Error, MetadataStore as _, NewSecret, OpenError, Region,
    RegistryId, RepositorySettings, RepositoryStore as _, Revision, Rule, RuleCredentials,
    RuleStore as _, Secret, SecretId, SecretStore as _, SqliteMetadata, Timestamp,
};
use oci::RepositoryName;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

fn registry() -> RegistryId {
    RegistryId {
        account: AccountId::parse("000000000000").unwrap(),
        region: Region::parse("us-east-1").unwrap(),
    }
}

fn rule(prefix: &str) -> Rule {
    Rule {
        ecr_repository_prefix: EcrRepositoryPrefix::parse(prefix).unwrap(),
        upstream_registry_url: "quay.io".into(),
        upstream_registry: None,
        upstream_repository_prefix: None,
        credentials: RuleCredentials::default(),
        policy: None,
        created_at: Timestamp(1),
        updated_at: Timestamp(1),
    }
}

/// The newest version of the schema: each is a file whose name begins with its number.
fn newest_schema() -> i64 {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let names = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.to_str().unwrap()[..4].parse().unwrap()).max().unwrap()
}

/// Runs statements past the store.
async fn execute(path: &Path, statements: &str) {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Asks one question past the store.
async fn ask<T>(path: &Path, question: &'static str) -> T
where
    T: for<'r> sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite> + Send + Unpin,
{
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let answer = sqlx::query_scalar(question).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    answer
}

#[tokio::test]
async fn facts_survive_a_reopen() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.sqlite");
    let secret = Secret {
        name: "token".into(),
        arn_suffix: "AbCdEf".into(),
        description: None,
        kms_key_id: None,
        tags: Vec::new(),
        resource_policy: None,
        created_at: Timestamp(1),
        changed_at: Timestamp(1),
        delete_after: None,
        deleted_at: None,
        versions: Vec::new(),
    };
    let store = SqliteMetadata::open(&path).await.unwrap();
    store.create_rule(&registry(), &rule("quay"), None).await.unwrap();
    store.create_secret(&registry(), &NewSecret { secret: secret.clone() }).await.unwrap();
    store.create_marker("keyring", b"proof").await.unwrap();
    store.close().await;
    let log = path.with_extension("sqlite-wal");
    assert!(!log.try_exists().unwrap(), "a closed store leaves no log behind");
    assert!(matches!(store.rules(&registry()).await, Err(Error::Unavailable(_))));

    let store = SqliteMetadata::open(&path).await.unwrap();
    assert_eq!(store.rules(&registry()).await.unwrap(), [rule("quay")]);
    let by_name = SecretId::Name("token".into());
    assert_eq!(store.secret(&registry(), &by_name, Timestamp(2)).await.unwrap(), secret);
    assert_eq!(store.marker("keyring").await.unwrap().as_deref(), Some(b"proof".as_slice()));
    let changes = store.changes_since(Revision(1)).await.unwrap();
    assert_eq!((changes.revision, changes.changes.map(|c| c.len())), (Revision(2), Some(1)));
}

/// What was acknowledged is in the file and its log before anything is closed.
#[tokio::test]
async fn facts_survive_an_abrupt_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.sqlite");
    let store = SqliteMetadata::open(&path).await.unwrap();
    store.create_rule(&registry(), &rule("quay"), None).await.unwrap();
    let copy = tempfile::tempdir().unwrap();
    for name in ["metadata.sqlite", "metadata.sqlite-wal"] {
        fs::copy(directory.path().join(name), copy.path().join(name)).unwrap();
    }
    let restored = SqliteMetadata::open(copy.path().join("metadata.sqlite")).await.unwrap();
    assert_eq!(restored.rules(&registry()).await.unwrap(), [rule("quay")]);
}

#[tokio::test]
async fn an_empty_file_gets_the_schema() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.sqlite");
    fs::write(&path, b"").unwrap();
    let store = SqliteMetadata::open(&path).await.unwrap();
    assert_eq!(store.rules(&registry()).await.unwrap(), []);
    let version: i64 = ask(&path, "SELECT MAX(version) FROM _sqlx_migrations").await;
    assert_eq!(version, newest_schema());
    assert_eq!(ask::<String>(&path, "PRAGMA journal_mode").await, "wal");
    assert_eq!(ask::<String>(&path, "PRAGMA integrity_check").await, "ok");
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.sqlite");
    let store = SqliteMetadata::open(&path).await.unwrap();
    store.create_rule(&registry(), &rule("quay"), None).await.unwrap();
    for name in ["metadata.sqlite", "metadata.sqlite-wal"] {
        let mode = fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn many_open_a_new_file_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.sqlite");
    let openings: Vec<_> = (0..8)
        .map(|place| {
            let path = path.clone();
            tokio::spawn(async move {
                let store = SqliteMetadata::open(&path).await.unwrap();
                let rule = rule(&format!("team-{place}"));
                store.create_rule(&registry(), &rule, None).await.unwrap();
            })
        })
        .collect();
    for opening in openings {
        opening.await.unwrap();
    }
    let store = SqliteMetadata::open(&path).await.unwrap();
    assert_eq!(store.rules(&registry()).await.unwrap().len(), 8);
}

/// A caller that goes away in the middle of a write leaves all of it or nothing, and the writer free.
#[tokio::test]
async fn a_write_dropped_half_way_is_whole_or_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteMetadata::open(directory.path().join("metadata.sqlite")).await.unwrap();
    let patience = (0..200).map(|step| std::time::Duration::from_micros(step * 20));
    let (registry, mut finished) = (registry(), 0);
    for (place, patience) in patience.enumerate() {
        let rule = rule(&format!("team-{place}"));
        let write = store.create_rule(&registry, &rule, None);
        finished += usize::from(tokio::time::timeout(patience, write).await.is_ok());
    }
    store.create_rule(&registry, &rule("last"), None).await.unwrap();
    let rules = store.rules(&registry).await.unwrap().len();
    let changes = store.changes_since(Revision(0)).await.unwrap().changes.unwrap().len();
    assert_eq!(rules, changes);
    assert!((finished + 1..=201).contains(&rules), "{finished} finished, {rules} are there");
}

/// A file of the first schema, as the first version of the program left it.
#[tokio::test]
async fn a_file_of_the_first_schema_is_brought_up_to_date() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.sqlite");
    SqliteMetadata::open(&path).await.unwrap().close().await;
    // Everything but the record of the first version, which the engine alone can write.
    let names = "SELECT group_concat('DROP TABLE ' || name, ';') FROM sqlite_schema \
        WHERE type = 'table' AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'";
    let drop_all: String = ask(&path, names).await;
    execute(&path, &format!("PRAGMA foreign_keys = OFF; {drop_all}")).await;
    execute(&path, "DELETE FROM _sqlx_migrations WHERE version > 1").await;
    execute(&path, include_str!("../../migrations/sqlite/0001_facts.sql")).await;
    execute(
        &path,
        r#"INSERT INTO secrets (account, region, name, arn_suffix, tags, created_at, changed_at)
            VALUES ('000000000000', 'us-east-1', 'old', 'AbCdEf', '[]', 1, 1);
        INSERT INTO repositories (account, region, name, created_at, origin)
            VALUES ('000000000000', 'us-east-1', 'old/app', 1, '{"pushed":{"principal":"x"}}')"#,
    )
    .await;

    let store = SqliteMetadata::open(&path).await.unwrap();
    let repository = RepositoryName::parse("old/app").unwrap();
    let repository = store.repository(&registry(), &repository).await.unwrap();
    assert_eq!(repository.settings, RepositorySettings::default());
    store.create_rule(&registry(), &rule("quay"), None).await.unwrap();
    let by_name = SecretId::Name("old".into());
    let old = store.secret(&registry(), &by_name, Timestamp(2)).await.unwrap();
    assert_eq!(old.resource_policy, None);
    let guarded = Secret { resource_policy: Some("{}".into()), ..old.clone() };
    store.replace_secret(&registry(), &old, &guarded).await.unwrap();
    assert_eq!(store.secret(&registry(), &by_name, Timestamp(2)).await.unwrap(), guarded);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.sqlite");
    SqliteMetadata::open(&path).await.unwrap().close().await;
    let newer = "INSERT INTO _sqlx_migrations \
        (version, description, success, checksum, execution_time) VALUES (9999, 'x', 1, x'00', 0)";
    execute(&path, newer).await;
    let refused = SqliteMetadata::open(&path).await.unwrap_err();
    assert!(
        matches!(refused, Error::NewerSchema { found: 9999, known } if known == newest_schema()),
        "{refused:?}"
    );
    execute(&path, "DELETE FROM _sqlx_migrations WHERE version = 9999").await;
    SqliteMetadata::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_schema_that_was_tampered_with_is_corrupt() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.sqlite");
    SqliteMetadata::open(&path).await.unwrap().close().await;
    execute(&path, "UPDATE _sqlx_migrations SET checksum = x'00'").await;
    let refused = SqliteMetadata::open(&path).await.unwrap_err();
    assert!(matches!(refused, Error::Corrupt { record: "schema version", .. }), "{refused:?}");
}

#[tokio::test]
async fn a_missing_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing/metadata.sqlite");
    let refused = SqliteMetadata::open(&path).await.unwrap_err();
    let cause = refused.source().unwrap().downcast_ref::<OpenError>().unwrap();
    let OpenError::Create { path: named, source } = cause else { panic!("{cause:?}") };
    assert_eq!((named, source.kind()), (&path, std::io::ErrorKind::NotFound));
}

#[tokio::test]
async fn what_cannot_be_opened_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let refused = SqliteMetadata::open(directory.path()).await.unwrap_err();
    let cause = refused.source().unwrap().downcast_ref::<OpenError>().unwrap();
    assert!(matches!(cause, OpenError::Open { path, .. } if path == directory.path()), "{cause:?}");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_corrupt_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.sqlite");
    let text = "a letter, by no means a database\n".repeat(100);
    fs::write(&path, &text).unwrap();
    let refused = SqliteMetadata::open(&path).await.unwrap_err();
    assert!(matches!(refused, Error::Corrupt { record: "database file", .. }), "{refused:?}");
    assert!(refused.source().is_some());
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_damaged_page_is_corrupt() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.sqlite");
    let store = SqliteMetadata::open(&path).await.unwrap();
    store.create_rule(&registry(), &rule("quay"), None).await.unwrap();
    store.close().await;
    let root: i64 = ask(&path, "SELECT rootpage FROM sqlite_schema WHERE name = 'rules'").await;
    let start = (usize::try_from(root).unwrap() - 1) * 4096;
    let mut bytes = fs::read(&path).unwrap();
    bytes[start..start + 4096].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let store = SqliteMetadata::open(&path).await.unwrap();
    let read = store.rules(&registry()).await;
    assert!(matches!(read, Err(Error::Corrupt { record: "database file", .. })), "{read:?}");
}

#[tokio::test]
async fn a_damaged_record_is_corrupt_and_the_others_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metadata.sqlite");
    let store = SqliteMetadata::open(&path).await.unwrap();
    store.create_rule(&registry(), &rule("quay"), None).await.unwrap();
    execute(&path, "UPDATE rules SET ecr_repository_prefix = 'NO PREFIX'").await;
    let read = store.rules(&registry()).await;
    assert!(matches!(read, Err(Error::Corrupt { record: "rule", .. })), "{read:?}");
    assert_eq!(store.registries_with_rules().await.unwrap(), [registry()]);
}
