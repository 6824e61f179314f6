//! The upstream of the scenarios: a real `docker-registry` on loopback whose access log is read.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::path::PathBuf;

use tempfile::TempDir;

use crate::certificate_authority::CertificateAuthority;
use crate::image::Image;
use crate::program::{Daemon, command, find, free_port, run, run_with_input, write};
use crate::skip::Missing;
use crate::token_issuer::{ISSUER, SERVICE, TokenIssuer};
use crate::wait;

/// The account of a registry that asks for one.
pub const USER: &str = "alice";
/// The password of [`USER`].
pub const PASSWORD: &str = "correct horse battery staple";

/// One line of the access log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The HTTP method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The status that was answered.
    pub status: u16,
}

/// A `docker-registry` process with its own storage; stopped and started on the same port.
#[derive(Debug)]
pub struct UpstreamRegistry {
    directory: TempDir,
    program: PathBuf,
    address: IpAddr,
    port: u16,
    /// Whether it speaks TLS by now.
    tls: bool,
    daemon: Option<Daemon>,
    credentials: bool,
    issuer: Option<TokenIssuer>,
    /// How much of the access log was written before [`Self::forget_requests`].
    forgotten: usize,
}

impl UpstreamRegistry {
    /// One that anybody may use.
    ///
    /// # Errors
    /// [`Missing`] when `docker-registry` or `skopeo` is not installed.
    pub fn open() -> Result<Self, Missing> {
        Ok(Self::prepare()?.configured("", false, None))
    }

    /// One that asks for Basic credentials ([`USER`], [`PASSWORD`]).
    ///
    /// # Errors
    /// [`Missing`] when `docker-registry`, `skopeo` or `htpasswd` is not installed.
    pub fn with_password() -> Result<Self, Missing> {
        let registry = Self::prepare()?;
        let program = find("htpasswd", "apache2-utils")?;
        let mut htpasswd = command(program, registry.directory.path());
        // -C 4: the cheapest bcrypt, since every request pays it.
        let entry = run_with_input(htpasswd.args(["-n", "-i", "-B", "-C", "4", USER]), PASSWORD);
        let path = registry.directory.path().join("htpasswd");
        write(&path, entry.success());
        let auth = format!("auth: {{htpasswd: {{realm: upstream, path: {}}}}}\n", path.display());
        Ok(registry.configured(&auth, true, None))
    }

    /// One that sends its clients to a token service for [`USER`].
    ///
    /// # Errors
    /// [`Missing`] when `docker-registry` or `skopeo` is not installed.
    pub fn with_token_service() -> Result<Self, Missing> {
        let registry = Self::prepare()?;
        let issuer = TokenIssuer::start(USER, PASSWORD);
        let bundle = registry.directory.path().join("issuer.pem");
        issuer.write_certificate(&bundle);
        let auth = format!(
            "auth: {{token: {{realm: '{}', service: {SERVICE}, issuer: {ISSUER}, \
             rootcertbundle: {}}}}}\n",
            issuer.realm(),
            bundle.display(),
        );
        Ok(registry.configured(&auth, true, Some(issuer)))
    }

    fn prepare() -> Result<Self, Missing> {
        let program = find("docker-registry", "docker-registry")?;
        find("skopeo", "skopeo")?;
        let directory = TempDir::with_prefix("upstream-").expect("a temporary directory");
        let port = free_port();
        Ok(Self {
            directory,
            program,
            address: Ipv4Addr::LOCALHOST.into(),
            port,
            tls: false,
            daemon: None,
            credentials: false,
            issuer: None,
            forgotten: 0,
        })
    }

    fn configured(mut self, auth: &str, credentials: bool, issuer: Option<TokenIssuer>) -> Self {
        self.configure("", auth);
        self.credentials = credentials;
        self.issuer = issuer;
        self.start();
        self
    }

    /// Speaks TLS from now on, with a certificate for its address, `localhost` and these names; where
    /// `asks_clients`, only with clients of the same authority. Push before.
    ///
    /// # Panics
    /// When it does not come up again.
    pub fn speak_tls(&mut self, authority: &CertificateAuthority, asks_clients: bool) {
        self.stop();
        let address = self.address.to_string();
        let server = authority.server(&[&address, "localhost"]);
        let clients = if asks_clients {
            format!(", clientcas: ['{}']", authority.root().display())
        } else {
            String::new()
        };
        let tls = format!(
            ", tls: {{certificate: '{}', key: '{}'{clients}}}",
            server.certificate.display(),
            server.key.display(),
        );
        self.tls = true;
        self.configure(&tls, "");
        self.start();
    }

    /// Listens on another address of this machine from now on.
    ///
    /// # Panics
    /// When it does not come up there.
    pub fn listen_at(&mut self, address: IpAddr) {
        self.stop();
        self.address = address;
        self.configure("", "");
        self.start();
    }

