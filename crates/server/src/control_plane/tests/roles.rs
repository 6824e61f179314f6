//! Roles, as the query protocol asks for them and IAM answers.

use aws::iam::Operation;
use proptest::prelude::*;

use super::{ACCOUNT, SECRET, Signed, World};
use crate::doors::tests::{Answer, OTHER_ACCOUNT};

const TRUST: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A\
    %22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22pullthroughcache.ecr.amazonaws.com%22%7D\
    %2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
const PERMISSIONS: &str = "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A\
    %22ecr%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D";
const BOUNDARY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

fn call(form: &str) -> Signed {
    let mut call = Signed::new("", "iam", format!("{form}&Version=2010-05-08"));
    call.target = None;
    call.content_type = "application/x-www-form-urlencoded; charset=utf-8";
    call
}

async fn iam(world: &World, form: &str) -> Answer {
    world.send(call(form).request()).await
}

/// Asserts that IAM answers, and returns the answer.
async fn done(world: &World, form: &str) -> String {
    let answer = iam(world, form).await;
    assert_eq!(answer.status, 200, "{form}: {}", answer.text());
    answer.text()
}

/// Asserts a refusal and returns its text.
async fn refused(world: &World, form: &str, status: u16, code: &str) -> String {
    let answer = iam(world, form).await;
    let text = answer.text();
    assert_eq!(answer.status, status, "{form}: {text}");
    assert!(text.contains(&format!("<Code>{code}</Code>")), "{form}: {text}");
    assert!(
        text.starts_with("<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">")
    );
    text
}

/// What stands between the first `<name>` and its end.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inner, _)| inner)
}

fn create(name: &str) -> String {
    format!("Action=CreateRole&RoleName={name}&AssumeRolePolicyDocument={TRUST}")
}

#[tokio::test]
async fn a_role_lives_and_ends() {
    let world = World::start().await;
    let full = format!(
        "{}&Path=%2Fteam%2F&Description=pulls&MaxSessionDuration=7200\
         &PermissionsBoundary={BOUNDARY}&Tags.member.1.Key=team&Tags.member.1.Value=web",
        create("ptc")
    );
    let answer = iam(&world, &full).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/xml"));
    let created = answer.text();
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/team/ptc");
    assert_eq!(element(&created, "Arn"), Some(arn.as_str()));
    assert_eq!(element(&created, "CreateDate"), Some("2023-11-14T22:13:20.000Z"));
    assert_eq!(element(&created, "AssumeRolePolicyDocument"), Some(TRUST));
    let id = element(&created, "RoleId").unwrap();
    assert!(id.starts_with("AROA") && id.len() == 21, "{id}");
    assert_eq!(element(&created, "RequestId"), Some(answer.header("x-amzn-requestid")));

    let got = done(&world, "Action=GetRole&RoleName=PTC").await;
    assert_eq!(element(&got, "Role"), element(&created, "Role"));
    assert_eq!(element(&got, "PermissionsBoundaryArn"), Some(BOUNDARY));

    let described =
        done(&world, "Action=UpdateRoleDescription&RoleName=ptc&Description=pulls%20more").await;
    assert_eq!(element(&described, "Description"), Some("pulls more"));
    let updated = done(&world, "Action=UpdateRole&RoleName=ptc&MaxSessionDuration=3600").await;
    assert!(updated.contains("<UpdateRoleResult/>"), "{updated}");
    let other = TRUST.replace("AssumeRole", "TagSession");
    let trust = format!("Action=UpdateAssumeRolePolicy&RoleName=ptc&PolicyDocument={other}");
    done(&world, &trust).await;
    done(&world, "Action=DeleteRolePermissionsBoundary&RoleName=ptc").await;
    let got = done(&world, "Action=GetRole&RoleName=ptc").await;
    assert_eq!(element(&got, "Description"), Some("pulls more"), "an update keeps what it omits");
    assert_eq!(element(&got, "MaxSessionDuration"), Some("3600"));
    assert_eq!(element(&got, "AssumeRolePolicyDocument"), Some(other.as_str()));
    assert_eq!(element(&got, "PermissionsBoundary"), None);

    done(
        &world,
        &format!("Action=PutRolePermissionsBoundary&RoleName=ptc&PermissionsBoundary={BOUNDARY}"),
    )
    .await;
    done(&world, "Action=DeleteRole&RoleName=ptc").await;
    let text = refused(&world, "Action=GetRole&RoleName=ptc", 404, "NoSuchEntity").await;
    assert!(text.contains("The role with name ptc cannot be found."), "{text}");
}

