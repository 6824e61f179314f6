//! An upstream registry on loopback that does exactly what a test says.
//!
//! A real HTTP server (HTTP/1.1, and HTTP/2 over TLS). It has what it is given, answers like a
//! registry, writes down what it was asked, and misbehaves where a [`Script`] says so.

mod answer;
mod auth;
mod content;
mod journal;
mod listen;
mod script;
mod socket;
mod tls;

use std::{
    collections::HashMap,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::Method;
use oci::Digest;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_rustls::TlsAcceptor;

use self::{
    auth::Auth,
    content::{Content, Resource},
    journal::Journal,
};
pub use self::{
    auth::{Realm, Tokens},
    journal::Seen,
    script::Script,
};
use crate::Pattern;

/// A scripted upstream. Dropping it closes its listener and its connections.
pub struct ScriptedUpstream {
    state: Arc<State>,
    address: SocketAddr,
    tls: Option<(TlsAcceptor, String)>,
    running: Mutex<JoinSet<()>>,
}

/// What connections share.
#[derive(Debug, Default)]
struct State {
    resources: Mutex<HashMap<String, Resource>>,
    scripts: Mutex<HashMap<String, Script>>,
    auth: Mutex<Auth>,
    tokens: Mutex<Option<(String, Arc<Tokens>)>>,
    journal: Journal,
}

impl ScriptedUpstream {
    /// Starts one that speaks plain HTTP.
    pub async fn start() -> Self {
        Self::start_with(None).await
    }

    /// Starts one that speaks TLS, with a certificate for `localhost` and `127.0.0.1`.
    pub async fn start_tls() -> Self {
        Self::start_with(Some(tls::acceptor())).await
    }

    async fn start_with(tls: Option<(TlsAcceptor, String)>) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = TcpListener::bind(loopback).await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let upstream = Self { state: Arc::default(), address, tls, running: Mutex::default() };
        upstream.run(listener);
        upstream
    }

    fn run(&self, listener: TcpListener) {
        let acceptor = self.tls.as_ref().map(|(acceptor, _)| acceptor.clone());
        lock(&self.running).spawn(listen::accept(listener, acceptor, Arc::clone(&self.state)));
    }

    /// Closes the listener and every connection; later connections are refused.
    pub async fn stop(&self) {
        let mut running = std::mem::take(&mut *lock(&self.running));
        running.shutdown().await;
    }

    /// Starts again on the same port after [`stop`](Self::stop).
    pub async fn restart(&self) {
        let listener = TcpListener::bind(self.address).await.expect("the port is still free");
        self.run(listener);
    }

    /// Returns `127.0.0.1:PORT`.
    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns `http://127.0.0.1:PORT`, or with `https`.
    pub fn url(&self) -> String {
        self.url_at("127.0.0.1")
    }

    /// Returns its URL under another name of this machine, such as `localhost`.
    pub fn url_at(&self, host: &str) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{host}:{}", self.address.port())
    }

    /// Returns the root certificate that signed its own, as PEM; empty without TLS.
    pub fn root_pem(&self) -> &str {
        self.tls.as_ref().map_or("", |(_, pem)| pem)
    }

    /// Gives it a blob and returns its digest.
    pub fn add_blob(&self, repository: &str, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        self.add_blob_as(repository, &digest, Content::Bytes(bytes));
        digest
    }

    /// Gives it a blob that is made as it is sent, and returns its digest.
    pub fn add_pattern(&self, repository: &str, pattern: &Pattern) -> Digest {
        let digest = pattern.digest();
        self.add_blob_as(repository, &digest, Content::Pattern(pattern.clone()));
        digest
    }

    fn add_blob_as(&self, repository: &str, digest: &Digest, content: Content) {
        let resource = Resource {
            content,
            content_type: oci::media_type::OCTET_STREAM.to_owned(),
            digest: Some(digest.to_string()),
        };
        self.insert(blob_path(repository, digest), resource);
    }

    /// Gives it a manifest, by digest and by tag where one is given, and returns its digest.
    pub fn add_manifest(
        &self,
        repository: &str,
        tag: Option<&str>,
        media_type: &str,
        bytes: impl Into<Bytes>,
    ) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        let resource = Resource {
            content: Content::Bytes(bytes),
            content_type: media_type.to_owned(),
            digest: Some(digest.to_string()),
        };
        for reference in tag.into_iter().chain([digest.as_str()]) {
            self.insert(manifest_path(repository, reference), resource.clone());
        }
        digest
    }

    /// Gives it content at any path, such as the storage a redirect leads to.
    pub fn add_file(&self, path: &str, bytes: impl Into<Bytes>) {
        let content_type = oci::media_type::OCTET_STREAM.to_owned();
        let content = Content::Bytes(bytes.into());
        self.insert(path.to_owned(), Resource { content, content_type, digest: None });
    }

    /// Gives it a page of a list, at a path with or without a query.
    pub fn add_list(&self, path: &str, content_type: &str, list: impl Into<Bytes>) {
        let content = Content::Bytes(list.into());
        let content_type = content_type.to_owned();
        self.insert(path.to_owned(), Resource { content, content_type, digest: None });
    }

    fn insert(&self, path: String, resource: Resource) {
        lock(&self.state.resources).insert(path, resource);
    }

    /// Takes away what is at a path.
    pub fn remove(&self, path: &str) {
        lock(&self.state.resources).remove(path);
    }

    /// Sets what to do with requests for a path, in place of an earlier script.
    pub fn script(&self, path: &str, script: Script) {
        lock(&self.state.scripts).insert(path.to_owned(), script);
    }

    /// Forgets the script of a path.
    pub fn unscript(&self, path: &str) {
        lock(&self.state.scripts).remove(path);
    }

    /// Lets in one user only, by Basic authentication.
    pub fn require_basic(&self, username: &str, password: &str) {
        let authorization = auth::basic(username, password);
        *lock(&self.state.auth) = Auth::Basic { authorization };
    }

    /// Lets in whoever has a token, and names its own `/token` as the realm.
    pub fn require_token(&self, tokens: &Arc<Tokens>) {
        self.serve_tokens(tokens);
        self.require_token_of(tokens, &format!("{}/token", self.url()));
    }

    /// Lets in whoever has a token, and names this realm.
    pub fn require_token_of(&self, tokens: &Arc<Tokens>, realm: &str) {
        self.require_token_like(tokens, Realm::at(realm));
    }

    /// Lets in whoever has a token, and names a realm in these words.
    pub fn require_token_like(&self, tokens: &Arc<Tokens>, realm: Realm) {
        *lock(&self.state.auth) = Auth::Bearer { tokens: Arc::clone(tokens), realm };
    }

    /// Issues these tokens at `/token`.
    pub fn serve_tokens(&self, tokens: &Arc<Tokens>) {
        self.serve_tokens_at("/token", tokens);
    }

    /// Issues these tokens at a path.
    pub fn serve_tokens_at(&self, path: &str, tokens: &Arc<Tokens>) {
        *lock(&self.state.tokens) = Some((path.to_owned(), Arc::clone(tokens)));
    }

    /// Returns what it was asked, in order.
    pub fn requests(&self) -> Vec<Seen> {
        self.state.journal.all()
    }

    /// Forgets what it was asked.
    pub fn forget_requests(&self) {
        self.state.journal.clear();
    }

    /// Counts the GETs of a path, refused ones included.
    pub fn gets(&self, path: &str) -> usize {
        self.state.journal.count(&Method::GET, path)
    }

    /// Counts the HEADs of a path, refused ones included.
    pub fn heads(&self, path: &str) -> usize {
        self.state.journal.count(&Method::HEAD, path)
    }

    /// Waits until a path was asked for by GET at least `count` times.
    pub async fn got(&self, path: &str, count: usize) {
        self.state.journal.reached(&Method::GET, path, count).await;
    }
}

