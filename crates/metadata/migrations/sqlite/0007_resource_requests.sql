-- Requests to create, update and delete resources, as Cloud Control reports them. The fingerprint is
-- sealed: a document with a guessable secret could be told from its bare hash.
CREATE TABLE resource_requests (
    account TEXT NOT NULL,
    region TEXT NOT NULL,
    request_token TEXT NOT NULL,
    client_token TEXT,
    sealed_fingerprint BLOB,
    type_name TEXT NOT NULL,
    operation TEXT NOT NULL,
    subject TEXT,
    identifier TEXT,
    status TEXT NOT NULL,
    error_code TEXT,
    status_message TEXT,
    resource_model TEXT,
    requested_at INTEGER NOT NULL,
    PRIMARY KEY (account, region, request_token)
) STRICT;

-- The newest of a registry, and those that are old enough to go.
CREATE INDEX resource_requests_by_time
    ON resource_requests (account, region, requested_at, request_token);

CREATE INDEX resource_requests_by_client_token
    ON resource_requests (account, region, client_token, requested_at)
    WHERE client_token IS NOT NULL;

-- What is being done to a resource at the moment.
CREATE INDEX resource_requests_open
    ON resource_requests (account, region, type_name, subject, requested_at)
    WHERE status IN ('PENDING', 'IN_PROGRESS', 'CANCEL_IN_PROGRESS');