#[tokio::test]
async fn policies_of_a_role() {
    let world = World::start().await;
    done(&world, &create("ptc")).await;
    for name in ["b", "a"] {
        let put = format!(
            "Action=PutRolePolicy&RoleName=ptc&PolicyName={name}&PolicyDocument={PERMISSIONS}"
        );
        done(&world, &put).await;
    }
    let got = done(&world, "Action=GetRolePolicy&RoleName=ptc&PolicyName=a").await;
    assert_eq!(element(&got, "PolicyDocument"), Some(PERMISSIONS));
    let first = done(&world, "Action=ListRolePolicies&RoleName=ptc&MaxItems=1").await;
    assert_eq!(element(&first, "PolicyNames"), Some("<member>a</member>"));
    assert_eq!(element(&first, "IsTruncated"), Some("true"));
    let marker = element(&first, "Marker").unwrap();
    let rest = done(&world, &format!("Action=ListRolePolicies&RoleName=ptc&Marker={marker}")).await;
    assert_eq!(element(&rest, "PolicyNames"), Some("<member>b</member>"));
    assert_eq!((element(&rest, "IsTruncated"), element(&rest, "Marker")), (Some("false"), None));

    let attached = "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerRegistryReadOnly";
    for _ in 0..2 {
        done(&world, &format!("Action=AttachRolePolicy&RoleName=ptc&PolicyArn={attached}")).await;
    }
    let listed = done(&world, "Action=ListAttachedRolePolicies&RoleName=ptc").await;
    assert_eq!(element(&listed, "PolicyName"), Some("AmazonEC2ContainerRegistryReadOnly"));
    assert_eq!(listed.matches("<PolicyArn>").count(), 1);
    let elsewhere = "Action=ListAttachedRolePolicies&RoleName=ptc&PathPrefix=%2Fother%2F";
    assert!(done(&world, elsewhere).await.contains("<AttachedPolicies/>"));
    let profiles = done(&world, "Action=ListInstanceProfilesForRole&RoleName=ptc").await;
    assert!(profiles.contains("<InstanceProfiles/>"), "{profiles}");

    let delete = "Action=DeleteRole&RoleName=ptc";
    let text = refused(&world, delete, 409, "DeleteConflict").await;
    assert!(text.contains("must detach all policies first"), "{text}");
    let detach = format!("Action=DetachRolePolicy&RoleName=ptc&PolicyArn={attached}");
    done(&world, &detach).await;
    refused(&world, &detach, 404, "NoSuchEntity").await;
    let text = refused(&world, delete, 409, "DeleteConflict").await;
    assert!(text.contains("must delete policies first"), "{text}");
    for name in ["a", "b"] {
        done(&world, &format!("Action=DeleteRolePolicy&RoleName=ptc&PolicyName={name}")).await;
    }
    let gone = "Action=GetRolePolicy&RoleName=ptc&PolicyName=a";
    let text = refused(&world, gone, 404, "NoSuchEntity").await;
    assert!(text.contains("The role policy with name a cannot be found."), "{text}");
    done(&world, delete).await;
}

