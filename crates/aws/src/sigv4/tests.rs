//! How signatures are read and refused. `tests/it` holds published vectors, requests of real
//! clients, and round trips.

use std::time::Duration;

use http::HeaderMap;

use super::*;
use crate::Timestamp;
use crate::exception::{CommonException, ExceptionKind};

const SKEW_MAX: Duration = Duration::from_secs(15 * 60);
const CREDENTIAL: &str = "Credential=AKIDEXAMPLE/20150830/us-east-1/ecr/aws4_request";
const SIGNED: &str = "SignedHeaders=host;x-amz-date";
const SIGNATURE: &str =
    "Signature=0000000000000000000000000000000000000000000000000000000000000000";

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, value.parse().unwrap());
    }
    headers
}

fn parse_with(query: &str, headers: &HeaderMap) -> Result<Presented, Rejection> {
    Presented::parse(&Request { method: "POST", path: "/", query, headers, body: b"" })
}

fn parse(authorization: &str) -> Result<Presented, Rejection> {
    let pairs =
        [("host", "h"), ("x-amz-date", "20150830T123600Z"), ("authorization", authorization)];
    parse_with("", &headers(&pairs))
}

fn refused(authorization: &str) -> (CommonException, String) {
    exception(&parse(authorization).unwrap_err())
}

