//! A write: one transaction that carries the changes it makes.

use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};

use super::changes;
use crate::{Change, Error};

/// A transaction that took the engine's write lock when it began, so that nothing it reads can
/// change before it commits. Dropped without [`commit`](Self::commit), it leaves nothing.
#[derive(Debug)]
pub(super) struct Write {
    transaction: Transaction<'static, Sqlite>,
    /// Revision of the newest change recorded.
    newest: Option<i64>,
}

impl Write {
    pub(super) async fn begin(writer: &SqlitePool) -> Result<Self, Error> {
        let transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Self { transaction, newest: None })
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }

    /// Adds a change to those that become known with the commit.
    pub(super) async fn record(&mut self, change: &Change) -> Result<(), Error> {
        self.newest = Some(changes::insert(&mut self.transaction, change).await?);
        Ok(())
    }

    pub(super) async fn commit(mut self) -> Result<(), Error> {
        if let Some(newest) = self.newest {
            changes::prune(&mut self.transaction, newest).await?;
        }
        Ok(self.transaction.commit().await?)
    }
}
