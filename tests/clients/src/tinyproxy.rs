//! Debian's `tinyproxy`: a real HTTP proxy on loopback that asks for a user name and a password.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::program::{Daemon, command, find, free_port, write};
use crate::skip::Missing;

/// The account of the proxy.
pub const USER: &str = "proxy-user";
/// The password of [`USER`].
pub const PASSWORD: &str = "proxy-password";

/// A running `tinyproxy`.
#[derive(Debug)]
pub struct Tinyproxy {
    directory: TempDir,
    port: u16,
    _daemon: Daemon,
}

impl Tinyproxy {
    /// Starts one.
    ///
    /// # Errors
    /// [`Missing`] when it is not installed.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start() -> Result<Self, Missing> {
        let program: PathBuf = find("tinyproxy", "tinyproxy-bin")?;
        let directory = TempDir::with_prefix("tinyproxy-").expect("a temporary directory");
        let port = free_port();
        let configuration = format!(
            "Port {port}\nListen 127.0.0.1\nTimeout 60\nMaxClients 50\nLogLevel Connect\n\
             LogFile \"{}\"\nAllow 127.0.0.1\nBasicAuth {USER} {PASSWORD}\n",
            directory.path().join("requests.log").display(),
        );
        write(&directory.path().join("tinyproxy.conf"), configuration);
        let mut proxy = command(program, directory.path());
        proxy.arg("-d").arg("-c").arg(directory.path().join("tinyproxy.conf"));
        let mut daemon = Daemon::start(&mut proxy, directory.path(), "tinyproxy");
        daemon.until("it listens", || TcpStream::connect(("127.0.0.1", port)).ok());
        Ok(Self { directory, port, _daemon: daemon })
    }

    /// Its URL with user name and password.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{USER}:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// Its URL without credentials, which it refuses.
    #[must_use]
    pub fn url_of_nobody(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How often it was asked for something of this kind: `CONNECT host:port`, `GET http://…`.
    #[must_use]
    pub fn asked(&self, request: &str) -> usize {
        let log = fs::read_to_string(self.directory.path().join("requests.log"));
        log.unwrap_or_default().lines().filter(|line| line.contains(request)).count()
    }
}
