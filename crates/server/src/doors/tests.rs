//! The doors over memory stores and a scripted upstream, without a socket of their own; and once
//! with one, to see what the wire carries.

use std::{
    cell::RefCell,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Once},
};

use ::blobs::MemoryBlobs;
use ::metadata::{MemoryMetadata, Region};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Request, header};
use http_body_util::{BodyExt as _, Full};
use oci::{Digest, media_type};
use registry::{Clock as _, LocalDirectory, ManualClock, Parts as RegistryParts, Settings};
use serde_json::{Value, json};
use testkit::ScriptedUpstream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use upstream::HttpUpstream;

use super::*;
use crate::body::Cause;

pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const OTHER_ACCOUNT: &str = "444455556666";
pub(crate) const REGION: &str = "us-east-1";
pub(crate) const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
pub(crate) const HOST: &str = "127.0.0.1:5000";
/// 2023-11-14T22:13:20Z.
pub(crate) const NOW: i64 = 1_700_000_000_000;
const ECR: &str = "AmazonEC2ContainerRegistry_V20150921";

/// A process in a test: doors, registry, stores, and one upstream.
pub(crate) struct World {
    pub(crate) doors: Arc<Doors>,
    pub(crate) upstream: ScriptedUpstream,
    pub(crate) clock: Arc<ManualClock>,
    /// Every stored fact: another handle on the store.
    pub(crate) memory: MemoryMetadata,
    parts: RegistryParts,
    settings: DoorSettings,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Result<Bytes, body::Error>,
    pub(crate) announced: Option<u64>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.as_ref().unwrap().to_vec()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(self.body.as_ref().unwrap())
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The first error of the data plane's envelope.
    pub(crate) fn code(&self) -> String {
        self.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["errors"][0]["message"].as_str().unwrap_or_default().to_owned()
    }

