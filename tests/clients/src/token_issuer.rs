//! A token service as `docker-registry` trusts it: Basic user and password in, a signed JWT out
//! (distribution's token specification, "Requesting a Token"; "Token Authentication Implementation").

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::program::write;

/// The `iss` of its tokens.
pub const ISSUER: &str = "token issuer of the tests";
/// The `service` it speaks for.
pub const SERVICE: &str = "registry.test";
/// How long its tokens live.
const LIFETIME_SECONDS: u64 = 300;

/// One request for a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// The user of the Basic credentials; none were sent if absent.
    pub user: Option<String>,
    /// The scopes asked for, one per entry (`repository:NAME:ACTIONS`).
    pub scopes: Vec<String>,
    /// Whether a token was given.
    pub granted: bool,
}

/// A running token service on loopback; it ends when this is dropped.
#[derive(Debug)]
pub struct TokenIssuer {
    address: SocketAddr,
    desk: Arc<Desk>,
    certificate_pem: String,
    _runtime: Runtime,
}

/// What the handler needs: the key, the one account, and the book of requests.
#[derive(Debug)]
struct Desk {
    key: EcdsaKeyPair,
    certificate: String,
    authorization: String,
    user: String,
    requests: Mutex<Vec<TokenRequest>>,
}

impl TokenIssuer {
    /// Starts a service that knows one user.
    ///
    /// # Panics
    /// When no key can be made or no loopback port bound.
    #[must_use]
    pub fn start(user: &str, password: &str) -> Self {
        let signer = rcgen::generate_simple_self_signed(vec![SERVICE.into()])
            .expect("a self-signed certificate can be made");
        let key = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &signer.signing_key.serialize_der(),
        )
        .expect("rcgen's default key is ECDSA P-256");
        let account = BASE64_STANDARD.encode(format!("{user}:{password}"));
        let desk = Arc::new(Desk {
            key,
            certificate: BASE64_STANDARD.encode(signer.cert.der()),
            authorization: format!("Basic {account}"),
            user: user.to_owned(),
            requests: Mutex::default(),
        });
        let runtime = Runtime::new().expect("a runtime can be made");
        let router = Router::new().route("/token", get(answer)).with_state(desk.clone());
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a loopback port can be bound");
        let address = listener.local_addr().expect("a bound listener has an address");
        runtime.spawn(axum::serve(listener, router).into_future());
        Self { address, desk, certificate_pem: signer.cert.pem(), _runtime: runtime }
    }

    /// The address for the challenge's `realm`.
    #[must_use]
    pub fn realm(&self) -> String {
        format!("http://{}/token", self.address)
    }

    /// Writes the certificate that a registry is to trust (its `rootcertbundle`).
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn write_certificate(&self, path: &Path) {
        write(path, &self.certificate_pem);
    }

    /// Every request so far, in order.
    ///
    /// # Panics
    /// When a handler panicked before.
    #[must_use]
    pub fn requests(&self) -> Vec<TokenRequest> {
        self.desk.requests.lock().expect("no handler panics").clone()
    }
}

/// Gives a token for all that is asked to the one user, and 401 to everybody else.
async fn answer(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let sent = headers.get(header::AUTHORIZATION).map(|value| value.as_bytes().to_vec());
    let granted = sent.as_deref() == Some(desk.authorization.as_bytes());
    let scopes: Vec<String> = url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .filter(|(name, _)| name == "scope")
        .flat_map(|(_, value)| value.split(' ').map(str::to_owned).collect::<Vec<_>>())
        .collect();
    desk.requests.lock().expect("no handler panics").push(TokenRequest {
        user: sent.and_then(|basic| user_of(&basic)),
        scopes: scopes.clone(),
        granted,
    });
    if !granted {
        return (StatusCode::UNAUTHORIZED, r#"{"details":"incorrect username or password"}"#)
            .into_response();
    }
    let body = json!({"token": desk.token(&scopes), "expires_in": LIFETIME_SECONDS});
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

/// The user name of a Basic credential.
fn user_of(authorization: &[u8]) -> Option<String> {
    let encoded = std::str::from_utf8(authorization).ok()?.strip_prefix("Basic ")?;
    let account = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    account.split_once(':').map(|(user, _)| user.to_owned())
}

impl Desk {
    /// A JWT signed with ES256 whose header carries the certificate (`x5c`).
    fn token(&self, scopes: &[String]) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let access: Vec<Value> = scopes.iter().filter_map(|scope| access(scope)).collect();
        let header = json!({"typ": "JWT", "alg": "ES256", "x5c": [self.certificate]});
        let claims = json!({
            "iss": ISSUER, "sub": self.user, "aud": SERVICE, "access": access,
            "iat": now, "nbf": now.saturating_sub(10), "exp": now + LIFETIME_SECONDS,
            "jti": format!("{now}-{}", self.requests.lock().expect("no handler panics").len()),
        });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature =
            self.key.sign(&SystemRandom::new(), signed.as_bytes()).expect("a P-256 key signs");
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

/// `repository:NAME:pull,push` as an entry of the `access` claim.
fn access(scope: &str) -> Option<Value> {
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    Some(json!({"type": kind, "name": name, "actions": actions.split(',').collect::<Vec<_>>()}))
}
