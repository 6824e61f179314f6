//! Opening the file: creation, connections, schema.

use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, SqlSafeStr as _, SqliteConnection, SqlitePool,
    migrate::{Migrate as _, MigrateError, Migration, MigrationType},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::SqliteMetadata;
use crate::{Error, stored::corrupt};

/// Enough to keep two cores busy; more would only grow the number of page caches.
const READERS_MAX: u32 = 4;

/// How long a call waits for a connection, or for the lock of another process.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// How large the write-ahead log may stay on disk once it was moved into the file, in bytes.
const LOG_KEPT_BYTES: u32 = 64 << 20;

/// The table of the schema versions applied to the file.
const APPLIED: &str = "_sqlx_migrations";

/// Held while a file is created and first connected to. Creating opens and closes a descriptor, and
/// closing any descriptor of a file drops every POSIX lock the process has on it, those of the
/// engine included ("How To Corrupt An SQLite Database File", 2.2).
static OPENING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Why a file cannot be opened; the source of an [`Error::Unavailable`].
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file is not there and cannot be created: its directory is missing or may not be written.
    #[error("the metadata file {} cannot be created", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is there and the engine cannot open it.
    #[error("the metadata file {} cannot be opened", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: sqlx::Error,
    },
}

impl SqliteMetadata {
    /// Opens a file, which is created where it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::Unavailable`] with an [`OpenError`] where the file cannot be created or opened;
    /// [`Error::Corrupt`] where it is no database, or a damaged one; [`Error::NewerSchema`] where
    /// a newer version of this program wrote it.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let _opening = OPENING.lock().await;
        create_if_missing(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .busy_timeout(WAIT_MAX)
            .disable_statement_logging();
        let writer = connect_writer(path, options.clone()).await?;
        if let Err(error) = migrate(&writer).await {
            writer.close().await;
            return Err(error);
        }
        let readers = pool(READERS_MAX).connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Self { writer, readers })
    }
}

/// Creates the file for its owner alone: it holds who pulled what, and sealed secrets. The engine
/// gives its log the same mode.
fn create_if_missing(path: &Path) -> Result<(), Error> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => {
            let path = path.to_owned();
            Err(Error::Unavailable(Box::new(OpenError::Create { path, source })))
        }
    }
}

async fn connect_writer(path: &Path, options: SqliteConnectOptions) -> Result<SqlitePool, Error> {
    let options = options
        .journal_mode(SqliteJournalMode::Wal)
        // NORMAL may lose the newest transactions on power failure. A rule or a secret that was
        // acknowledged must not be lost, and a manifest whose blobs are on disk ought not. Pulls,
        // the one frequent write, come in batches: one sync for many.
        .synchronous(SqliteSynchronous::Full)
        .pragma("journal_size_limit", LOG_KEPT_BYTES.to_string());
    pool(1).connect_with(options).await.map_err(|source| match Error::from(source) {
        Error::Unavailable(source) => match source.downcast::<sqlx::Error>() {
            Ok(source) => {
                let path = path.to_owned();
                Error::Unavailable(Box::new(OpenError::Open { path, source: *source }))
            }
            Err(source) => Error::Unavailable(source),
        },
        error => error,
    })
}

/// Connections to a local file neither age nor go stale.
fn pool(connections_max: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(WAIT_MAX)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Returns the schema's versions, oldest first. One that was released never changes: only new ones
/// are added.
fn schema_versions() -> Vec<Migration> {
    let version = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    vec![
        version(1, "facts", include_str!("../../migrations/sqlite/0001_facts.sql")),
        version(
            2,
            "secret policies",
            include_str!("../../migrations/sqlite/0002_secret_policies.sql"),
        ),
        version(3, "settings", include_str!("../../migrations/sqlite/0003_settings.sql")),
        version(4, "templates", include_str!("../../migrations/sqlite/0004_templates.sql")),
        version(5, "uploads", include_str!("../../migrations/sqlite/0005_uploads.sql")),
        version(6, "roles", include_str!("../../migrations/sqlite/0006_roles.sql")),
        version(
            7,
            "resource requests",
            include_str!("../../migrations/sqlite/0007_resource_requests.sql"),
        ),
        version(8, "rule policies", include_str!("../../migrations/sqlite/0008_rule_policies.sql")),
        version(12, "lifecycle", include_str!("../../migrations/sqlite/0012_lifecycle.sql")),
        version(13, "eviction", include_str!("../../migrations/sqlite/0013_eviction.sql")),
        version(14, "archive", include_str!("../../migrations/sqlite/0014_archive.sql")),
    ]
}

/// Brings the schema up to date in one transaction, so that of two processes that open a file at
/// once the second finds it done.
async fn migrate(writer: &SqlitePool) -> Result<(), Error> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
    let schema: &mut SqliteConnection = &mut transaction;
    schema.ensure_migrations_table(APPLIED).await.map_err(schema_failed)?;
    let applied = schema.list_applied_migrations(APPLIED).await.map_err(schema_failed)?;
    let versions = schema_versions();
    let found = applied.iter().map(|applied| applied.version).max().unwrap_or(0);
    let known = versions.iter().map(|version| version.version).max().unwrap_or(0);
    if found > known {
        return Err(Error::NewerSchema { found, known });
    }
    for version in &versions {
        match applied.iter().find(|applied| applied.version == version.version) {
            None => {
                schema.apply(APPLIED, version).await.map_err(schema_failed)?;
            }
            Some(applied) if applied.checksum == version.checksum => {}
            Some(_) => return Err(schema_failed(MigrateError::VersionMismatch(version.version))),
        }
    }
    transaction.commit().await?;
    if found < known {
        tracing::info!(from = found, to = known, "metadata schema brought up to date");
    }
    Ok(())
}

fn schema_failed(error: MigrateError) -> Error {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        error => corrupt("schema version")(error),
    }
}
