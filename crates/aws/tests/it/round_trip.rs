//! What is signed here verifies here, and nothing else does.

use std::time::Duration;

use aws::Timestamp;
use aws::sigv4::{Presented, Rejection, Request, Signer, Unsignable};
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;

const SKEW_MAX: Duration = Duration::from_secs(15 * 60);
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A request that owns its parts.
#[derive(Debug, Clone)]
struct Sent {
    method: String,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Vec<u8>,
    at: Timestamp,
}

impl Sent {
    fn request(&self) -> Request<'_> {
        Request {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            headers: &self.headers,
            body: &self.body,
        }
    }

    fn sign(mut self, session_token: Option<&str>) -> Self {
        let added = signer(session_token).sign(&self.request(), self.at).unwrap();
        self.headers.extend(added);
        self
    }

    fn verify(&self, secret: &str) -> Result<(), Rejection> {
        let request = self.request();
        Presented::parse(&request)?.verify(&request, secret, self.at, SKEW_MAX)
    }
}

fn signer(session_token: Option<&str>) -> Signer<'_> {
    Signer {
        access_key_id: "AKIDEXAMPLE",
        secret_access_key: SECRET,
        session_token,
        region: "us-east-1",
        service: "ecr",
    }
}

fn sent() -> Sent {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("127.0.0.1:5000"));
    headers.insert("content-type", HeaderValue::from_static("application/x-amz-json-1.1"));
    headers.insert("x-amz-target", HeaderValue::from_static("secretsmanager.GetSecretValue"));
    headers.insert("user-agent", HeaderValue::from_static("test"));
    Sent {
        method: "POST".to_owned(),
        path: "/".to_owned(),
        query: String::new(),
        headers,
        body: b"{\"SecretId\":\"a\"}".to_vec(),
        at: Timestamp::from_seconds(1_440_938_160),
    }
}

prop_compose! {
    fn any_sent()(
        method in "GET|POST|PUT|DELETE",
        path in "(/[a-zA-Z0-9%._~ :-]{0,8}){1,4}",
        query in "([a-zA-Z0-9%._~+-]{0,6}=?[a-zA-Z0-9%._~+-]{0,6}(&|)){0,5}",
        target in "[a-zA-Z0-9._]{1,30}",
        extra in proptest::collection::vec(" {0,3}[a-z]{0,4} {0,3}[a-z]{0,4}", 0..4),
        body in proptest::collection::vec(any::<u8>(), 0..200),
        seconds in 0_i64..253_402_300_800,
        declared in 0..3,
    ) -> Sent {
        let mut sent = Sent { method, path, query, body, ..sent() };
        sent.at = Timestamp::from_seconds(seconds);
        sent.headers.insert("x-amz-target", target.parse().unwrap());
        for value in extra {
            sent.headers.append("x-amz-meta", value.parse().unwrap());
        }
        if declared == 1 {
            let unsigned = HeaderValue::from_static("UNSIGNED-PAYLOAD");
            sent.headers.insert("x-amz-content-sha256", unsigned);
        }
        sent
    }
}

proptest! {
    #[test]
    fn what_is_signed_verifies(
        sent in any_sent(),
        token in proptest::option::of("[a-zA-Z0-9+/=]{1,40}"),
    ) {
        let signed = sent.sign(token.as_deref());
        prop_assert_eq!(signed.verify(SECRET), Ok(()));
        prop_assert_eq!(signed.verify("other"), Err(Rejection::SignatureMismatch));
        let presented = Presented::parse(&signed.request()).unwrap();
        prop_assert_eq!(presented.session_token(), token.as_deref());
        prop_assert_eq!(presented.signed_at(), signed.at);
    }

    #[test]
    fn a_flipped_bit_of_the_body_is_noticed(at in 0_usize..16, bit in 0..8) {
        let mut signed = sent().sign(None);
        signed.body[at] ^= 1_u8 << bit;
        prop_assert_eq!(signed.verify(SECRET), Err(Rejection::SignatureMismatch));
    }

    #[test]
    fn a_flipped_bit_of_a_covered_header_is_noticed(
        name in "authorization|content-type|host|x-amz-date|x-amz-security-token|x-amz-target",
        at in any::<prop::sample::Index>(),
        bit in 0..7,
    ) {
        let signed = sent().sign(Some("token"));
        let mut bytes = signed.headers[name.as_str()].as_bytes().to_vec();
        let at = at.index(bytes.len());
        // A space more or less is no other signature: the comma before it parts the parameters.
        let separator = name == "authorization" && bytes[at] == b' ';
        bytes[at] ^= 1_u8 << bit;
        if let (Ok(value), false) = (HeaderValue::from_bytes(&bytes), separator) {
            let mut flipped = signed;
            let name = http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            flipped.headers.insert(name, value);
            // The key id picks the secret; nothing else of it is covered.
            let other_key = Presented::parse(&flipped.request())
                .is_ok_and(|presented| presented.access_key_id() != "AKIDEXAMPLE");
            prop_assert!(other_key || flipped.verify(SECRET).is_err(), "{:?}", flipped.headers);
        }
    }

    #[test]
    fn no_authorization_panics(text in "\\PC{0,80}", date in "\\PC{0,20}", query in "\\PC{0,80}") {
        let mut sent = Sent { query, ..sent() };
        if let (Ok(text), Ok(date)) = (text.parse(), date.parse()) {
            sent.headers.insert("authorization", text);
            sent.headers.insert("x-amz-date", date);
        }
        prop_assert!(sent.verify(SECRET).is_err());
    }
}

#[test]
fn a_request_without_a_host_cannot_be_signed() {
    let mut sent = sent();
    sent.headers.remove("host");
    let refused = signer(None).sign(&sent.request(), sent.at);
    assert_eq!(refused, Err(Unsignable::NoHost));
}

#[test]
fn a_declared_hash_must_be_the_bodys() {
    let mut sent = sent();
    let wrong = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    sent.headers.insert("x-amz-content-sha256", HeaderValue::from_static(wrong));
    let signed = sent.sign(None);
    let declared = wrong.to_owned();
    assert_eq!(signed.verify(SECRET), Err(Rejection::PayloadMismatch { declared }));
}

#[test]
fn decisive_headers_must_be_covered() {
    for name in ["x-amz-target", "x-amz-security-token", "x-amz-content-sha256"] {
        let mut before = sent();
        before.headers.remove(name);
        let mut signed = before.sign(None);
        signed.headers.insert(name, HeaderValue::from_static("added"));
        let headers = vec![name.to_owned()];
        assert_eq!(signed.verify(SECRET), Err(Rejection::UnsignedHeaders { headers }));
    }
}
