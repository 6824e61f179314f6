//! The table `resource_requests`.

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::{SqliteMetadata, Write};
use crate::{
    Begun, ClientToken, Error, Page, PageRequest, RegistryId, RequestHorizon, RequestStatus,
    ResourceOperation, ResourceRequest, ResourceRequestStore, Timestamp,
    resource_request::read_page_key, stored::corrupt,
};

statements! {
    PRUNE = "DELETE FROM resource_requests WHERE account = $1 AND region = $2 \
        AND requested_at < $3";
    OF_CLIENT_TOKEN = "SELECT * FROM resource_requests WHERE account = $1 AND region = $2 \
        AND client_token = $3 AND requested_at >= $4 ORDER BY requested_at DESC LIMIT 1";
    OPEN = "SELECT * FROM resource_requests WHERE account = $1 AND region = $2 \
        AND type_name = $3 AND subject = $4 AND requested_at >= $5 \
        AND status IN ('PENDING', 'IN_PROGRESS', 'CANCEL_IN_PROGRESS') LIMIT 1";
    INSERT = "INSERT INTO resource_requests (account, region, request_token, client_token, \
        sealed_fingerprint, type_name, operation, subject, identifier, status, error_code, \
        status_message, resource_model, requested_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    FIND = "SELECT * FROM resource_requests WHERE account = $1 AND region = $2 \
        AND request_token = $3 AND requested_at >= $4";
    REPLACE = "UPDATE resource_requests SET identifier = $5, status = $6, error_code = $7, \
        status_message = $8, resource_model = $9 WHERE account = $1 AND region = $2 \
        AND request_token = $3 AND status = $4";
    LIST = "SELECT * FROM resource_requests WHERE account = $1 AND region = $2 \
        AND (requested_at, request_token) < ($3, $4) AND requested_at >= $5 \
        ORDER BY requested_at DESC, request_token DESC LIMIT $6";
}

#[async_trait]
impl ResourceRequestStore for SqliteMetadata {
    async fn begin_resource_request(
        &self,
        registry: &RegistryId,
        request: &ResourceRequest,
        horizon: &RequestHorizon,
    ) -> Result<Begun, Error> {
        begin(self.write().await?, registry, request, horizon).await
    }

    async fn resource_request(
        &self,
        registry: &RegistryId,
        request_token: &str,
        since: Timestamp,
    ) -> Result<ResourceRequest, Error> {
        let connection = &mut *self.reader().await?;
        find(connection, registry, request_token, since).await
    }

    async fn resource_request_of_client_token(
        &self,
        registry: &RegistryId,
        client_token: &str,
        since: Timestamp,
    ) -> Result<ResourceRequest, Error> {
        let connection = &mut *self.reader().await?;
        let of_token = of_client_token;
        of_token(connection, registry, client_token, since).await?.ok_or(Error::NotFound)
    }

    async fn replace_resource_request(
        &self,
        registry: &RegistryId,
        expected: RequestStatus,
        request: &ResourceRequest,
    ) -> Result<(), Error> {
        replace(self.write().await?, registry, expected, request).await
    }

    async fn resource_requests(
        &self,
        registry: &RegistryId,
        page: &PageRequest,
        since: Timestamp,
    ) -> Result<Page<ResourceRequest>, Error> {
        list(&mut *self.reader().await?, registry, page, since).await
    }
}

const RECORD: &str = "resource request";

/// A row of `resource_requests`.
#[derive(sqlx::FromRow)]
struct Row {
    request_token: String,
    client_token: Option<String>,
    sealed_fingerprint: Option<Vec<u8>>,
    type_name: String,
    operation: String,
    subject: Option<String>,
    identifier: Option<String>,
    status: String,
    error_code: Option<String>,
    status_message: Option<String>,
    resource_model: Option<String>,
    requested_at: i64,
}

