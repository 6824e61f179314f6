//! The `markers` table.

use sqlx::SqliteConnection;

use super::Write;
use crate::Error;

statements! {
    INSERT = "INSERT INTO markers (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    FIND = "SELECT value FROM markers WHERE name = $1";
}

pub(super) async fn find(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<Vec<u8>>, Error> {
    Ok(sqlx::query_scalar(FIND).bind(name).fetch_optional(connection).await?)
}

pub(super) async fn create(mut write: Write, name: &str, value: &[u8]) -> Result<(), Error> {
    let inserted = sqlx::query(INSERT).bind(name).bind(value).execute(write.connection()).await?;
    if inserted.rows_affected() == 0 {
        return Err(Error::AlreadyExists);
    }
    write.commit().await
}
