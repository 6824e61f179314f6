//! What a scripted upstream does with a path, beyond the obvious.

use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use crate::Gate;

/// How the length of a body is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Length {
    /// `Content-Length`.
    #[default]
    Known,
    /// Chunked.
    Chunked,
    /// HTTP/1.0: the body ends with the connection.
    UntilClose,
}

/// How a body that is cut off ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The connection is closed in good order, too early.
    Close,
    /// The connection is reset.
    Reset,
}

/// What to do with requests for one path. Faults combine; offsets count from the start of the
/// body as it is sent.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub(super) only: Option<Method>,
    pub(super) times: Option<usize>,
    pub(super) black_hole: bool,
    pub(super) hold: Option<Gate>,
    pub(super) hang_up: bool,
    pub(super) status: Option<StatusCode>,
    pub(super) body: Option<String>,
    pub(super) headers: Vec<(HeaderName, Option<HeaderValue>)>,
    pub(super) length: Length,
    pub(super) wrong_byte: Option<u64>,
    pub(super) cut: Option<(u64, Cut)>,
    pub(super) stall: Option<(u64, Gate)>,
    pub(super) ignore_range: bool,
    pub(super) ignore_conditions: bool,
}

impl Script {
    /// Starts a script that does nothing unusual.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers with a status and no content.
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("a status code");
        Self { status: Some(status), ..Self::default() }
    }

    /// Answers with a redirect.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::status(status).header("location", location)
    }

    /// Answers with a status and OCI's error envelope.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::status(status)
            .header("content-type", "application/json")
            .body(&format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#))
    }

    /// Takes the request and never answers.
    pub fn black_hole() -> Self {
        Self { black_hole: true, ..Self::default() }
    }

    /// Resets the connection before it answers.
    pub fn hang_up() -> Self {
        Self { hang_up: true, ..Self::default() }
    }

    /// Holds only for the first `times` requests from now on.
    pub fn times(self, times: usize) -> Self {
        Self { times: Some(times), ..self }
    }

    /// Holds only for requests with this method; others are answered as if there was no script.
    pub fn only(self, method: &Method) -> Self {
        Self { only: Some(method.clone()), ..self }
    }

    /// Holds the answer's headers back until the gate opens.
    pub fn hold(self, gate: &Gate) -> Self {
        Self { hold: Some(gate.clone()), ..self }
    }

    /// Sends these bytes in place of the content, or with a scripted status.
    pub fn body(self, body: &str) -> Self {
        Self { body: Some(body.to_owned()), ..self }
    }

    /// Sets a header in place of what would be sent.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header value");
        self.headers.push((parse_name(name), Some(value)));
        self
    }

    /// Leaves a header out.
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers.push((parse_name(name), None));
        self
    }

    /// Sets `Retry-After`.
    pub fn retry_after(self, value: &str) -> Self {
        self.header(header::RETRY_AFTER.as_str(), value)
    }

    /// Sends the body chunked, without telling its length.
    pub fn chunked(self) -> Self {
        Self { length: Length::Chunked, ..self }
    }

    /// Sends the body without telling its length and ends it by closing the connection.
    pub fn until_close(self) -> Self {
        Self { length: Length::UntilClose, ..self }
    }

    /// Sends one wrong byte, the length unchanged.
    pub fn wrong_byte(self, offset: u64) -> Self {
        Self { wrong_byte: Some(offset), ..self }
    }

    /// Closes the connection after this many bytes of the body.
    pub fn short(self, bytes: u64) -> Self {
        Self { cut: Some((bytes, Cut::Close)), ..self }
    }

    /// Resets the connection after this many bytes of the body.
    pub fn reset(self, bytes: u64) -> Self {
        Self { cut: Some((bytes, Cut::Reset)), ..self }
    }

    /// Sends this many bytes of the body and the rest when the gate is open.
    pub fn stall(self, bytes: u64, gate: &Gate) -> Self {
        Self { stall: Some((bytes, gate.clone())), ..self }
    }

    /// Answers 200 with everything where a range is asked for.
    pub fn ignore_range(self) -> Self {
        Self { ignore_range: true, ..self }
    }

    /// Sends everything where only what has changed is asked for.
    pub fn ignore_conditions(self) -> Self {
        Self { ignore_conditions: true, ..self }
    }
}

fn parse_name(name: &str) -> HeaderName {
    HeaderName::from_bytes(name.as_bytes()).expect("a header name")
}