    fn configure(&self, tls: &str, auth: &str) {
        let storage = self.directory.path().join("storage");
        // Draining lets a stopped registry finish its access log.
        let configuration = format!(
            "version: 0.1\nlog: {{level: warn}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: '{}', secret: tests, draintimeout: 5s{tls}}}\n{auth}",
            storage.display(),
            self.host(),
        );
        write(&self.directory.path().join("config.yml"), configuration);
    }

    /// Starts it again, on the same port with the same content.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(&mut self) {
        let directory = self.directory.path();
        let mut registry = command(&self.program, directory);
        registry.arg("serve").arg(directory.join("config.yml"));
        let mut daemon = Daemon::start(&mut registry, directory, "registry");
        let address = (self.address, self.port);
        daemon.until("it listens", || TcpStream::connect(address).ok());
        self.daemon = Some(daemon);
    }

    /// Goes offline: connections are refused from now on.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.terminate();
        }
    }

    /// `127.0.0.1:PORT`, or where else it listens.
    #[must_use]
    pub fn host(&self) -> String {
        format!("{}:{}", self.address, self.port)
    }

    /// `http://127.0.0.1:PORT`, or with `https`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.host())
    }

    /// Its token service, if it has one.
    #[must_use]
    pub fn issuer(&self) -> Option<&TokenIssuer> {
        self.issuer.as_ref()
    }

    /// Pushes an image, byte for byte, all platforms of an index included, and forgets the requests
    /// that took.
    ///
    /// # Panics
    /// When skopeo fails.
    pub fn push(&mut self, image: &Image, repository: &str, tag: &str) {
        let skopeo = find("skopeo", "skopeo").expect("found when the registry was prepared");
        let mut copy = command(skopeo, self.directory.path());
        copy.args(["--insecure-policy", "copy", "--all", "--preserve-digests", "--quiet"])
            .arg("--dest-tls-verify=false");
        if self.credentials {
            copy.arg(format!("--dest-creds={USER}:{PASSWORD}"));
        }
        copy.arg(image.source()).arg(format!("docker://{}/{repository}:{tag}", self.host()));
        run(&mut copy).success();
        self.forget_requests();
    }

    /// Counts from here.
    pub fn forget_requests(&mut self) {
        self.forgotten = self.access_log().len();
    }

    /// What was asked of it since [`Self::forget_requests`]. A request appears once it is answered
    /// to its end, which may be a moment after its client has it: stop the registry for a final
    /// count.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.access_log()[self.forgotten..].lines().filter_map(parse_request).collect()
    }

    /// How many GETs of this blob were answered with bytes.
    #[must_use]
    pub fn blob_gets(&self, digest: &str) -> usize {
        self.gets(&format!("/blobs/{digest}"))
    }

    /// How many GETs of this manifest, by digest or tag, were answered with bytes.
    #[must_use]
    pub fn manifest_gets(&self, reference: &str) -> usize {
        self.gets(&format!("/manifests/{reference}"))
    }

    fn gets(&self, ending: &str) -> usize {
        let transfers = |request: &&Request| {
            request.method == "GET" && request.path.ends_with(ending) && request.status / 100 == 2
        };
        self.requests().iter().filter(transfers).count()
    }

    /// Waits until a request that `wanted` picks is in the access log.
    ///
    /// # Panics
    /// When none appears before the deadline.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&Request) -> bool) {
        wait::until(what, || self.requests().iter().any(&wanted).then_some(()));
    }

    fn access_log(&self) -> String {
        fs::read_to_string(self.directory.path().join("registry.out")).unwrap_or_default()
    }
}

impl Drop for UpstreamRegistry {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- requests to the upstream {}", self.host());
            for Request { method, path, status } in self.requests() {
                eprintln!("{method} {path} {status}");
            }
        }
    }
}

/// Reads Apache's combined format: `HOST - USER [TIME] "METHOD PATH VERSION" STATUS SIZE …`.
fn parse_request(line: &str) -> Option<Request> {
    let (_, rest) = line.split_once("] \"")?;
    let (request, rest) = rest.split_once("\" ")?;
    let mut words = request.split(' ');
    Some(Request {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        status: rest.split(' ').next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Request, parse_request};

    #[test]
    fn combined_log_lines_are_read() {
        let line = r#"127.0.0.1 - - [21/Nov/2026:09:49:08 +0000] "GET /v2/a/blobs/sha256:4f HTTP/1.1" 200 410 "" "agent/1""#;
        let read = parse_request(line).expect("a well-formed line");
        let path = "/v2/a/blobs/sha256:4f".to_owned();
        assert_eq!(read, Request { method: "GET".into(), path, status: 200 });
        assert_eq!(parse_request("time=\"2026\" level=info"), None);
    }
}
