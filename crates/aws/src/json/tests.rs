//! The framing of JSON 1.1: targets, bodies, errors.

use serde::Deserialize;

use super::*;
use crate::exception::{CloudControlException, EcrException, SecretsManagerException};
use crate::timestamp::Timestamp;

#[derive(Debug, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    name: String,
    count: Option<i32>,
    flag: Option<bool>,
    tags: Option<Vec<Tag>>,
    filter: Option<Tag>,
    at: Option<Timestamp>,
}

#[derive(Debug, PartialEq, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: Option<String>,
    value: Option<String>,
}

fn wrong(body: &str) -> (String, String) {
    match parse::<Shape>(body.as_bytes()) {
        Err(BodyError::WrongType { member, expected }) => (member, expected),
        other => panic!("{body}: {other:?}"),
    }
}

fn pair(member: &str, expected: &str) -> (String, String) {
    (member.to_owned(), expected.to_owned())
}

#[test]
fn targets() {
    let target = Target::parse("AmazonEC2ContainerRegistry_V20150921.DescribeImages").unwrap();
    assert_eq!(target, Target { service: Service::Ecr, operation: "DescribeImages" });
    let target = Target::parse("secretsmanager.GetSecretValue").unwrap();
    assert_eq!(target.service, Service::SecretsManager);
    let target = Target::parse("CloudApiService.GetResource").unwrap();
    assert_eq!(target.service.content_type(), "application/x-amz-json-1.0");
    assert_eq!(target.service.signing_name(), "cloudcontrolapi");
    assert_eq!(Target::parse("Cistern_V1.Why").unwrap().service, Service::Cistern);
    for text in ["", "DescribeImages", "secretsmanager.", "Secretsmanager.GetSecretValue", ".X"] {
        assert!(Target::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_whole_body_is_read() {
    let shape: Shape = parse(
        br#"{"name":"a","count":5,"flag":true,"tags":[{"Key":"k","Value":"v"}],
            "filter":{"Key":"k"},"at":1.5}"#,
    )
    .unwrap();
    let tag =
        |value: Option<&str>| Tag { key: Some("k".to_owned()), value: value.map(str::to_owned) };
    assert_eq!(
        shape,
        Shape {
            name: "a".to_owned(),
            count: Some(5),
            flag: Some(true),
            tags: Some(vec![tag(Some("v"))]),
            filter: Some(tag(None)),
            at: Some(Timestamp::from_milliseconds(1500)),
        }
    );
}

#[test]
fn unknown_members_are_ignored_and_null_is_absent() {
    let shape: Shape = parse(br#"{"name":"a","other":{"deep":[1]},"count":null}"#).unwrap();
    assert_eq!(shape, Shape { name: "a".to_owned(), ..Shape::default() });
}

#[test]
fn an_empty_body_is_an_empty_object() {
    assert_eq!(parse::<Tag>(b""), Ok(Tag::default()));
    assert_eq!(parse::<Tag>(b"{}"), Ok(Tag::default()));
    assert_eq!(parse::<Shape>(b""), Err(BodyError::Missing { member: "name".to_owned() }));
}

#[test]
fn wrong_types_name_the_member_and_what_it_should_be() {
    assert_eq!(wrong(r#"{"name":5}"#), pair("name", "String"));
    assert_eq!(wrong(r#"{"name":"a","count":"5"}"#), pair("count", "Integer"));
    assert_eq!(wrong(r#"{"name":"a","count":5.5}"#), pair("count", "Integer"));
    assert_eq!(wrong(r#"{"name":"a","count":5000000000}"#), pair("count", "Integer"));
    assert_eq!(wrong(r#"{"name":"a","flag":"true"}"#), pair("flag", "Boolean"));
    assert_eq!(wrong(r#"{"name":"a","tags":{}}"#), pair("tags", "List"));
    assert_eq!(
        wrong(r#"{"name":"a","tags":[{"Key":"k"},{"Key":1}]}"#),
        pair("tags[1].Key", "String")
    );
    assert_eq!(wrong(r#"{"name":"a","tags":["k"]}"#), pair("tags[0]", "Structure"));
    assert_eq!(wrong(r#"{"name":"a","filter":["k","v"]}"#), pair("filter", "Structure"));
    assert_eq!(wrong(r#"{"name":"a","at":"now"}"#), pair("at", "Timestamp"));
    assert_eq!(wrong("[\"a\"]"), pair("", "Structure"));
    assert_eq!(wrong("null"), pair("", "Structure"));
}

#[test]
fn no_error_repeats_a_value() {
    for body in [
        r#"{"name":"a","count":"hunter2"}"#,
        r#"{"name":["hunter2"]}"#,
        r#"{"name":"a","tags":"hunter2"}"#,
        r#"{"name":"hunter2"#,
        r#""hunter2""#,
    ] {
        let error = parse::<Shape>(body.as_bytes()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        assert!(!error.to_exception(Service::SecretsManager).message().contains("hunter2"));
    }
}

#[test]
fn bodies_that_are_not_one_json_value() {
    let not_json =
        |body: &str| matches!(parse::<Shape>(body.as_bytes()), Err(BodyError::NotJson { .. }));
    assert!(not_json(r#"{"name":"a""#));
    assert!(not_json(r#"{"name":"a"} x"#));
    assert!(not_json(r#"{"name":"a"}{}"#));
    assert!(not_json("Action=GetCallerIdentity"));
    assert!(not_json(" "));
    assert_eq!(parse::<Shape>(b"{\"name\":\"\xff\"}"), Err(BodyError::NotUtf8));
    let deep = format!("{{\"name\":{}{}}}", "[".repeat(200), "]".repeat(200));
    assert_eq!(parse::<Shape>(deep.as_bytes()), Err(BodyError::TooDeep));
}

#[test]
fn missing_members_are_named_by_their_path() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Outer {
        inner: Vec<Inner>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Inner {
        name: String,
    }
    let missing = |member: &str| Err(BodyError::Missing { member: member.to_owned() });
    assert_eq!(parse::<Outer>(br#"{"inner":[{}]}"#), missing("inner[0].name"));
    assert_eq!(parse::<Outer>(br#"{"inner":[{"name":null}]}"#), missing("inner[0].name"));
    let exception = parse::<Outer>(b"{}").unwrap_err().to_exception(Service::Ecr);
    assert_eq!(
        exception.to_string(),
        "InvalidParameterException: Invalid parameter at 'inner' failed to satisfy constraint: \
         'must not be null'"
    );
    let exception = parse::<Outer>(b"{}").unwrap_err().to_exception(Service::SecretsManager);
    assert_eq!(
        exception.to_string(),
        "ValidationException: 1 validation error detected: Value null at 'inner' failed to \
         satisfy constraint: Member must not be null"
    );
}

#[test]
fn a_document_of_cistern_refuses_members_that_it_does_not_have() {
    use crate::cistern::PutPullThroughCacheRulePolicyRequest as Put;
    let read = |policy: &str| {
        let body = format!(r#"{{"ecrRepositoryPrefix":"hub","extra":1,"policy":{policy}}}"#);
        parse::<Put>(body.as_bytes()).map_err(|error| error.to_exception(Service::Cistern))
    };
    assert_eq!(read(r#"{"freshFor":"1h"}"#).unwrap().policy.fresh_for.as_deref(), Some("1h"));
    for (policy, start, end) in [
        (r#"{"freshfor":"1h"}"#, "Invalid parameter at 'policy.freshfor' failed", "ageFrom'"),
        (
            r#"{"freshForTags":[{"tag":"a","freshFor":"0","x":1}]}"#,
            "Invalid parameter at 'policy.freshForTags[0].x' failed",
            "must be one of tag, freshFor'",
        ),
    ] {
        let text = read(policy).unwrap_err().message().to_owned();
        assert!(text.starts_with(start) && text.ends_with(end), "{text}");
    }
}

#[test]
fn exceptions_are_written_as_their_service_does() {
    let body = |exception: Exception, service| {
        String::from_utf8(render_exception(&exception, service)).unwrap()
    };
    assert_eq!(
        body(Exception::new(EcrException::RepositoryNotFound, "none \"here\""), Service::Ecr),
        r#"{"__type":"RepositoryNotFoundException","message":"none \"here\""}"#
    );
    assert_eq!(
        body(Exception::from(SecretsManagerException::ResourceNotFound), Service::SecretsManager),
        concat!(
            r#"{"__type":"ResourceNotFoundException","#,
            r#""Message":"Secrets Manager can't find the specified secret."}"#
        )
    );
    assert_eq!(
        body(Exception::new(CloudControlException::ResourceNotFound, "x"), Service::CloudControl),
        r#"{"__type":"com.amazon.cloudapiservice#ResourceNotFoundException","Message":"x"}"#
    );
    assert_eq!(
        body(Exception::new(CommonException::Throttling, "x"), Service::CloudControl),
        r#"{"__type":"com.amazon.coral.availability#ThrottlingException","message":"x"}"#
    );
    assert_eq!(
        body(Exception::access_denied("arn:a", "ecr:DescribeImages", "arn:b"), Service::Ecr),
        concat!(
            r#"{"__type":"AccessDeniedException","Message":"User: arn:a is not authorized "#,
            r#"to perform: ecr:DescribeImages on resource: arn:b"}"#
        )
    );
}