#[tokio::test]
async fn roles_are_tagged_and_listed() {
    let world = World::start().await;
    for name in ["b", "A", "c"] {
        done(&world, &format!("{}&Path=%2Fteam%2F{name}%2F", create(name))).await;
    }
    let tag = "Action=TagRole&RoleName=a&Tags.member.1.Key=Team&Tags.member.1.Value=web\
               &Tags.member.2.Key=k&Tags.member.2.Value=";
    done(&world, tag).await;
    done(&world, "Action=TagRole&RoleName=a&Tags.member.1.Key=team&Tags.member.1.Value=ops").await;
    let tags = done(&world, "Action=ListRoleTags&RoleName=a").await;
    assert_eq!(
        element(&tags, "Tags"),
        Some(
            "<member><Key>k</Key><Value/></member><member><Key>team</Key><Value>ops</Value></member>"
        )
    );
    done(&world, "Action=UntagRole&RoleName=a&TagKeys.member.1=TEAM&TagKeys.member.2=none").await;
    let got = done(&world, "Action=GetRole&RoleName=a").await;
    assert_eq!(element(&got, "Tags"), Some("<member><Key>k</Key><Value/></member>"));

    let first = done(&world, "Action=ListRoles&MaxItems=2").await;
    assert_eq!(first.matches("<RoleName>").count(), 2);
    assert!(first.contains("<RoleName>A</RoleName>") && !first.contains("<Tags>"), "{first}");
    let marker = element(&first, "Marker").unwrap();
    let rest = done(&world, &format!("Action=ListRoles&MaxItems=2&Marker={marker}")).await;
    assert_eq!((element(&rest, "RoleName"), element(&rest, "Marker")), (Some("c"), None));
    let narrowed = done(&world, "Action=ListRoles&PathPrefix=%2Fteam%2Fb").await;
    assert_eq!(narrowed.matches("<RoleName>").count(), 1);
}

/// IAM is global: the region of the credential scope does not matter, the account does.
#[tokio::test]
async fn roles_belong_to_an_account() {
    let world = World::start().await;
    done(&world, &create("ptc")).await;
    let mut get = call("Action=GetRole&RoleName=ptc");
    get.region = "eu-central-1".to_owned();
    assert_eq!(world.send(get.request()).await.status, 200);
    get.key = "AKIAOTHER".to_owned();
    assert_eq!(world.send(get.request()).await.status, 404);
    let mut own = call(&create("ptc"));
    own.key = "AKIAOTHER".to_owned();
    let text = world.send(own.request()).await.text();
    assert!(text.contains(&format!("arn:aws:iam::{OTHER_ACCOUNT}:role/ptc")), "{text}");
    refused(&world, &create("PTC"), 409, "EntityAlreadyExists").await;
}