    /// The exception of the control plane.
    pub(crate) fn exception(&self) -> String {
        self.json()["__type"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn exception_message(&self) -> String {
        let json = self.json();
        let message = json.get("message").or_else(|| json.get("Message"));
        message.and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

pub(crate) fn registry_id(account: &str, region: &str) -> RegistryId {
    RegistryId {
        account: AccountId::parse(account).unwrap(),
        region: Region::parse(region).unwrap(),
    }
}

/// A connection of a client on this machine.
pub(crate) fn connection() -> Connection {
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 40_000));
    Connection { access: Access::User, tls: false, peer }
}

fn door_settings() -> DoorSettings {
    DoorSettings {
        public_url: None,
        strict_ecr: false,
        anonymous_pull: false,
        default_registry: registry_id(ACCOUNT, REGION),
        accounts: vec![
            AccountId::parse(ACCOUNT).unwrap(),
            AccountId::parse(OTHER_ACCOUNT).unwrap(),
        ],
        roots: vec![
            RootCredentials {
                account: AccountId::parse(ACCOUNT).unwrap(),
                access_key_id: KEY.to_owned(),
                secret_access_key: SECRET.into(),
            },
            RootCredentials {
                account: AccountId::parse(OTHER_ACCOUNT).unwrap(),
                access_key_id: "AKIAOTHER".to_owned(),
                secret_access_key: SECRET.into(),
            },
        ],
        loopback: true,
        body_bytes_max: 1 << 20,
        layer_part_bytes_max: 20 << 20,
        client_idle_timeout: Duration::from_secs(60),
        list_entries_max: 1000,
        download_url_life: Duration::from_secs(3600),
        access_log: true,
    }
}

/// The host of Docker Hub's registry.
pub(crate) const DOCKER_HUB: &str = "registry-1.docker.io";

pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut DoorSettings)) -> Self {
        Self::start_staging(u64::MAX, change).await
    }

    pub(crate) async fn start_staging(
        staging_bytes_max: u64,
        change: impl FnOnce(&mut DoorSettings),
    ) -> Self {
        log_by_thread();
        let mut settings = door_settings();
        change(&mut settings);
        let clock = Arc::new(ManualClock::at(NOW));
        let upstream = ScriptedUpstream::start().await;
        let first_byte = Duration::from_millis(500);
        let client = HttpUpstream::new(upstream::Settings {
            // It plays Docker Hub too, for a rule that names that.
            endpoints: [(DOCKER_HUB.to_owned(), vec![upstream.url().parse().unwrap()])].into(),
            timeouts: upstream::Timeouts { first_byte, ..upstream::Timeouts::default() },
            ..upstream::Settings::default()
        });
        let memory = MemoryMetadata::new();
        let parts = RegistryParts {
            blobs: Arc::new(MemoryBlobs::new(staging_bytes_max)),
            metadata: Arc::new(memory.clone()),
            upstream: Arc::new(client.unwrap()),
            clock: clock.clone(),
            keyring: Arc::new(Keyring::generate()),
            fills: Arc::new(LocalDirectory::default()),
        };
        let doors = open(&parts, &settings).await;
        Self { doors, upstream, clock, memory, parts, settings }
    }

    /// The same stores and keyring, in a process started anew with other settings.
    pub(crate) async fn restart_with(&mut self, change: impl FnOnce(&mut DoorSettings)) {
        change(&mut self.settings);
        self.doors = open(&self.parts, &self.settings).await;
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let (head, body) = request.into_parts();
        let response = self.doors.serve(&head, body, connection()).await;
        let (head, body) = response.into_parts();
        let announced = http_body::Body::size_hint(&body).exact();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes);
        Answer { status: head.status.as_u16(), headers: head.headers, body, announced }
    }

    /// A request of the data plane with a login token.
    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let authorization = basic("AWS", &self.token());
        let mut all = vec![("authorization", authorization.as_str())];
        all.extend_from_slice(headers);
        self.ask_as(method, path, &all).await
    }

    /// A request of the data plane with a login token and a body.
    pub(crate) async fn push(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", HOST);
        request = request.header("authorization", basic("AWS", &self.token()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::from(Bytes::copy_from_slice(body.as_bytes()));
        self.send(request.body(body).unwrap()).await
    }

    /// A request of the data plane as it is.
    pub(crate) async fn ask_as(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", HOST);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::default()).unwrap()).await
    }

    /// A request of the data plane on a connection of its own, with a login token unless `headers`
    /// say otherwise. Bytes that are text alone come back as they are.
    pub(crate) async fn over_http(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let token = basic("AWS", &self.token());
        let length = body.len().to_string();
        let mut all = vec![("host", HOST)];
        for (name, value) in [("authorization", token.as_str()), ("content-length", &length)] {
            let is_said = headers.iter().any(|(said, _)| *said == name);
            let is_needed = name != "content-length" || !matches!(method, "GET" | "HEAD");
            all.extend((is_needed && !is_said).then_some((name, value)));
        }
        all.extend(headers.iter().filter(|(_, value)| !value.is_empty()));
        let lines: String =
            all.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let request = format!("{method} {path} HTTP/1.1\r\n{lines}\r\n{body}");
        read_answer(method, &on_the_wire(self, &request).await)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[]).await
    }

    /// Waits until so many fills are over, links and all.
    pub(crate) async fn fills_ended(&self, count: u64) {
        use registry::Counter::{FillsCommitted, FillsFailed};
        let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
        let counters = self.doors.registry.counters();
        while counters.get(FillsCommitted) + counters.get(FillsFailed) < count {
            assert!(tokio::time::Instant::now() < deadline, "the fills never ended");
            tokio::task::yield_now().await;
        }
    }

    /// A login token of the first root user.
    pub(crate) fn token(&self) -> String {
        let account = AccountId::parse(ACCOUNT).unwrap();
        let principal = registry::Principal::Root { account, access_key_id: KEY.to_owned() };
        let caller = registry::Caller { registry: registry_id(ACCOUNT, REGION), principal };
        self.doors.authenticator.issue(&caller, self.clock.now()).unwrap().0
    }

    /// An operation of ECR, signed by the first root user.
    pub(crate) async fn ecr(&self, operation: &str, body: Value) -> Answer {
        let call = Signed::new(&format!("{ECR}.{operation}"), "ecr", body.to_string());
        self.send(call.request()).await
    }

    /// An operation of Secrets Manager, signed by the first root user.
    pub(crate) async fn secrets(&self, operation: &str, body: Value) -> Answer {
        let target = format!("secretsmanager.{operation}");
        self.send(Signed::new(&target, "secretsmanager", body.to_string()).request()).await
    }

    /// An operation of Cloud Control, signed by the first root user.
    pub(crate) async fn cloud(&self, operation: &str, body: Value) -> Answer {
        let target = format!("CloudApiService.{operation}");
        self.send(Signed::new(&target, "cloudcontrolapi", body.to_string()).request()).await
    }

    /// An operation of Cistern's own, signed by the first root user.
    pub(crate) async fn cistern(&self, operation: &str, body: Value) -> Answer {
        let target = format!("Cistern_V1.{operation}");
        self.send(Signed::new(&target, "cistern", body.to_string()).request()).await
    }

    /// A rule from `prefix` to the scripted upstream.
    pub(crate) async fn rule(&self, prefix: &str) {
        self.rule_for(prefix, &self.upstream.url()).await;
    }

    /// A rule from `prefix` to any upstream.
    pub(crate) async fn rule_for(&self, prefix: &str, url: &str) {
        let body = json!({"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": url});
        let answer = self.ecr("CreatePullThroughCacheRule", body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Gives the upstream an image of one layer; returns the digests of manifest and layer.
    pub(crate) fn image(&self, repository: &str, tag: &str, layer: &[u8]) -> (Digest, Digest) {
        let config = self.upstream.add_blob(repository, Bytes::from_static(b"{}"));
        let size = layer.len();
        let layer = self.upstream.add_blob(repository, layer.to_vec());
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": config.as_str(),
                "size": 2,
            },
            "layers": [{
                "mediaType": "application/vnd.oci.image.layer.v1.tar",
                "digest": layer.as_str(),
                "size": size,
            }],
        });
        let bytes = manifest.to_string();
        let manifest =
            self.upstream.add_manifest(repository, Some(tag), media_type::OCI_MANIFEST, bytes);
        (manifest, layer)
    }
}