fn exception(rejection: &Rejection) -> (CommonException, String) {
    let exception = rejection.to_exception();
    match exception.kind() {
        ExceptionKind::Common(kind) => (kind, exception.message().to_owned()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_parts_of_the_header() {
    let presented =
        parse(&format!("AWS4-HMAC-SHA256 {CREDENTIAL}, {SIGNED}, {SIGNATURE}")).unwrap();
    assert_eq!(presented.access_key_id(), "AKIDEXAMPLE");
    assert_eq!(presented.region(), "us-east-1");
    assert_eq!(presented.service(), "ecr");
    assert_eq!(presented.scope().to_string(), "20150830/us-east-1/ecr/aws4_request");
    assert_eq!(presented.signed_headers(), ["host", "x-amz-date"]);
    assert_eq!(presented.signed_at(), Timestamp::from_seconds(1_440_938_160));
    assert_eq!(presented.session_token(), None);
    assert!(!presented.is_presigned());
}

#[test]
fn spaces_and_order_are_free() {
    for authorization in [
        format!("AWS4-HMAC-SHA256 {CREDENTIAL},{SIGNED},{SIGNATURE}"),
        format!("AWS4-HMAC-SHA256   {SIGNATURE} ,  {SIGNED},{CREDENTIAL} "),
        format!("AWS4-HMAC-SHA256\t{CREDENTIAL},\t{SIGNED},\t{SIGNATURE},"),
    ] {
        assert!(parse(&authorization).is_ok(), "{authorization}");
    }
}

#[test]
fn no_authentication_at_all() {
    let rejection = parse_with("Action=GetCallerIdentity", &headers(&[("host", "h")]));
    assert_eq!(rejection.as_ref().unwrap_err(), &Rejection::Missing);
    assert_eq!(
        exception(&rejection.unwrap_err()),
        (CommonException::MissingAuthenticationToken, "Missing Authentication Token".to_owned())
    );
}

#[test]
fn missing_parts_are_all_named() {
    let (kind, text) = refused("AWS4-HMAC-SHA256");
    assert_eq!(kind, CommonException::IncompleteSignature);
    assert_eq!(
        text,
        "Authorization header requires 'Credential' parameter. \
         Authorization header requires 'Signature' parameter. \
         Authorization header requires 'SignedHeaders' parameter."
    );
    let authorization = format!("AWS4-HMAC-SHA256 {CREDENTIAL}, {SIGNED}, {SIGNATURE}");
    let undated = headers(&[("host", "h"), ("authorization", &authorization)]);
    assert_eq!(
        exception(&parse_with("", &undated).unwrap_err()).1,
        "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
    );
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20150830T123600Z\
                 &X-Amz-SignedHeaders=host&X-Amz-Signature=00";
    assert_eq!(
        exception(&parse_with(query, &headers(&[])).unwrap_err()).1,
        "AWS query-string parameters must include 'X-Amz-Credential'. \
         AWS query-string parameters must include 'X-Amz-Expires'."
    );
}

#[test]
fn other_algorithms_are_refused() {
    for authorization in ["Basic QVdTOnB3", "Bearer abc", "AWS4-ECDSA-P256-SHA256 Credential=a"] {
        let rejection = parse(authorization).unwrap_err();
        assert!(matches!(rejection, Rejection::UnsupportedAlgorithm { .. }), "{authorization}");
        let (kind, text) = exception(&rejection);
        assert_eq!(kind, CommonException::IncompleteSignature);
        assert!(!text.contains("QVdT"), "{text}");
    }
}

#[test]
fn credentials_have_five_parts() {
    for credential in [
        "AKIDEXAMPLE",
        "AKIDEXAMPLE/20150830/us-east-1/ecr",
        "AKIDEXAMPLE/20150830/us-east-1/ecr/aws4_request/x",
        "/20150830/us-east-1/ecr/aws4_request",
        "AKIDEXAMPLE/20150830//ecr/aws4_request",
    ] {
        let (kind, text) =
            refused(&format!("AWS4-HMAC-SHA256 Credential={credential}, {SIGNED}, {SIGNATURE}"));
        assert_eq!(kind, CommonException::IncompleteSignature);
        assert_eq!(
            text,
            format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{credential}'"
            )
        );
    }
}

#[test]
fn the_scope_is_of_the_day_and_ends_well() {
    let (kind, text) = refused(&format!(
        "AWS4-HMAC-SHA256 Credential=A/20150831/us-east-1/ecr/aws4_request, {SIGNED}, {SIGNATURE}"
    ));
    assert_eq!(kind, CommonException::InvalidSignature);
    assert_eq!(
        text,
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from \
         HTTP: '20150831' != '20150830', from '20150830T123600Z'."
    );
    let (kind, text) = refused(&format!(
        "AWS4-HMAC-SHA256 Credential=A/20150830/us-east-1/ecr/aws5, {SIGNED}, {SIGNATURE}"
    ));
    assert_eq!(kind, CommonException::InvalidSignature);
    assert!(text.contains("'aws4_request', not 'aws5'"), "{text}");
}

#[test]
fn malformed_parts() {
    for authorization in [
        format!("AWS4-HMAC-SHA256 {CREDENTIAL}, {CREDENTIAL}, {SIGNED}, {SIGNATURE}"),
        format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host;host, {SIGNATURE}"),
        format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=Host;x-amz-date, {SIGNATURE}"),
        format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=, {SIGNATURE}"),
        format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=ho st, {SIGNATURE}"),
        "AWS4-HMAC-SHA256 nothing".to_owned(),
    ] {
        let rejection = parse(&authorization).unwrap_err();
        assert!(matches!(rejection, Rejection::Malformed { .. }), "{authorization}: {rejection}");
    }
    let authorization = format!("AWS4-HMAC-SHA256 {CREDENTIAL}, {SIGNED}, {SIGNATURE}");
    let twice = headers(&[
        ("authorization", &authorization),
        ("authorization", &authorization),
        ("x-amz-date", "20150830T123600Z"),
    ]);
    assert!(matches!(parse_with("", &twice), Err(Rejection::Malformed { .. })));
    let undated = headers(&[("authorization", &authorization), ("x-amz-date", "yesterday")]);
    assert_eq!(
        exception(&parse_with("", &undated).unwrap_err()).1,
        "Date must be in ISO-8601 'basic format'. Got 'yesterday'."
    );
}

#[test]
fn the_date_header_serves_where_there_is_no_other() {
    let authorization =
        format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=date;host, {SIGNATURE}");
    let dated =
        headers(&[("authorization", &authorization), ("date", "Sun, 30 Aug 2015 12:36:00 GMT")]);
    let presented = parse_with("", &dated).unwrap();
    assert_eq!(presented.signed_at().to_basic_format(), "20150830T123600Z");
}

#[test]
fn presigned_lives_are_bounded() {
    let query = |life: &str, more: &str| {
        format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20150830T123600Z\
             &X-Amz-Credential=A%2F20150830%2Fus-east-1%2Fsts%2Faws4_request\
             &X-Amz-Expires={life}&X-Amz-SignedHeaders=host&X-Amz-Signature=00{more}"
        )
    };
    assert!(parse_with(&query("604800", ""), &headers(&[])).unwrap().is_presigned());
    for life in ["0", "604801", "-1", "", "x"] {
        let rejection = parse_with(&query(life, ""), &headers(&[])).unwrap_err();
        assert!(matches!(rejection, Rejection::Malformed { .. }), "{life:?}");
    }
    let twice = parse_with(&query("60", "&X-Amz-Date=20150830T123600Z"), &headers(&[]));
    assert!(matches!(twice, Err(Rejection::Malformed { .. })));
}

#[test]
fn a_signature_covers_the_host() {
    let authorization =
        format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=x-amz-date, {SIGNATURE}");
    let presented = parse(&authorization).unwrap();
    let headers = headers(&[("host", "h"), ("x-amz-date", "20150830T123600Z")]);
    let request = Request { method: "POST", path: "/", query: "", headers: &headers, body: b"" };
    let now = presented.signed_at();
    let rejection = presented.verify(&request, "secret", now, SKEW_MAX).unwrap_err();
    assert_eq!(
        exception(&rejection),
        (
            CommonException::InvalidSignature,
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned()
        )
    );
}

#[test]
fn clocks_that_differ_are_told_apart() {
    let signed_at = Timestamp::parse_basic_format("20261121T100000Z").unwrap();
    let now = Timestamp::parse_basic_format("20261121T111500Z").unwrap();
    let expired = Rejection::Expired { signed_at, now, allowed: SKEW_MAX };
    assert_eq!(
        exception(&expired),
        (
            CommonException::InvalidSignature,
            "Signature expired: 20261121T100000Z is now earlier than 20261121T110000Z \
             (20261121T111500Z - 15 min.)"
                .to_owned()
        )
    );
    let early = Rejection::NotYetValid { signed_at: now, now: signed_at, allowed: SKEW_MAX };
    assert_eq!(
        exception(&early).1,
        "Signature not yet current: 20261121T111500Z is still later than 20261121T101500Z \
         (20261121T100000Z + 15 min.)"
    );
}

#[test]
fn nothing_prints_a_signature_or_a_token() {
    let authorization = format!("AWS4-HMAC-SHA256 {CREDENTIAL}, {SIGNED}, {SIGNATURE}");
    let headers = headers(&[
        ("authorization", &authorization),
        ("x-amz-date", "20150830T123600Z"),
        ("x-amz-security-token", "hunter2"),
    ]);
    let presented = parse_with("", &headers).unwrap();
    let printed = format!("{presented:?}");
    assert!(!printed.contains("hunter2") && !printed.contains("00000000"), "{printed}");
}
