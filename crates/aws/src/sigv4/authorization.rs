//! Reading the parts of a signature from the `Authorization` header or from the query.

use std::time::Duration;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::canonical::SIGNATURE_PARAMETER;
use super::{ALGORITHM, Rejection, Request, Scope};
use crate::query;
use crate::timestamp::Timestamp;

/// AWS's limit on the life of a presigned request: seven days.
const PRESIGNED_LIFE_MAX: u64 = 7 * 24 * 60 * 60;

/// The parts of a signature, as sent.
pub(super) struct Parts {
    pub(super) access_key_id: String,
    pub(super) scope: Scope,
    pub(super) signed_headers: Vec<String>,
    pub(super) signature: String,
    pub(super) signed_at: Timestamp,
    pub(super) session_token: Option<String>,
    /// The life of a presigned request; none for one that is signed in its headers.
    pub(super) life: Option<Duration>,
}

/// Reads the signature of `request`, wherever it is.
pub(super) fn read(request: &Request<'_>) -> Result<Parts, Rejection> {
    match header(request.headers, AUTHORIZATION.as_str())? {
        Some(authorization) => from_header(request.headers, authorization),
        None => from_query(request.query),
    }
}

/// The value of a header that may be there once.
pub(super) fn header<'h>(
    headers: &'h HeaderMap,
    name: &'static str,
) -> Result<Option<&'h str>, Rejection> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(malformed(format!("The header '{name}' must be present once.")));
    }
    match value.to_str() {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(malformed(format!("The header '{name}' must be ASCII."))),
    }
}

fn from_header(headers: &HeaderMap, authorization: &str) -> Result<Parts, Rejection> {
    let (algorithm, rest) =
        authorization.trim().split_once([' ', '\t']).unwrap_or((authorization.trim(), ""));
    if algorithm != ALGORITHM {
        return Err(Rejection::UnsupportedAlgorithm { algorithm: algorithm.to_owned() });
    }
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for piece in rest.split(',').map(str::trim).filter(|piece| !piece.is_empty()) {
        let Some((name, value)) = piece.split_once('=') else {
            return Err(malformed(format!(
                "'{piece}' not a valid key=value pair (missing equal-sign) in Authorization header."
            )));
        };
        let slot = match name.trim_end() {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed_headers,
            "Signature" => &mut signature,
            _ => continue,
        };
        if slot.replace(value.trim_start()).is_some() {
            return Err(malformed(format!("Authorization header has two '{name}' parameters.")));
        }
    }
    let time = match header(headers, "x-amz-date")? {
        Some(time) => Some(time),
        None => header(headers, "date")?,
    };
    let named = [
        ("Credential", credential),
        ("Signature", signature),
        ("SignedHeaders", signed_headers),
        ("X-Amz-Date", time),
    ];
    let (Some(credential), Some(signature), Some(signed_headers), Some(time)) =
        (credential, signature, signed_headers, time)
    else {
        return Err(incomplete(&named));
    };
    assemble(&Raw {
        credential,
        signed_headers,
        signature,
        time,
        session_token: header(headers, "x-amz-security-token")?,
        life: None,
    })
}

fn from_query(raw: &str) -> Result<Parts, Rejection> {
    let mut pairs = Vec::new();
    for (name, value) in query::pairs(raw.as_bytes()) {
        if name.starts_with(b"X-Amz-") {
            let text = |bytes| {
                String::from_utf8(bytes)
                    .map_err(|_| malformed("Query-string parameters must be UTF-8.".to_owned()))
            };
            pairs.push((text(name)?, text(value)?));
        }
    }
    let parameter =
        |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let Some(algorithm) = parameter("X-Amz-Algorithm") else { return Err(Rejection::Missing) };
    if algorithm != ALGORITHM {
        return Err(Rejection::UnsupportedAlgorithm { algorithm: algorithm.to_owned() });
    }
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(malformed(format!("Query-string has two '{}' parameters.", twice[0])));
    }
    let named = [
        ("X-Amz-Credential", parameter("X-Amz-Credential")),
        ("X-Amz-Date", parameter("X-Amz-Date")),
        ("X-Amz-Expires", parameter("X-Amz-Expires")),
        (SIGNATURE_PARAMETER, parameter(SIGNATURE_PARAMETER)),
        ("X-Amz-SignedHeaders", parameter("X-Amz-SignedHeaders")),
    ];
    let [
        (_, Some(credential)),
        (_, Some(time)),
        (_, Some(life)),
        (_, Some(signature)),
        (_, Some(signed_headers)),
    ] = named
    else {
        return Err(incomplete(&named));
    };
    let life = life.parse().ok().filter(|life| (1..=PRESIGNED_LIFE_MAX).contains(life));
    let Some(life) = life else {
        return Err(malformed(format!(
            "X-Amz-Expires must be a number of seconds from 1 to {PRESIGNED_LIFE_MAX}."
        )));
    };
    assemble(&Raw {
        credential,
        signed_headers,
        signature,
        time,
        session_token: parameter("X-Amz-Security-Token"),
        life: Some(Duration::from_secs(life)),
    })
}

/// The parts as texts, before they are understood.
struct Raw<'a> {
    credential: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
    time: &'a str,
    session_token: Option<&'a str>,
    life: Option<Duration>,
}

fn assemble(raw: &Raw<'_>) -> Result<Parts, Rejection> {
    let elements: Vec<&str> = raw.credential.split('/').collect();
    let malformed_credential =
        || Rejection::MalformedCredential { credential: raw.credential.to_owned() };
    let [access_key_id, date, region, service, terminator] = elements[..] else {
        return Err(malformed_credential());
    };
    if [access_key_id, date, region, service].contains(&"") {
        return Err(malformed_credential());
    }
    if terminator != "aws4_request" {
        return Err(Rejection::WrongTerminator { terminator: terminator.to_owned() });
    }
    let signed_at = Timestamp::parse_basic_format(raw.time)
        .or_else(|_| Timestamp::parse_http_date(raw.time))
        .map_err(|error| {
            malformed(format!("Date must be in ISO-8601 'basic format'. Got '{}'.", error.text))
        })?;
    let time = signed_at.to_basic_format();
    if !time.starts_with(date) || date.len() != 8 {
        return Err(Rejection::ScopeDateMismatch {
            scope: date.to_owned(),
            date: time[..8].to_owned(),
            time,
        });
    }
    Ok(Parts {
        access_key_id: access_key_id.to_owned(),
        scope: Scope {
            date: date.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        },
        signed_headers: header_names(raw.signed_headers)?,
        signature: raw.signature.to_owned(),
        signed_at,
        session_token: raw.session_token.map(str::to_owned),
        life: raw.life,
    })
}

/// The names of the signed headers: lower case, each once, as every signer writes them.
fn header_names(text: &str) -> Result<Vec<String>, Rejection> {
    let mut names: Vec<String> = Vec::new();
    for name in text.split(';') {
        let lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
        let known = http::HeaderName::from_bytes(name.as_bytes()).is_ok();
        if !lower || !known || names.iter().any(|earlier| earlier == name) {
            return Err(malformed(format!("SignedHeaders cannot have '{name}' here.")));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

fn incomplete(named: &[(&'static str, Option<&str>)]) -> Rejection {
    let missing = named.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name);
    Rejection::Incomplete { missing: missing.collect() }
}

fn malformed(reason: String) -> Rejection {
    Rejection::Malformed { reason }
}
