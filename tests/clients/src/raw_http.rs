//! An HTTP/1.1 client that hides nothing: what came, and whether it ended cleanly.
//!
//! The finished clients repair, retry and resume; a test of the wire has to see the break.

use std::{io, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

use crate::Cistern;

/// How long any one wait may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of one cistern, logged in with its root access key.
#[derive(Clone, Debug)]
pub struct RawHttp {
    host: String,
    authorization: String,
}

/// The head of an answer, and its body as it comes.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    headers: Vec<(String, String)>,
    stream: BufReader<TcpStream>,
}

/// What a body came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Ending {
    /// It ended as HTTP says it should.
    Clean,
    /// The connection ended or broke first: a transport error to any client.
    Broken,
}

impl RawHttp {
    /// A client of `cistern`.
    ///
    /// # Panics
    /// When `cistern env` does not print its access key.
    #[must_use]
    pub fn of(cistern: &Cistern) -> Self {
        let environment = cistern.environment();
        let value = |name: &str| {
            let found = environment.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone()).expect("cistern env prints it")
        };
        let pair = format!("{}:{}", value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"));
        let authorization = format!("Basic {}", STANDARD.encode(pair));
        Self { host: cistern.host(), authorization }
    }

    /// Sends a GET on a connection of its own and waits for the head of the answer. `headers` are
    /// whole lines, each ending in CRLF.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn get(&self, path: &str, headers: &str) -> Answer {
        let asked = self.ask(path, headers);
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        answer.expect("an answer in time").expect("an answer")
    }

    async fn ask(&self, path: &str, headers: &str) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.host).await?;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {}\r\n{headers}\r\n",
            self.host, self.authorization
        );
        stream.write_all(request.as_bytes()).await?;
        let mut stream = BufReader::with_capacity(64 * 1024, stream);
        let status_line = read_line(&mut stream).await?;
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut headers = Vec::new();
        loop {
            let line = read_line(&mut stream).await?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        Ok(Answer { status, headers, stream })
    }
}

impl Answer {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The announced length of the body in bytes.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// Reads some bytes of a body with a known length; none at a broken end.
    ///
    /// # Panics
    /// When nothing comes for a minute.
    pub async fn read(&mut self, buffer: &mut [u8]) -> usize {
        let read = tokio::time::timeout(PATIENCE, self.stream.read(buffer)).await;
        read.expect("bytes in time").unwrap_or(0)
    }

    /// Reads the body to its end, clean or not.
    ///
    /// # Panics
    /// When nothing comes for a minute.
    pub async fn rest(mut self) -> (Vec<u8>, Ending) {
        let mut body = Vec::new();
        let chunked = self.header("transfer-encoding").is_some();
        let ending = if chunked {
            tokio::time::timeout(PATIENCE, read_chunks(&mut self.stream, &mut body)).await
        } else {
            let length = self.length().unwrap_or(0);
            tokio::time::timeout(PATIENCE, read_exactly(&mut self.stream, length, &mut body)).await
        };
        match ending.expect("an end in time") {
            Ok(()) => (body, Ending::Clean),
            Err(_) => (body, Ending::Broken),
        }
    }
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

async fn read_exactly(
    stream: &mut BufReader<TcpStream>,
    length: u64,
    body: &mut Vec<u8>,
) -> io::Result<()> {
    let read = stream.take(length).read_to_end(body).await?;
    if read as u64 == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

async fn read_chunks(stream: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let line = read_line(stream).await?;
        let size = u64::from_str_radix(&line, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        read_exactly(stream, size, body).await?;
        read_line(stream).await?;
        if size == 0 {
            return Ok(());
        }
    }
}
