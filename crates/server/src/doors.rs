//! The doors: every request enters here, and every answer leaves with an id, a count and a line.
//!
//! One listener carries them all: `/v2/` the data plane, `POST /` the control plane, and three
//! paths for whoever runs the process. Nothing here decides about content: that is the
//! registry's. Invariant: [`Doors::serve`] answers every request, and an answer whose body may
//! still fail says its length first, so that a short body is seen as one.

mod access;
mod address;
mod exchange;
mod metrics;
mod operations;
mod request_id;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use blobs::Access;
use bytes::Bytes;
use http::{Method, Response, StatusCode, header::HeaderName, request::Parts};
use metadata::{AccountId, RegistryId};
use registry::{Keyring, Registry};
use secrecy::SecretString;

pub(crate) use address::{PublicAddress, host, registry_of};
pub(crate) use exchange::Exchange;
pub(crate) use request_id::RequestId;

use crate::{
    auth::Authenticator,
    body::{self, Body},
    control_plane, data_plane,
};
use metrics::Metrics;
use request_id::RequestIds;

/// What the doors must know of the process around them.
#[derive(Clone, Debug)]
pub(crate) struct DoorSettings {
    /// Where clients reach this process, with `{account}` and `{region}` where they matter.
    pub(crate) public_url: Option<String>,
    /// Whether exactly ECR's constraints hold.
    pub(crate) strict_ecr: bool,
    /// Whether pulls without credentials are served, as far as the registry allows.
    pub(crate) anonymous_pull: bool,
    /// The registry of data-plane requests that name none.
    pub(crate) default_registry: RegistryId,
    /// Every declared account, the default one included.
    pub(crate) accounts: Vec<AccountId>,
    /// The access keys of root users.
    pub(crate) roots: Vec<RootCredentials>,
    /// Whether the listener is reachable from this machine only: metrics need no login then.
    pub(crate) loopback: bool,
    /// Largest body of a control-plane request, in bytes.
    pub(crate) body_bytes_max: usize,
    /// Largest part of a layer in a control-plane request, in bytes.
    pub(crate) layer_part_bytes_max: u64,
    /// How long a body of a push may stand still.
    pub(crate) client_idle_timeout: Duration,
    /// Entries of one page of a list on the data plane.
    pub(crate) list_entries_max: usize,
    /// How long the address that `GetDownloadUrlForLayer` gives is good.
    pub(crate) download_url_life: Duration,
    /// Whether each request leaves a line in the log.
    pub(crate) access_log: bool,
}

/// An access key of an account's root user.
#[derive(Clone, Debug)]
pub(crate) struct RootCredentials {
    /// The account.
    pub(crate) account: AccountId,
    /// Its public name.
    pub(crate) access_key_id: String,
    /// Its secret.
    pub(crate) secret_access_key: SecretString,
}

/// What is known of a request before its first byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connection {
    /// Who looks at the bytes of a body before they leave the machine.
    pub(crate) access: Access,
    /// Whether TLS ends in this process.
    pub(crate) tls: bool,
    /// The other end.
    pub(crate) peer: SocketAddr,
}

/// Which door a request took, for metrics and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// `/v2/`: OCI distribution.
    DataPlane,
    /// `POST /`: AWS protocols.
    ControlPlane,
    /// Health, readiness and metrics.
    Operations,
    /// Nothing is there.
    Nowhere,
}

impl Door {
    /// Every one.
    pub(crate) const ALL: [Self; 4] =
        [Self::DataPlane, Self::ControlPlane, Self::Operations, Self::Nowhere];

    /// Returns the name in metrics and logs.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::DataPlane => "data_plane",
            Self::ControlPlane => "control_plane",
            Self::Operations => "operations",
            Self::Nowhere => "nowhere",
        }
    }

    fn of(method: &Method, path: &str) -> Self {
        match path {
            _ if path == "/v2" || path.starts_with("/v2/") => Self::DataPlane,
            "/" if method == Method::POST => Self::ControlPlane,
            operations::HEALTH | operations::READY | operations::METRICS => Self::Operations,
            _ => Self::Nowhere,
        }
    }

    /// The header that carries the id of the request: AWS's own on the control plane.
    fn request_id_header(self) -> HeaderName {
        match self {
            Self::ControlPlane => HeaderName::from_static("x-amzn-requestid"),
            Self::DataPlane | Self::Operations | Self::Nowhere => {
                HeaderName::from_static("x-request-id")
            }
        }
    }
}

/// All doors of one listener.
pub(crate) struct Doors {
    pub(crate) registry: Registry,
    pub(crate) authenticator: Authenticator,
    pub(crate) address: PublicAddress,
    pub(crate) settings: DoorSettings,
    metrics: Metrics,
    request_ids: RequestIds,
    draining: AtomicBool,
}

impl Doors {
    /// Opens the doors of `registry`; `keyring` seals the login tokens.
    pub(crate) fn new(registry: Registry, keyring: Arc<Keyring>, settings: DoorSettings) -> Self {
        Self {
            authenticator: Authenticator::new(keyring, &settings),
            address: PublicAddress::new(settings.public_url.as_deref()),
            metrics: Metrics::new(registry.clone()),
            request_ids: RequestIds::new(rand::random()),
            draining: AtomicBool::new(false),
            registry,
            settings,
        }
    }

    /// Says on `/readyz` from now on that this process is about to go.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Answers one request. Nothing goes out before the answer's head is complete; bodies carry
    /// their length wherever it is known.
    pub(crate) async fn serve<B>(
        &self,
        head: &Parts,
        body: B,
        connection: Connection,
    ) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
        B::Error: Into<body::Cause>,
    {
        let started = Instant::now();
        let door = Door::of(&head.method, head.uri.path());
        let mut exchange = Exchange::new(self.request_ids.next(), connection, head.version);
        let mut response = match door {
            Door::DataPlane => data_plane::serve(self, head, body, &mut exchange).await,
            // Boxed: its state would otherwise make that of every request large.
            Door::ControlPlane => {
                Box::pin(control_plane::serve(self, head, body, &mut exchange)).await
            }
            Door::Operations => operations::serve(self, head, &mut exchange).await,
            Door::Nowhere => nowhere(head),
        };
        response.headers_mut().insert(door.request_id_header(), exchange.request_id.to_header());
        let elapsed = started.elapsed();
        self.metrics.observe(door, response.status(), elapsed);
        if self.settings.access_log {
            access::log(door, head, &response, &exchange, elapsed);
        }
        response
    }
}

fn nowhere(head: &Parts) -> Response<Body> {
    let text = if head.method == Method::GET && head.uri.path() == "/" {
        "This is Cistern: a container registry at /v2/, and the AWS API at POST /.\n"
    } else {
        "not found\n"
    };
    body::text(StatusCode::NOT_FOUND, text)
}

#[cfg(test)]
pub(crate) mod tests;