impl fmt::Debug for ScriptedUpstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedUpstream").field("address", &self.address).finish_non_exhaustive()
    }
}

impl State {
    fn resource(&self, path: &str) -> Option<Resource> {
        lock(&self.resources).get(path).cloned()
    }

    fn auth(&self) -> Auth {
        lock(&self.auth).clone()
    }

    /// Returns the tokens that are issued at a path.
    fn tokens_at(&self, path: &str) -> Option<Arc<Tokens>> {
        let served = lock(&self.tokens);
        served.as_ref().filter(|(at, _)| at == path).map(|(_, tokens)| Arc::clone(tokens))
    }

    /// Returns the script of a path and counts its use.
    fn take_script(&self, method: &Method, path: &str) -> Option<Script> {
        let mut scripts = lock(&self.scripts);
        let script = scripts.get_mut(path)?;
        if script.only.as_ref().is_some_and(|only| only != method) {
            return None;
        }
        if let Some(times) = &mut script.times {
            *times = times.checked_sub(1)?;
        }
        Some(script.clone())
    }
}

/// Returns the path of a blob.
pub fn blob_path(repository: &str, digest: &Digest) -> String {
    format!("/v2/{repository}/blobs/{digest}")
}

/// Returns the path of a manifest.
pub fn manifest_path(repository: &str, reference: &str) -> String {
    format!("/v2/{repository}/manifests/{reference}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
