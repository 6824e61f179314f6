//! Forms as Terraform and the AWS CLI send them, and answers as they read them.

use super::*;
use crate::query::{QueryService, result};

fn form(text: &str) -> Form {
    Form::parse("", text.as_bytes()).unwrap()
}

#[test]
fn terraform_makes_a_role() {
    let sent = form(
        "Action=CreateRole&AssumeRolePolicyDocument=%7B%22Version%22%3A%222012-10-17%22%7D\
         &MaxSessionDuration=3600&Path=%2F&RoleName=ptc&Tags.member.1.Key=team\
         &Tags.member.1.Value=web&Version=2010-05-08",
    );
    assert_eq!(operation(&sent), Ok(Operation::CreateRole));
    assert_eq!(
        CreateRoleRequest::read(&sent),
        Ok(CreateRoleRequest {
            path: Some("/".to_owned()),
            role_name: "ptc".to_owned(),
            assume_role_policy_document: r#"{"Version":"2012-10-17"}"#.to_owned(),
            description: None,
            max_session_duration: Some(3600),
            permissions_boundary: None,
            tags: vec![Tag { key: "team".to_owned(), value: "web".to_owned() }],
        })
    );
}

#[test]
fn what_is_missing_is_named() {
    let text = |outcome: Result<(), Exception>| outcome.unwrap_err().message().to_owned();
    let read = |sent: &str| TagRoleRequest::read(&form(sent)).map(drop);
    assert_eq!(
        text(read("Action=TagRole")),
        "1 validation error detected: Value null at 'roleName' failed to satisfy constraint: \
         Member must not be null"
    );
    let told = text(read("Action=TagRole&RoleName=a&Tags.member.1.Key=k"));
    assert!(told.contains("'tags.1.member.value'"), "{told}");
    let list = form("Action=ListRoles&MaxItems=ten");
    let exception = ListRolesRequest::read(&list).unwrap_err();
    assert_eq!(exception.message(), "The member 'maxItems' must be a whole number.");
}

#[test]
fn what_is_not_offered_says_so() {
    let exception = operation(&form("Action=CreateUser&Version=2010-05-08")).unwrap_err();
    assert!(exception.message().starts_with("CreateUser is not offered"));
    assert_eq!(
        operation(&form("Action=GetRole&Version=2011-06-15")).unwrap_err().message(),
        "Could not find operation GetRole for version 2011-06-15"
    );
}

#[test]
fn a_role_is_written_as_clients_read_it() {
    let role = Role {
        path: "/".to_owned(),
        role_name: "ptc".to_owned(),
        role_id: "AROA".to_owned(),
        arn: "arn:aws:iam::123456789012:role/ptc".to_owned(),
        create_date: "2023-11-14T22:13:20.000Z".to_owned(),
        assume_role_policy_document: encoded_document(r#"{"a": "*"}"#),
        max_session_duration: 3600,
        tags: Some([Tag { key: "k".to_owned(), value: String::new() }].into_iter().collect()),
        ..Role::default()
    };
    assert_eq!(
        result("GetRole", &RoleResult { role }),
        "<GetRoleResult><Role><Path>/</Path><RoleName>ptc</RoleName><RoleId>AROA</RoleId>\
         <Arn>arn:aws:iam::123456789012:role/ptc</Arn>\
         <CreateDate>2023-11-14T22:13:20.000Z</CreateDate>\
         <AssumeRolePolicyDocument>%7B%22a%22%3A%20%22%2A%22%7D</AssumeRolePolicyDocument>\
         <MaxSessionDuration>3600</MaxSessionDuration>\
         <Tags><member><Key>k</Key><Value/></member></Tags></Role></GetRoleResult>"
    );
    assert_eq!(result("UpdateRole", &UpdateRoleResult {}), "<UpdateRoleResult/>");
    assert_eq!(
        result("ListInstanceProfilesForRole", &InstanceProfilesResult::default()),
        "<ListInstanceProfilesForRoleResult><InstanceProfiles/><IsTruncated>false</IsTruncated>\
         </ListInstanceProfilesForRoleResult>"
    );
}

#[test]
fn services_are_told_apart() {
    assert_eq!(QueryService::of_signing_name("iam"), Some(QueryService::Iam));
    assert_eq!(QueryService::of_version(VERSION), Some(QueryService::Iam));
    assert_eq!(QueryService::of_signing_name("ecr"), None);
}
