//! The published SigV4 test suite ("aws-sig-v4-test-suite", as kept in awslabs/aws-c-auth).
//!
//! Service `service`, region `us-east-1`, 2015-08-30 12:36:00. Paths and queries are those of the
//! suite, where they stand unencoded.

use std::time::Duration;

use aws::Timestamp;
use aws::sigv4::{Presented, Rejection};

use crate::captured::{ACCESS_KEY_ID, Captured, SECRET};

const SKEW_MAX: Duration = Duration::from_secs(15 * 60);

/// One vector: request line, headers of its own, names of the signed headers, signature, body.
struct Vector<'a> {
    name: &'a str,
    line: &'a str,
    headers: &'a [&'a str],
    signed: &'a str,
    signature: &'a str,
    body: &'a str,
}

impl Vector<'_> {
    fn captured(&self) -> Captured {
        let mut raw = format!("{} HTTP/1.1\r\nHost:example.amazonaws.com\r\n", self.line);
        for header in self.headers {
            raw.push_str(header);
            raw.push_str("\r\n");
        }
        raw.push_str(&format!(
            "Authorization:AWS4-HMAC-SHA256 \
             Credential={ACCESS_KEY_ID}/20150830/us-east-1/service/aws4_request, \
             SignedHeaders={}, Signature={}\r\nX-Amz-Date:20150830T123600Z\r\n\r\n{}",
            self.signed, self.signature, self.body
        ));
        Captured::parse(raw.as_bytes())
    }
}

const PLAIN: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

const VECTORS: &[Vector<'static>] = &[
    plain("get-vanilla", "GET /", PLAIN),
    plain("get-relative-relative", "GET /example1/example2/../..", PLAIN),
    plain("get-slash", "GET //", PLAIN),
    plain(
        "get-slashes",
        "GET //example//",
        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    ),
    plain(
        "get-space",
        "GET /example space/",
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    ),
    plain("get-utf8", "GET /ሴ", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    plain(
        "get-unreserved",
        "GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    plain(
        "get-vanilla-query-order-key-case",
        "GET /?Param2=value2&Param1=value1",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    plain(
        "get-vanilla-query-order-encoded",
        "GET /?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
        "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
    ),
    plain(
        "get-vanilla-query-unreserved",
        "GET /?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=\
         -._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ),
    plain(
        "get-vanilla-utf8-query",
        "GET /?ሴ=bar",
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    plain(
        "post-vanilla-query",
        "POST /?Param1=value1",
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    ),
    Vector {
        name: "get-vanilla-with-session-token",
        line: "GET /",
        headers: &["X-Amz-Security-Token:\
            6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"],
        signed: "host;x-amz-date;x-amz-security-token",
        signature: "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
        body: "",
    },
    Vector {
        name: "get-header-key-duplicate",
        line: "GET /",
        headers: &["My-Header1:value2", "My-Header1:value2", "My-Header1:value1"],
        signed: "host;my-header1;x-amz-date",
        signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
        body: "",
    },
    Vector {
        name: "get-header-value-trim",
        line: "GET /",
        headers: &["My-Header1: value1", "My-Header2: \"a   b   c\""],
        signed: "host;my-header1;my-header2;x-amz-date",
        signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        body: "",
    },
    Vector {
        name: "post-x-www-form-urlencoded",
        line: "POST /",
        headers: &[
            "Content-Type:application/x-www-form-urlencoded",
            "Content-Length:13",
            "x-amz-content-sha256:\
             9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e",
        ],
        signed: "content-length;content-type;host;x-amz-content-sha256;x-amz-date",
        signature: "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
        body: "Param1=value1",
    },
];

const fn plain(name: &'static str, line: &'static str, signature: &'static str) -> Vector<'static> {
    Vector { name, line, headers: &[], signed: "host;x-amz-date", signature, body: "" }
}

fn verify(captured: &Captured, now: &str) -> Result<(), Rejection> {
    let now = Timestamp::parse_basic_format(now).unwrap();
    let request = captured.request();
    Presented::parse(&request)?.verify(&request, SECRET, now, SKEW_MAX)
}

#[test]
fn every_vector_verifies() {
    for vector in VECTORS {
        let verdict = verify(&vector.captured(), "20150830T123600Z");
        assert_eq!(verdict, Ok(()), "{}", vector.name);
    }
}

#[test]
fn no_vector_verifies_with_another_body_method_or_path() {
    for vector in VECTORS {
        let mut other = vector.captured();
        other.body.push(b' ');
        assert!(verify(&other, "20150830T123600Z").is_err(), "{}", vector.name);
        let mut other = vector.captured();
        other.method = "PUT".to_owned();
        assert!(verify(&other, "20150830T123600Z").is_err(), "{}", vector.name);
        let mut other = vector.captured();
        other.path.push_str("/x");
        assert!(verify(&other, "20150830T123600Z").is_err(), "{}", vector.name);
    }
}

#[test]
fn a_presigned_vector_lives_as_long_as_it_says() {
    let raw = "GET /?Param2=value2&Param1=value1&X-Amz-Algorithm=AWS4-HMAC-SHA256\
        &X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request\
        &X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600&X-Amz-Signature=\
        86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5 HTTP/1.1\r\n\
        Host:example.amazonaws.com\r\nX-Amz-Date:20150830T123600Z\r\n\r\n";
    let captured = Captured::parse(raw.as_bytes());
    assert_eq!(verify(&captured, "20150830T123600Z"), Ok(()));
    assert_eq!(verify(&captured, "20150830T133600Z"), Ok(()));
    assert!(matches!(verify(&captured, "20150830T133601Z"), Err(Rejection::Expired { .. })));
    assert!(matches!(verify(&captured, "20150830T122059Z"), Err(Rejection::NotYetValid { .. })));
    let mut longer = Captured::parse(raw.as_bytes());
    longer.query = longer.query.replace("Expires=3600", "Expires=7200");
    assert_eq!(verify(&longer, "20150830T123600Z"), Err(Rejection::SignatureMismatch));
}
