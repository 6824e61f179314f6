//! What the library of credential sources sees of the world: files, variables, and our own client.

use std::{
    collections::HashMap,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
};

use bytes::Bytes;
use reqsign_core::{
    CommandExecute, CommandOutput, Context, Env, Error, FileRead, HttpSend, OsEnv, Result,
    StaticEnv,
};

use crate::{
    Surroundings,
    dial::Reach,
    wire::{Request, Wire},
};

/// The longest answer of a source that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 256 << 10;

/// Puts the world together.
pub(super) fn context(wire: Arc<Wire>, surroundings: &Surroundings) -> Context {
    let context = Context::new()
        .with_file_read(Files)
        .with_http_send(OurClient(wire))
        .with_command_execute(Programs);
    match surroundings {
        Surroundings::Process => context.with_env(Nonempty(OsEnv)),
        Surroundings::Given { variables, home } => {
            let envs = variables.clone();
            context.with_env(Nonempty(StaticEnv { home_dir: home.clone(), envs }))
        }
    }
}

/// Variables; one that is empty is none, as AWS's clients have it.
#[derive(Debug)]
struct Nonempty<E>(E);

impl<E: Env> Env for Nonempty<E> {
    fn var(&self, key: &str) -> Option<String> {
        self.0.var(key).filter(|value| !value.is_empty())
    }

    fn vars(&self) -> HashMap<String, String> {
        self.0.vars().into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    fn home_dir(&self) -> Option<PathBuf> {
        self.0.home_dir()
    }
}

#[derive(Debug)]
struct Files;

impl FileRead for Files {
    async fn file_read(&self, path: &str) -> Result<Vec<u8>> {
        let failed = |error| Error::config_invalid(format!("{path} cannot be read: {error}"));
        tokio::fs::read(path).await.map_err(failed)
    }
}

/// The client that speaks to upstreams too: replaced endpoints hold, and so does the proxy.
#[derive(Debug)]
struct OurClient(Arc<Wire>);

impl HttpSend for OurClient {
    async fn http_send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        let (head, body) = request.into_parts();
        let url = head.uri.to_string().parse();
        let url = url.map_err(|error| Error::config_invalid(format!("{}: {error}", head.uri)))?;
        let endpoint = self.0.endpoints.of_url(&url);
        let url = self.0.endpoints.replacement(&url, &url).unwrap_or(url);
        let (method, headers) = (head.method, head.headers);
        // Only the operator says where credentials are: his variables, his files, AWS's addresses.
        let request = Request { method, url, headers, body, reach: Reach::Any };
        let failed = |error: crate::Error| Error::unexpected(error.to_string());
        let (answer, _) = self.0.send(&endpoint, request).await.map_err(failed)?;
        let mut response = http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            headers.clone_from(answer.headers());
        }
        let body = self.0.read(&endpoint, answer, ANSWER_BYTES_MAX).await.map_err(failed)?;
        response.body(body).map_err(|error| Error::unexpected(error.to_string()))
    }
}

/// `credential_process` of a profile.
#[derive(Debug)]
struct Programs;

impl CommandExecute for Programs {
    async fn command_execute<'a>(
        &'a self,
        program: &'a str,
        args: &'a [&'a str],
    ) -> Result<CommandOutput> {
        let failed = |error| Error::config_invalid(format!("{program} cannot be run: {error}"));
        let mut command = Command::new(program);
        command.args(args).stdin(Stdio::null());
        let ran = tokio::task::spawn_blocking(move || command.output()).await;
        let output = ran.map_err(|error| Error::unexpected(error.to_string()))?.map_err(failed)?;
        let status = output.status.code().unwrap_or(-1);
        Ok(CommandOutput { status, stdout: output.stdout, stderr: output.stderr })
    }
}