#[tokio::test]
async fn what_is_wrong_with_a_role_is_named() {
    const INVALID: &str = "ValidationError";
    const MALFORMED: &str = "MalformedPolicyDocument";
    let world = World::start().await;
    done(&world, &create("ptc")).await;
    let long = "x".repeat(65);
    let new = |more: &str| format!("{}&{more}", create("new"));
    let trust = |policy: &str| {
        format!("Action=UpdateAssumeRolePolicy&RoleName=ptc&PolicyDocument={policy}")
    };
    let put = |policy: &str| {
        format!("Action=PutRolePolicy&RoleName=ptc&PolicyName=p&PolicyDocument={policy}")
    };
    let tags: String =
        (1..=51).map(|n| format!("&Tags.member.{n}.Key={n}&Tags.member.{n}.Value=")).collect();
    let attach = |arn: &str| format!("Action=AttachRolePolicy&RoleName=ptc&PolicyArn={arn}");
    for (form, status, code, words) in [
        ("Action=GetRole".to_owned(), 400, INVALID, "'roleName'"),
        ("Action=CreateRole&RoleName=a".to_owned(), 400, INVALID, "'assumeRolePolicyDocument'"),
        ("Action=GetRole&RoleName=a%2Fb".to_owned(), 400, INVALID, "specified value for roleName"),
        (
            create(&long),
            400,
            INVALID,
            "'roleName' failed to satisfy constraint: Member must have length less than or equal to 64",
        ),
        (create(""), 400, INVALID, "greater than or equal to 1"),
        (new("Path=team"), 400, INVALID, "specified value for path"),
        (new("Description=%00"), 400, INVALID, "'description'"),
        (new("MaxSessionDuration=60"), 400, INVALID, "'maxSessionDuration'"),
        (new("MaxSessionDuration=1h"), 400, "MalformedInput", "'maxSessionDuration'"),
        (
            new("PermissionsBoundary=arn:aws:s3:::a-bucket-of-mine"),
            400,
            "InvalidInput",
            "is not valid",
        ),
        (new("Tags.member.1.Key=k"), 400, INVALID, "'tags.1.member.value'"),
        (new("Tags.member.1.Key=%3C&Tags.member.1.Value="), 400, INVALID, "'tags'"),
        (
            new(
                "Tags.member.1.Key=a&Tags.member.1.Value=&Tags.member.2.Key=A&Tags.member.2.Value=",
            ),
            400,
            "InvalidInput",
            "Duplicate tag keys",
        ),
        (new(&tags), 400, INVALID, "'tags'"),
        (
            new("Action=x&RoleName=y").replace("new", "ptc"),
            409,
            "EntityAlreadyExists",
            "Role with name ptc already exists.",
        ),
        (trust("%7B"), 400, MALFORMED, "invalid Json"),
        (trust("%7B%7D"), 400, MALFORMED, "PolicyDocument is malformed: it has no Statement"),
        (trust(PERMISSIONS), 400, MALFORMED, "Has prohibited field Resource"),
        (trust(&TRUST.replace("sts%3A", "ecr%3A")), 400, MALFORMED, "STS AssumeRole actions"),
        (trust(&TRUST.replace("Service", "Nobody")), 400, MALFORMED, "Invalid principal"),
        (put(TRUST), 400, MALFORMED, "should not specify a principal"),
        (put(&PERMISSIONS.replace("ecr%3A%2A", "pull")), 400, MALFORMED, "prefaced by a vendor"),
        (
            put(&PERMISSIONS.replace("Resource%22%3A%22%2A", "Resource%22%3A%22x")),
            400,
            MALFORMED,
            "ARN format",
        ),
        (
            put(&PERMISSIONS.replace("ecr%3A%2A", &format!("ecr%3A{}", "x".repeat(10_240)))),
            409,
            "LimitExceeded",
            "10240",
        ),
        (
            trust(&TRUST.replace("AssumeRole", &"x".repeat(4096))),
            409,
            "LimitExceeded",
            "ACLSizePerRole",
        ),
        (attach("arn:aws:iam::111122223333:policy/own"), 404, "NoSuchEntity", "not attachable"),
        (attach("short"), 400, INVALID, "'policyArn'"),
        ("Action=ListRoles&MaxItems=0".to_owned(), 400, INVALID, "'maxItems'"),
        ("Action=ListRoles&MaxItems=1001".to_owned(), 400, INVALID, "'maxItems'"),
        ("Action=ListRoles&Marker=x".to_owned(), 400, INVALID, "'marker'"),
        ("Action=ListRoles&PathPrefix=x".to_owned(), 400, INVALID, "'pathPrefix'"),
        (
            "Action=UntagRole&RoleName=none&TagKeys.member.1=k".to_owned(),
            404,
            "NoSuchEntity",
            "none",
        ),
        (
            "Action=CreateUser&UserName=u".to_owned(),
            400,
            "InvalidAction",
            "CreateUser is not offered",
        ),
    ] {
        let text = refused(&world, &form, status, code).await;
        assert!(text.contains(words), "{form}: {text}");
    }
    let listed = done(&world, "Action=ListRoles").await;
    assert_eq!(listed.matches("<RoleName>").count(), 1, "nothing was half done");
}