async fn open(parts: &RegistryParts, settings: &DoorSettings) -> Arc<Doors> {
    let parts = RegistryParts {
        blobs: Arc::clone(&parts.blobs),
        metadata: Arc::clone(&parts.metadata),
        upstream: Arc::clone(&parts.upstream),
        clock: Arc::clone(&parts.clock),
        keyring: Arc::clone(&parts.keyring),
        fills: Arc::clone(&parts.fills),
    };
    let keyring = Arc::clone(&parts.keyring);
    let mut decisions = Settings::new(settings.default_registry.clone());
    decisions.anonymous_pull = settings.anonymous_pull;
    decisions.strict_ecr = settings.strict_ecr;
    let registry = Registry::start(parts, decisions).await.unwrap();
    Arc::new(Doors::new(registry, keyring, settings.clone()))
}

/// A signed request of the control plane, and what of it can be spoilt.
pub(crate) struct Signed {
    pub(crate) method: &'static str,
    pub(crate) uri: String,
    pub(crate) host: String,
    pub(crate) target: Option<String>,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) session_token: Option<String>,
    pub(crate) region: String,
    pub(crate) service: String,
    pub(crate) at: i64,
}

impl Signed {
    pub(crate) fn new(target: &str, service: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            method: "POST",
            uri: "/".to_owned(),
            host: HOST.to_owned(),
            target: Some(target.to_owned()),
            content_type: "application/x-amz-json-1.1",
            body: body.into(),
            key: KEY.to_owned(),
            secret: SECRET.to_owned(),
            session_token: None,
            region: REGION.to_owned(),
            service: service.to_owned(),
            at: NOW,
        }
    }

    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, self.host.parse().unwrap());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if let Some(target) = &self.target {
            headers.insert("x-amz-target", HeaderValue::from_bytes(target.as_bytes()).unwrap());
        }
        let signer = aws::sigv4::Signer {
            access_key_id: &self.key,
            secret_access_key: &self.secret,
            session_token: self.session_token.as_deref(),
            region: &self.region,
            service: &self.service,
        };
        let (path, query) = self.uri.split_once('?').unwrap_or((&self.uri, ""));
        let unsigned = aws::sigv4::Request {
            method: self.method,
            path,
            query,
            headers: &headers,
            body: &self.body,
        };
        let added = signer.sign(&unsigned, aws::Timestamp::from_milliseconds(self.at)).unwrap();
        headers.extend(added);
        let mut request = Request::builder()
            .method(self.method)
            .uri(&self.uri)
            .body(Full::from(self.body.clone()));
        *request.as_mut().unwrap().headers_mut() = headers;
        request.unwrap()
    }
}

