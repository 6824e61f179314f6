//! A store in one SQLite file: the embedded default.
//!
//! One connection writes, so that writers queue in the process instead of failing on a lock; each
//! write is one `BEGIN IMMEDIATE` transaction that takes the engine's lock before it reads. A few
//! connections read; the write-ahead log lets them read on while one writes. Statements are plain
//! SQL with numbered parameters, every one an index look-up (`tests.rs` asks the engine).

/// Names the statements of a module, and lists them all for the test of their query plans.
macro_rules! statements {
    ($($name:ident = $sql:literal;)+) => {
        $(const $name: &str = $sql;)+
        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $sql)),+];
    };
}

mod archive;
mod changes;
mod collection;
mod eviction;
mod lifecycle;
mod links;
mod manifests;
mod markers;
mod open;
mod registry_settings;
mod removal;
mod repositories;
mod resource_requests;
mod roles;
mod rules;
mod secrets;
mod sightings;
mod tags;
mod templates;
#[cfg(test)]
mod tests;
mod uploads;
mod write;

use async_trait::async_trait;
use sqlx::{Sqlite, SqlitePool, Transaction, pool::PoolConnection};

pub use self::open::OpenError;
use self::write::Write;
use crate::{Changes, Error, MetadataStore, Revision};

/// Facts in a SQLite file; a clone shares the connections.
#[derive(Clone, Debug)]
pub struct SqliteMetadata {
    /// One connection: whoever holds it is the process's writer.
    writer: SqlitePool,
    /// Connections that cannot write.
    readers: SqlitePool,
}

impl SqliteMetadata {
    /// Waits for running statements and closes the file; later calls fail as
    /// [`Error::Unavailable`].
    pub async fn close(&self) {
        self.readers.close().await;
        // Last, so that it moves the write-ahead log into the file.
        self.writer.close().await;
    }

    /// Returns a connection for one reading statement.
    async fn reader(&self) -> Result<PoolConnection<Sqlite>, Error> {
        Ok(self.readers.acquire().await?)
    }

    /// Returns a view of the facts at one moment, for reads of several statements.
    async fn snapshot(&self) -> Result<Transaction<'static, Sqlite>, Error> {
        Ok(self.readers.begin().await?)
    }

    /// Begins a write.
    async fn write(&self) -> Result<Write, Error> {
        Write::begin(&self.writer).await
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            // SQLite result codes, SQLITE_CORRUPT (11), SQLITE_FULL (13) and SQLITE_NOTADB (26): the
            // low byte of the extended code.
            sqlx::Error::Database(cause) => {
                let code = cause.code().and_then(|code| code.parse::<i32>().ok());
                match code.map(|code| code & 0xff) {
                    Some(11 | 26) => {
                        return Self::Corrupt { record: "database file", source: Box::new(error) };
                    }
                    Some(13) => return Self::Full(Box::new(error)),
                    _ => {}
                }
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                return Self::Corrupt { record: "row", source: Box::new(error) };
            }
            _ => {}
        }
        Self::Unavailable(Box::new(error))
    }
}

#[async_trait]
impl MetadataStore for SqliteMetadata {
    async fn marker(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        markers::find(&mut *self.reader().await?, name).await
    }

    async fn create_marker(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        markers::create(self.write().await?, name, value).await
    }

    async fn changes_since(&self, since: Revision) -> Result<Changes, Error> {
        changes::since(&mut *self.snapshot().await?, since).await
    }
}