#[tokio::test]
async fn a_role_has_ten_policies_attached_at_most() {
    let world = World::start().await;
    done(&world, &create("ptc")).await;
    let attach = |n: usize| {
        format!("Action=AttachRolePolicy&RoleName=ptc&PolicyArn=arn:aws:iam::aws:policy/Policy{n}")
    };
    for n in 0..10 {
        done(&world, &attach(n)).await;
    }
    let text = refused(&world, &attach(10), 409, "LimitExceeded").await;
    assert!(text.contains("Cannot exceed quota for PoliciesPerRole: 10"), "{text}");
}

/// The service is the signature's; where it is none of ours, the version's.
#[tokio::test]
async fn a_form_for_one_service_is_not_read_by_the_other() {
    let world = World::start().await;
    let mut get = call("Action=GetRole&RoleName=ptc");
    get.service = "ecr".to_owned();
    let answer = world.send(get.request()).await;
    assert!(answer.text().contains("'iam'"), "{}", answer.text());
    get.service = "sts".to_owned();
    let text = world.send(get.request()).await.text();
    assert!(text.contains("Could not find operation GetRole for version 2010-05-08"), "{text}");
    let mut who = call("Action=GetCallerIdentity");
    who.body = b"Action=GetCallerIdentity&Version=2011-06-15".to_vec();
    let answer = world.send(who.request()).await;
    assert!(answer.text().contains("<Code>InvalidAction</Code>"), "{}", answer.text());
    let mut forged = call("Action=ListRoles");
    forged.secret = format!("{SECRET}x");
    let answer = world.send(forged.request()).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("<Code>SignatureDoesNotMatch</Code>"), "{}", answer.text());
}

/// The names of all members, some of them in lists.
const MEMBERS: [&str; 16] = [
    "RoleName",
    "AssumeRolePolicyDocument",
    "PolicyDocument",
    "PolicyName",
    "PolicyArn",
    "Path",
    "PathPrefix",
    "Description",
    "MaxSessionDuration",
    "MaxItems",
    "Marker",
    "PermissionsBoundary",
    "Tags.member.1.Key",
    "Tags.member.1.Value",
    "TagKeys.member.4294967295",
    "Tags.member.99999999999999999999.Key",
];

fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let document = |text: &'static str| Just(text.as_bytes().to_vec());
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..64),
        any::<String>().prop_map(String::into_bytes),
        "[a-c]{1,2}".prop_map(String::into_bytes),
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        (1_usize..3000).prop_map(|depth| [b'['].repeat(depth)),
        document(BOUNDARY),
        document(r#"{"Statement":{"Effect":"Allow","Action":"sts:X","Principal":"*"}}"#),
        document(r#"{"Statement":{"Effect":"Allow","Action":"a:b","Resource":"*"}}"#),
        document(r#"{"Statement":[{"Effect":"Allow","Action":[],"Principal":{"AWS":[1]}}]}"#),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
    #[test]
    fn no_form_is_the_servers_fault(
        forms in prop::collection::vec(
            prop::collection::vec((prop::sample::select(&MEMBERS[..]), hostile()), 0..8), 4
        )
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome: Result<(), TestCaseError> = runtime.block_on(async {
            let world = World::start().await;
            for (members, operation) in
                forms.iter().flat_map(|form| Operation::ALL.iter().map(move |it| (form, it)))
            {
                let mut form = format!("Action={operation}");
                for (name, value) in members {
                    form.push_str(&format!("&{name}="));
                    value.iter().for_each(|byte| form.push_str(&format!("%{byte:02X}")));
                }
                let answer = iam(&world, &form).await;
                let text = answer.text();
                prop_assert!(matches!(answer.status, 200 | 400 | 404 | 409), "{form}: {text}");
                prop_assert!(text.ends_with("Response>"), "{form}: {text}");
                let is_xml = |c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
                prop_assert!(text.chars().all(is_xml), "{form}: {text:?}");
            }
            Ok(())
        });
        outcome?;
    }
}