#[tokio::test]
async fn what_operators_ask() {
    let world = World::start().await;
    for path in ["/healthz", "/readyz"] {
        let answer = world.ask_as("GET", path, &[]).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok\n"), "{path}");
        assert_eq!(answer.header("x-request-id").len(), 36);
    }
    world.doors.drain();
    assert_eq!(world.ask_as("GET", "/readyz", &[]).await.status, 503);
    assert_eq!(world.ask_as("GET", "/healthz", &[]).await.status, 200);
    let refused = world.ask_as("POST", "/healthz", &[]).await;
    assert_eq!((refused.status, refused.header("allow")), (405, "GET, HEAD"));
    for path in ["/", "/v1/", "/v2x", "/console", "/favicon.ico"] {
        assert_eq!(world.ask_as("GET", path, &[]).await.status, 404, "{path}");
    }
    assert_eq!(world.ask_as("POST", "/v3", &[]).await.status, 404);
}

#[tokio::test]
async fn metrics_count_what_happened() {
    let world = World::start().await;
    world.rule("hub").await;
    world.image("app", "1", b"layer");
    for _ in 0..3 {
        assert_eq!(world.get("/v2/hub/app/manifests/1").await.status, 200);
    }
    let answer = world.ask_as("GET", "/metrics", &[]).await;
    assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
    let text = answer.text();
    for line in [
        "cistern_requests_total{door=\"data_plane\",status=\"2xx\"} 3\n",
        "cistern_requests_total{door=\"control_plane\",status=\"2xx\"} 1\n",
        "cistern_manifest_hits_total 2\n",
        "cistern_manifest_misses_total 1\n",
        "cistern_request_duration_seconds_count{door=\"data_plane\"} 3\n",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn metrics_off_loopback_need_a_login() {
    let world = World::start_with(|settings| settings.loopback = false).await;
    let refused = world.ask_as("GET", "/metrics", &[]).await;
    assert_eq!(refused.status, 401);
    assert!(refused.header("www-authenticate").starts_with("Basic realm="));
    assert_eq!(world.ask("GET", "/metrics", &[]).await.status, 200);
    let anonymous = World::start_with(|settings| {
        settings.loopback = false;
        settings.anonymous_pull = true;
    });
    assert_eq!(anonymous.await.ask_as("GET", "/metrics", &[]).await.status, 401);
}

thread_local! {
    /// Where this thread's log lines go, while somebody looks.
    static LINES: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Writes log lines to the thread that looks, and nowhere else.
struct ThreadLines;

impl std::io::Write for ThreadLines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.as_mut().map(|lines| lines.extend_from_slice(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Logs for the whole process, before the first door opens: a subscriber that comes later, or for
/// one thread only, races with callsites that are met for the first time elsewhere.
fn log_by_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .json()
            .with_max_level(tracing::Level::DEBUG)
            .with_writer(|| ThreadLines)
            .init();
    });
}

/// The lines that were logged while a future ran on this thread.
async fn logged<T>(future: impl Future<Output = T>) -> (T, String) {
    LINES.set(Some(Vec::new()));
    let value = future.await;
    let text = LINES.take().unwrap_or_default();
    (value, String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn one_line_for_each_request_and_no_secret_in_it() {
    let world = World::start().await;
    let token = world.token();
    let (answer, log) = logged(world.get("/v2/")).await;
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["target"] == "cistern::access")
        .collect();
    let [line] = &lines[..] else { panic!("{log}") };
    let fields = &line["fields"];
    assert_eq!(fields["request_id"], answer.header("x-request-id"));
    assert_eq!(fields["path"], "/v2/");
    assert_eq!(fields["status"], 200);
    assert_eq!(fields["bytes"], 2);
    assert_eq!(fields["access_key_id"], KEY);
    assert!(!log.contains(&token) && !log.contains(SECRET));

    let silent = World::start_with(|settings| settings.access_log = false).await;
    let (_, log) = logged(silent.get("/v2/")).await;
    assert!(!log.contains("cistern::access"), "{log}");
}

#[tokio::test]
async fn the_log_tells_which_client_called_which_operation() {
    let world = World::start().await;
    let call =
        Signed::new("secretsmanager.GetSecretValue", "secretsmanager", r#"{"SecretId":"x"}"#);
    let mut request = call.request();
    request.headers_mut().insert("user-agent", HeaderValue::from_static("Boto3/1.44.3 md/x"));
    let (_, log) = logged(world.send(request)).await;
    let line = log.lines().find(|line| line.contains("cistern::access")).unwrap();
    let fields = &serde_json::from_str::<Value>(line).unwrap()["fields"];
    assert_eq!(fields["service"], "secretsmanager");
    assert_eq!(fields["operation"], "GetSecretValue");
    assert_eq!(fields["outcome"], "ResourceNotFoundException");
    assert_eq!(fields["user_agent"], "Boto3/1.44.3 md/x");
}

/// Sends a raw request on one connection of a real server; returns all it answers.
async fn on_the_wire(world: &World, request: &str) -> String {
    on_the_wire_with(world, request, || {}).await
}

/// The same, and does something once the head of the answer is there.
async fn on_the_wire_with(world: &World, request: &str, after_head: impl FnOnce()) -> String {
    let (client, server) = tokio::io::duplex(1 << 20);
    let doors = Arc::clone(&world.doors);
    let service = hyper::service::service_fn(move |request: Request<hyper::body::Incoming>| {
        let doors = Arc::clone(&doors);
        async move {
            let (head, body) = request.into_parts();
            Ok::<_, std::convert::Infallible>(doors.serve(&head, body, connection()).await)
        }
    });
    let server = hyper::server::conn::http1::Builder::new()
        .half_close(true)
        .serve_connection(hyper_util::rt::TokioIo::new(server), service);
    let (mut reader, mut writer) = tokio::io::split(client);
    let write = async {
        // A server that has answered need not read on.
        if writer.write_all(request.as_bytes()).await.is_ok() {
            let _ = writer.shutdown().await;
        }
    };
    let read = async {
        let mut answer = Vec::new();
        while !answer.windows(4).any(|window| window == b"\r\n\r\n") {
            assert_ne!(reader.read_buf(&mut answer).await.unwrap(), 0, "no head");
        }
        after_head();
        reader.read_to_end(&mut answer).await.unwrap();
        answer
    };
    let (_, (), answer): (Result<(), hyper::Error>, _, _) = tokio::join!(server, write, read);
    String::from_utf8_lossy(&answer).into_owned()
}

/// An answer as the wire carries it, which has to be well formed.
fn read_answer(method: &str, text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")).expect("a status");
    let status = status[..3].parse().expect("three digits");
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").expect("a header");
        let name: HeaderName = name.parse().expect("a name");
        headers.append(name, value.parse().expect("a value"));
    }
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.map(|length| length.to_str().unwrap().parse::<u64>().unwrap());
    let has_body = method != "HEAD" && !matches!(status, 204 | 304);
    let length = if has_body { announced } else { Some(0) };
    assert_eq!(length, Some(body.len() as u64), "{text}");
    let body = Ok(Bytes::copy_from_slice(body.as_bytes()));
    Answer { status, headers, body, announced }
}

#[tokio::test]
async fn the_wire_carries_lengths_and_no_more() {
    let world = World::start().await;
    world.rule("hub").await;
    let (manifest, layer) = world.image("app", "1", b"0123456789");
    let size = world.get("/v2/hub/app/manifests/1").await.body.unwrap().len();
    let authorization = basic("AWS", &world.token());
    let ask = |method: &str, path: &str, more: &str| {
        format!(
            "{method} {path} HTTP/1.1\r\nhost: h\r\nauthorization: {authorization}\r\n{more}\r\n"
        )
    };

    let text = on_the_wire(&world, &ask("HEAD", "/v2/hub/app/manifests/1", "")).await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(text.contains(&format!("content-length: {size}\r\n")), "{text}");
    assert!(text.ends_with("\r\n\r\n"), "a HEAD has no body: {text}");

    let text = on_the_wire(&world, &ask("HEAD", "/v2/hub/app/manifests/2", "")).await;
    assert!(text.starts_with("HTTP/1.1 404 Not Found\r\n") && text.ends_with("\r\n\r\n"), "{text}");

    let seen = format!("if-none-match: \"{manifest}\"\r\n");
    let text = on_the_wire(&world, &ask("GET", "/v2/hub/app/manifests/1", &seen)).await;
    assert!(text.starts_with("HTTP/1.1 304 Not Modified\r\n"), "{text}");
    assert!(!text.contains("content-length") && text.ends_with("\r\n\r\n"), "{text}");

    let path = format!("/v2/hub/app/blobs/{layer}");
    let text = on_the_wire(&world, &ask("GET", &path, "range: bytes=2-4\r\n")).await;
    assert!(text.starts_with("HTTP/1.1 206 Partial Content\r\n"), "{text}");
    assert!(text.contains("content-length: 3\r\n") && text.ends_with("\r\n\r\n234"), "{text}");

    let text = on_the_wire(&world, &ask("POST", "/v2/hub/app/blobs/uploads/", "")).await;
    assert!(text.starts_with("HTTP/1.1 202 ") && text.contains("content-length: 0\r\n"), "{text}");
}

/// What every request carries about while it is answered is copied when it begins: what few
/// requests need is boxed.
#[tokio::test]
async fn the_state_of_a_request_is_small() {
    let world = World::start().await;
    let (head, body) = Request::new(Full::<Bytes>::default()).into_parts();
    let answering = world.doors.serve(&head, body, connection());
    let bytes = size_of_val(&answering);
    assert!(bytes <= 2048, "{bytes} bytes");
}

#[tokio::test]
async fn an_upstream_that_breaks_off_breaks_the_connection() {
    let world = World::start().await;
    world.rule("hub").await;
    let authorization = basic("AWS", &world.token());
    for chunked in [false, true] {
        let bytes = vec![b'x'; 300_000 + usize::from(chunked)];
        let (_, layer) = world.image("app", "1", &bytes);
        let gate = testkit::Gate::shut();
        let script = testkit::Script::new().wrong_byte(1000).stall(100_000, &gate);
        let script = if chunked { script.chunked() } else { script };
        world.upstream.script(&testkit::blob_path("app", &layer), script);
        let request = format!(
            "GET /v2/hub/app/blobs/{layer} HTTP/1.1\r\nhost: h\r\nauthorization: {authorization}\r\n\r\n"
        );
        let text = on_the_wire_with(&world, &request, || gate.open()).await;
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK"), "{head}");
        if chunked {
            assert!(head.contains("transfer-encoding: chunked"), "{head}");
            assert!(!body.ends_with("0\r\n\r\n"), "the last chunk is a clean end");
        } else {
            assert!(head.contains("content-length: 300000"), "{head}");
            assert!(body.len() < 300_000, "the last byte is withheld");
        }
    }
}

#[tokio::test]
async fn a_head_of_unknown_length_announces_none() {
    let world = World::start().await;
    world.rule("hub").await;
    let (_, layer) = world.image("app", "1", b"0123456789");
    let path = testkit::blob_path("app", &layer);
    world.upstream.script(&path, testkit::Script::new().chunked());
    let authorization = basic("AWS", &world.token());
    let request = format!(
        "HEAD /v2/hub/app/blobs/{layer} HTTP/1.1\r\nhost: h\r\nauthorization: {authorization}\r\n\r\n"
    );
    let text = on_the_wire(&world, &request).await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(!text.contains("content-length"), "{text}");
    assert!(text.ends_with("\r\n\r\n") && !text.contains("\r\n\r\n0"), "{text}");
}

/// A body that fails, as that of a client that leaves.
pub(crate) struct Broken;

impl http_body::Body for Broken {
    type Data = Bytes;
    type Error = Cause;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Cause>>> {
        std::task::Poll::Ready(Some(Err("gone".into())))
    }
}