pub(super) async fn begin(
    mut write: Write,
    registry: &RegistryId,
    request: &ResourceRequest,
    horizon: &RequestHorizon,
) -> Result<Begun, Error> {
    sqlx::query(PRUNE)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(horizon.kept_since.0)
        .execute(write.connection())
        .await?;
    if let Some(client_token) = &request.client_token {
        let (token, since) = (&client_token.token, horizon.client_tokens_since);
        if let Some(held) = of_client_token(write.connection(), registry, token, since).await? {
            return Ok(Begun::Repeated(held));
        }
    }
    if let Some(subject) = &request.subject {
        let row: Option<Row> = sqlx::query_as(OPEN)
            .bind(registry.account.as_str())
            .bind(registry.region.as_str())
            .bind(&request.type_name)
            .bind(subject)
            .bind(horizon.open_since.0)
            .fetch_optional(write.connection())
            .await?;
        if let Some(row) = row {
            return row.into_request().map(Begun::Concurrent);
        }
    }
    insert(&mut write, registry, request).await?;
    write.commit().await?;
    Ok(Begun::New)
}

async fn insert(
    write: &mut Write,
    registry: &RegistryId,
    request: &ResourceRequest,
) -> Result<(), Error> {
    let client_token = request.client_token.as_ref();
    sqlx::query(INSERT)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(&request.request_token)
        .bind(client_token.map(|it| it.token.as_str()))
        .bind(client_token.map(|it| it.sealed_fingerprint.as_slice()))
        .bind(&request.type_name)
        .bind(request.operation.as_str())
        .bind(&request.subject)
        .bind(&request.identifier)
        .bind(request.status.as_str())
        .bind(&request.error_code)
        .bind(&request.status_message)
        .bind(&request.resource_model)
        .bind(request.requested_at.0)
        .execute(write.connection())
        .await?;
    Ok(())
}

pub(super) async fn of_client_token(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    client_token: &str,
    since: Timestamp,
) -> Result<Option<ResourceRequest>, Error> {
    let row: Option<Row> = sqlx::query_as(OF_CLIENT_TOKEN)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(client_token)
        .bind(since.0)
        .fetch_optional(connection)
        .await?;
    row.map(Row::into_request).transpose()
}

pub(super) async fn find(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    request_token: &str,
    since: Timestamp,
) -> Result<ResourceRequest, Error> {
    let row: Option<Row> = sqlx::query_as(FIND)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(request_token)
        .bind(since.0)
        .fetch_optional(connection)
        .await?;
    row.ok_or(Error::NotFound)?.into_request()
}

pub(super) async fn replace(
    mut write: Write,
    registry: &RegistryId,
    expected: RequestStatus,
    request: &ResourceRequest,
) -> Result<(), Error> {
    let replaced = sqlx::query(REPLACE)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(&request.request_token)
        .bind(expected.as_str())
        .bind(&request.identifier)
        .bind(request.status.as_str())
        .bind(&request.error_code)
        .bind(&request.status_message)
        .bind(&request.resource_model)
        .execute(write.connection())
        .await?;
    if replaced.rows_affected() == 0 {
        return Err(Error::NotFound);
    }
    write.commit().await
}

pub(super) async fn list(
    connection: &mut SqliteConnection,
    registry: &RegistryId,
    page: &PageRequest,
    since: Timestamp,
) -> Result<Page<ResourceRequest>, Error> {
    let (before, token) = read_page_key(page.after.as_deref());
    let rows: Vec<Row> = sqlx::query_as(LIST)
        .bind(registry.account.as_str())
        .bind(registry.region.as_str())
        .bind(before)
        .bind(token)
        .bind(since.0)
        .bind(page.rows())
        .fetch_all(connection)
        .await?;
    let found = rows.into_iter().map(Row::into_request).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::take_by(page, found, ResourceRequest::page_key))
}

impl Row {
    fn into_request(self) -> Result<ResourceRequest, Error> {
        let unknown = |word: &str| corrupt(RECORD)(format!("{word} is no word of ours"));
        let operation = ResourceOperation::parse(&self.operation);
        let status = RequestStatus::parse(&self.status);
        let client_token = self.client_token.zip(self.sealed_fingerprint);
        Ok(ResourceRequest {
            request_token: self.request_token,
            client_token: client_token
                .map(|(token, sealed_fingerprint)| ClientToken { token, sealed_fingerprint }),
            type_name: self.type_name,
            operation: operation.ok_or_else(|| unknown(&self.operation))?,
            subject: self.subject,
            identifier: self.identifier,
            status: status.ok_or_else(|| unknown(&self.status))?,
            error_code: self.error_code,
            status_message: self.status_message,
            resource_model: self.resource_model,
            requested_at: Timestamp(self.requested_at),
        })
    }
}
