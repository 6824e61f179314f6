//! The commands for people, against a server that runs: what they print, and what they say when
//! something is wrong. `terminal` has what they ask.

mod errors;
mod images;
mod lists;
mod repositories;
mod rules;
mod secrets;
mod templates;
mod why;

use std::process::{Command, Output, Stdio};

use serde_json::Value;
use testkit::ScriptedUpstream;
use tokio::runtime::Runtime;

use crate::process::{Home, Serving, finish};

/// An image, with a layer of which nobody asks the bytes.
pub(crate) const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":3400000}]}"#;

/// A server, an upstream that it takes for Docker Hub, and a home where commands find it.
pub(crate) struct World {
    pub(crate) home: Home,
    pub(crate) serving: Serving,
    pub(crate) upstream: ScriptedUpstream,
    // Its tasks are the upstream.
    runtime: Runtime,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(flags: &[&str]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let upstream = runtime.block_on(ScriptedUpstream::start());
        let home = Home::new();
        let endpoint = format!("registry-1.docker.io={}", upstream.url());
        let serving = home.serve(&[&["--upstream-endpoint", &endpoint], flags].concat());
        Self { home, serving, upstream, runtime }
    }

    /// Runs a command to its end and returns what it printed, with what differs from run to run
    /// replaced.
    #[track_caller]
    pub(crate) fn prints(&self, words: &[&str]) -> String {
        self.settled(&succeeded(&self.home.run(words)))
    }

    /// Runs a command that prints JSON.
    #[track_caller]
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let output = self.home.run(&[words, &["--output", "json"]].concat());
        serde_json::from_str(&succeeded(&output)).expect("JSON")
    }

    /// Runs a command that reads from stdin.
    #[track_caller]
    pub(crate) fn fed(&self, words: &[&str], stdin: &str) -> Output {
        self.home.write("stdin", stdin);
        let file = std::fs::File::open(self.home.path().join("stdin")).expect("just written");
        finish(self.home.command(words).stdin(Stdio::from(file)))
    }

    /// Replaces what differs from run to run: times, the server's port, the suffix of secrets.
    pub(crate) fn settled(&self, text: &str) -> String {
        let address = self.serving.address().to_string();
        text.replace(&address, "HOST").split('\n').map(settled_line).collect::<Vec<_>>().join("\n")
    }

    /// The root user's key and its secret.
    pub(crate) fn root(&self) -> (String, String) {
        let file = self.home.data_dir().join("credentials");
        let text = std::fs::read_to_string(file).expect("the server made it");
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("a line");
            line.trim_start_matches([' ', '=']).to_owned()
        };
        (value("aws_access_key_id"), value("aws_secret_access_key"))
    }

    /// A command that knows the server only by variables, from nowhere near it.
    pub(crate) fn far(&self, words: &[&str], key: &str, secret: &str) -> (Home, Command) {
        let elsewhere = Home::new();
        let mut command = elsewhere.command(words);
        command
            .env("AWS_ENDPOINT_URL", self.serving.url())
            .env("AWS_ACCESS_KEY_ID", key)
            .env("AWS_SECRET_ACCESS_KEY", secret);
        (elsewhere, command)
    }

    /// Pulls a manifest by its tag; returns the status of the answer.
    pub(crate) fn pull(&self, repository: &str, tag: &str) -> u16 {
        let password = self.prints(&["login-password"]);
        let url = format!("{}/v2/{repository}/manifests/{tag}", self.serving.url());
        self.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().expect("a client");
            let request = client.get(&url).basic_auth("AWS", Some(password.trim_end()));
            request.send().await.expect("an answer").status().as_u16()
        })
    }

    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

/// What a command printed that did what it was told.
#[track_caller]
pub(crate) fn succeeded(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// What a command said on stderr.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A line with `2026-11-21 13:00` as `YYYY-MM-DD hh:mm`, and `…-AbCdEf` of an ARN as `…-SUFFIX`.
fn settled_line(line: &str) -> String {
    let mut line = line.to_owned();
    let is_moment = |text: &str| {
        text.bytes().zip("dddd-dd-dd dd:dd".bytes()).all(|(byte, form)| match form {
            b'd' => byte.is_ascii_digit(),
            form => byte == form,
        })
    };
    let at = (0..line.len()).find(|at| line.get(*at..at + 16).is_some_and(is_moment));
    if let Some(at) = at {
        line.replace_range(at..at + 16, "YYYY-MM-DD hh:mm");
    }
    if let Some(at) = line.find(":secret:") {
        let end = line[at..].find([' ', '"', '\n']).map_or(line.len(), |length| at + length);
        if line.get(end - 7..end - 6) == Some("-") {
            line.replace_range(end - 6..end, "SUFFIX");
        }
    }
    line.trim_end().to_owned()
}
