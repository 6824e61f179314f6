//! Private ECR registries: whose login they get, where it comes from, and how often it is asked for.

use std::{collections::HashMap, fs, path::Path, time::SystemTime};

use futures_util::future::join_all;
use http::Method;
use oci::media_type::OCI_MANIFEST;
use testkit::{Script, ScriptedUpstream, Seen};
use upstream::{HttpUpstream, Identity, Settings, Surroundings, Target, Upstream as _};
use url::Url;

use crate::world::{MANIFEST, REPOSITORY, client, kind, settings, tag, target};

const HOST: &str = "111122223333.dkr.ecr.eu-west-1.amazonaws.com";
const OTHER_HOST: &str = "444455556666.dkr.ecr.eu-west-1.amazonaws.com";
const ROLE: &str = "arn:aws:iam::111122223333:role/puller";
/// How long the scripted tokens are good, in seconds.
const LIFE: u64 = 12 * 60 * 60;

/// AWS in pieces: a registry, ECR's API, STS, and the metadata of a machine.
struct Cloud {
    registry: ScriptedUpstream,
    api: ScriptedUpstream,
    sts: ScriptedUpstream,
    metadata: ScriptedUpstream,
    home: tempfile::TempDir,
    variables: HashMap<String, String>,
}

impl Cloud {
    async fn start() -> Self {
        let cloud = Self {
            registry: ScriptedUpstream::start().await,
            api: ScriptedUpstream::start().await,
            sts: ScriptedUpstream::start().await,
            metadata: ScriptedUpstream::start().await,
            home: tempfile::tempdir().unwrap(),
            variables: HashMap::new(),
        };
        cloud.registry.add_manifest(REPOSITORY, Some("3.20"), OCI_MANIFEST, MANIFEST);
        cloud.issue("first", LIFE);
        cloud.begin("ASIASESSION");
        // Else it would be the machine's own that is asked.
        let metadata = cloud.metadata.url();
        cloud.with("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata)
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn with_keys(self) -> Self {
        self.with("AWS_ACCESS_KEY_ID", "AKIAPROCESS").with("AWS_SECRET_ACCESS_KEY", "secret")
    }

    /// From now on the API gives this password, and the registry takes it.
    fn issue(&self, password: &str, life: u64) {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let token = STANDARD.encode(format!("AWS:{password}"));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let expires_at = now + life;
        let body = format!(
            r#"{{"authorizationData":[{{"authorizationToken":"{token}","expiresAt":{expires_at},"proxyEndpoint":"https://{HOST}"}}]}}"#
        );
        self.api.script("/", Script::default().body(&body));
        self.registry.require_basic("AWS", password);
    }

    /// From now on STS begins sessions with this key.
    fn begin(&self, access_key_id: &str) {
        let credentials = format!(
            "<Credentials><AccessKeyId>{access_key_id}</AccessKeyId>\
             <SecretAccessKey>session-secret</SecretAccessKey><SessionToken>token=</SessionToken>\
             <Expiration>2199-01-01T00:00:00Z</Expiration></Credentials>"
        );
        let user = "<AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId><Arn>a</Arn>\
                    </AssumedRoleUser>";
        let answer = |name: &str| {
            format!(
                "<{name}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{name}Result>\
                 {credentials}{user}</{name}Result></{name}Response>"
            )
        };
        self.sts.script("/", Script::default().body(&answer("AssumeRole")));
    }

    fn settings(&self) -> Settings {
        let endpoints = [
            (HOST, &self.registry),
            (OTHER_HOST, &self.registry),
            ("api.ecr.eu-west-1.amazonaws.com", &self.api),
            ("sts.eu-west-1.amazonaws.com", &self.sts),
            ("169.254.170.2", &self.metadata),
            ("portal.sso.eu-central-1.amazonaws.com", &self.metadata),
        ];
        let parse = |(host, to): (&str, &ScriptedUpstream)| {
            (host.to_owned(), vec![Url::parse(&to.url()).unwrap()])
        };
        let surroundings = Surroundings::Given {
            variables: self.variables.clone(),
            home: Some(self.home.path().to_owned()),
        };
        Settings { endpoints: endpoints.map(parse).into(), surroundings, ..settings() }
    }

    fn client(&self) -> HttpUpstream {
        client(self.settings())
    }

    fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.home.path().join(".aws").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }
}

fn of_role(host: &str, role: &str) -> Target {
    let identity = Identity::fingerprint(role);
    Target { role: Some(role.into()), identity, ..target(host) }
}

fn posts(upstream: &ScriptedUpstream) -> Vec<Seen> {
    upstream.requests().into_iter().filter(|seen| seen.method == Method::POST).collect()
}

/// The access key that a call was signed with.
fn signer(seen: &Seen) -> &str {
    let authorization = seen.header("authorization").unwrap();
    authorization.split(['=', '/']).nth(1).unwrap()
}

#[tokio::test]
async fn a_login_is_asked_for_once_and_anew_where_it_is_refused() {
    let cloud = Cloud::start().await.with_keys();
    let client = cloud.client();
    assert!(cloud.api.requests().is_empty(), "nobody is asked at the start");
    let target = target(HOST);
    let tag = tag("3.20");
    let pulls = (0..5).map(|_| client.fetch_manifest(&target, &tag));
    for outcome in join_all(pulls).await {
        assert_eq!(kind(&outcome), "ok");
    }
    let asked = posts(&cloud.api);
    assert_eq!((asked.len(), signer(&asked[0])), (1, "AKIAPROCESS"));
    let target_header = asked[0].header("x-amz-target").unwrap();
    assert_eq!(target_header, "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken");
    assert_eq!(asked[0].header("content-type"), Some("application/x-amz-json-1.1"));
    client.authenticate(&target).await.unwrap();
    assert_eq!(posts(&cloud.api).len(), 1);

    cloud.issue("second", LIFE);
    assert_eq!(kind(&client.fetch_manifest(&target, &tag).await), "ok");
    assert_eq!(posts(&cloud.api).len(), 2);
    assert!(cloud.metadata.requests().is_empty() && cloud.sts.requests().is_empty());

    // One that is about to end is not used.
    cloud.issue("third", 0);
    for _ in 0..2 {
        assert_eq!(kind(&client.fetch_manifest(&target, &tag).await), "ok");
    }
    assert_eq!(posts(&cloud.api).len(), 4);
}

#[tokio::test]
async fn a_role_is_assumed_once_for_all_registries_of_a_region() {
    let cloud = Cloud::start().await.with_keys();
    let client = cloud.client();
    for host in [HOST, OTHER_HOST, HOST] {
        let outcome = client.fetch_manifest(&of_role(host, ROLE), &tag("3.20")).await;
        assert_eq!(kind(&outcome), "ok");
    }
    let [assumed, asked] = [posts(&cloud.sts), posts(&cloud.api)];
    assert_eq!((assumed.len(), signer(&assumed[0])), (1, "AKIAPROCESS"));
    assert_eq!(asked.len(), 2, "one login for each registry");
    for seen in &asked {
        assert_eq!(
            (signer(seen), seen.header("x-amz-security-token")),
            ("ASIASESSION", Some("token="))
        );
    }
    // Neither another role nor the process shares what that one got.
    for target in [of_role(HOST, "arn:aws:iam::111122223333:role/other"), target(HOST)] {
        assert_eq!(kind(&client.fetch_manifest(&target, &tag("3.20")).await), "ok");
    }
    assert_eq!((posts(&cloud.sts).len(), posts(&cloud.api).len()), (2, 4));
}

#[tokio::test]
async fn what_is_wrong_with_a_login_is_told() {
    let denied = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>\
                  <Type>Sender</Type><Code>AccessDenied</Code><Message>User: x is not authorized\
                  </Message></Error><RequestId>r</RequestId></ErrorResponse>";
    let unknown = denied.replace("AccessDenied", "InvalidClientTokenId");
    let json = r#"{"__type":"UnrecognizedClientException","message":"The token is invalid."}"#;
    let slow = r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#;
    let refused = Script::status(403).body(denied);
    let told =
        format!("the role {ROLE} cannot be assumed: AccessDenied: User: x is not authorized");
    let bad_keys =
        "the AWS credentials were refused: InvalidClientTokenId: User: x is not authorized";
    let bad_token = "login: the AWS credentials were refused: UnrecognizedClientException: The token is invalid.";
    for (sts, api, expected) in [
        (Some(refused), None, format!("login: {told}")),
        (Some(Script::status(403).body(&unknown)), None, format!("login: {bad_keys}")),
        (Some(Script::status(503)), None, "status 503".to_owned()),
        (
            Some(Script::default().body("<html/>")),
            None,
            "invalid: it answered AssumeRole without credentials".to_owned(),
        ),
        (None, Some(Script::status(400).body(json)), bad_token.to_owned()),
        (None, Some(Script::status(400).body(slow)), "rate limited: None".to_owned()),
        (
            None,
            Some(Script::default().body("{}")),
            "invalid: it answered GetAuthorizationToken without a token".to_owned(),
        ),
        (None, Some(Script::hang_up()), "transport: transfer".to_owned()),
    ] {
        let cloud = Cloud::start().await.with_keys();
        if let Some(script) = sts {
            cloud.sts.script("/", script);
        }
        if let Some(script) = api {
            cloud.api.script("/", script);
        }
        let outcome = cloud.client().fetch_manifest(&of_role(HOST, ROLE), &tag("3.20")).await;
        assert_eq!(kind(&outcome), expected);
    }
}

#[tokio::test]
async fn who_has_no_credentials_is_told_where_they_were_looked_for() {
    let cloud = Cloud::start().await.with("AWS_PROFILE", "work").with("AWS_ACCESS_KEY_ID", "");
    let outcome = cloud.client().authenticate(&target(HOST)).await;
    let told = kind(&outcome);
    for words in [
        "no AWS credentials were found",
        "AWS_ACCESS_KEY_ID and its companions: none",
        "profile 'work': none",
        "AWS_WEB_IDENTITY_TOKEN_FILE: none",
        "container credentials (AWS_CONTAINER_…): none",
        "instance metadata: ",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(!cloud.metadata.requests().is_empty() && cloud.api.requests().is_empty());

    // What is set up and fails ends the search.
    let cloud = Cloud::start().await;
    cloud.write("config", "[default]\nrole_arn = arn:aws:iam::111122223333:role/r\n");
    let told = kind(&cloud.client().authenticate(&target(HOST)).await);
    assert!(told.contains("profile 'default': it has a role_arn and neither"), "{told}");
    assert!(cloud.metadata.requests().is_empty());
}

#[tokio::test]
async fn profiles_lead_to_credentials() {
    let base = "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = secret\n";
    let program = |path: &Path| {
        let json = r#"{"Version":1,"AccessKeyId":"AKIAPROGRAM","SecretAccessKey":"s"}"#;
        fs::write(path, json).unwrap();
        format!("[default]\ncredential_process = /bin/cat {}\n", path.display())
    };
    let role = |rest: &str| format!("[default]\nrole_arn = {ROLE}\n{rest}\n");
    let cloud = Cloud::start().await;
    let from_program = program(&cloud.home.path().join("keys.json"));
    for (config, credentials, by, session) in [
        (String::new(), base.replace("base", "default"), "AKIABASE", false),
        (from_program, String::new(), "AKIAPROGRAM", false),
        (role("source_profile = base"), base.to_owned(), "AKIABASE", true),
        (
            role("source_profile = middle")
                + "[profile middle]\nrole_arn = arn:aws:iam::111122223333:role/m\n\
                   source_profile = base\n",
            base.to_owned(),
            "AKIABASE",
            true,
        ),
        (role("source_profile = default"), base.replace("base", "default"), "AKIABASE", true),
    ] {
        cloud.write("config", &config).write("credentials", &credentials);
        cloud.api.forget_requests();
        cloud.sts.forget_requests();
        cloud.client().authenticate(&target(HOST)).await.unwrap();
        let [assumed, asked] = [posts(&cloud.sts), posts(&cloud.api)];
        let first = assumed.first().unwrap_or(&asked[0]);
        assert_eq!((signer(first), assumed.is_empty()), (by, !session), "{config}");
        assert_eq!(signer(&asked[0]), if session { "ASIASESSION" } else { by }, "{config}");
    }
    let circle = role("source_profile = other")
        + &format!("[profile other]\nrole_arn = {ROLE}\nsource_profile = default\n");
    cloud.write("config", &circle).write("credentials", "");
    let told = kind(&cloud.client().authenticate(&target(HOST)).await);
    assert!(told.contains("leans on itself through others"), "{told}");
}

/// A sign-on of a person, in the older form and in the one that profiles share.
#[tokio::test]
async fn sign_ons_have_credentials() {
    let whose = "sso_account_id = 111122223333\nsso_role_name = reader\n";
    let session = format!("[default]\nsso_session = corp\n{whose}");
    let section = "[sso-session corp]\nsso_start_url = https://corp.example/start\n\
                   sso_region = eu-central-1\n";
    let older = format!(
        "[default]\nsso_start_url = https://corp.example/start\nsso_region = eu-central-1\n{whose}"
    );
    let token = |life: &str| format!(r#"{{"accessToken":"signed-on","expiresAt":"{life}"}}"#);
    let good = token("2199-01-01T00:00:00Z");
    // The names of the files are the SHA-1 of the session's name, and of the start URL.
    let (of_session, of_url) =
        ("ee0bfd2552fbd840c02cc48b6e823320543c450f", "f7c9b39d0b4c7a7d82c79307585f77e1c5e74378");
    for (config, file, told) in [
        (session.clone() + section, of_session, None),
        (older, of_url, None),
        (session.clone() + section, of_url, Some("aws sso login")),
        (session.clone(), of_session, Some("its sso_session has no section with an sso_region")),
        (
            format!("[default]\nsso_session = corp\n{section}"),
            of_session,
            Some("without sso_account_id and sso_role_name"),
        ),
    ] {
        let cloud = Cloud::start().await;
        let keys = r#"{"roleCredentials":{"accessKeyId":"ASIASIGNED","secretAccessKey":"s","sessionToken":"t","expiration":7226582400000}}"#;
        cloud.metadata.script("/federation/credentials", Script::default().body(keys));
        cloud.write("config", &config).write(&format!("sso/cache/{file}.json"), &good);
        let outcome = cloud.client().authenticate(&target(HOST)).await;
        if let Some(told) = told {
            assert!(kind(&outcome).contains(told), "{config}: {outcome:?}");
            continue;
        }
        outcome.unwrap();
        assert_eq!(signer(&posts(&cloud.api)[0]), "ASIASIGNED", "{config}");
        let asked = &cloud.metadata.requests()[0];
        assert_eq!(asked.query, "role_name=reader&account_id=111122223333");
        assert_eq!(asked.header("x-amz-sso_bearer_token"), Some("signed-on"));
        // An old token is of no use: a person has to sign on again.
        let old = token("2020-01-01T00:00:00Z");
        cloud.write(&format!("sso/cache/{file}.json"), &old);
        let told = kind(&cloud.client().authenticate(&target(HOST)).await);
        assert!(told.contains("aws sso login"), "{told}");
    }
}

#[tokio::test]
async fn machines_have_credentials() {
    let json = |key: &str| {
        format!(
            r#"{{"Code":"Success","AccessKeyId":"{key}","SecretAccessKey":"s","Token":"t","Expiration":"2199-01-01T00:00:00Z"}}"#
        )
    };
    // A container of ECS.
    let cloud = Cloud::start().await.with("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/task");
    cloud.metadata.script("/task", Script::default().body(&json("ASIATASK")));
    cloud.client().authenticate(&target(HOST)).await.unwrap();
    assert_eq!(signer(&posts(&cloud.api)[0]), "ASIATASK");

    // A machine of EC2, by its second version.
    let cloud = Cloud::start().await;
    let path = "/latest/meta-data/iam/security-credentials/";
    cloud.metadata.script("/latest/api/token", Script::default().body("session"));
    cloud.metadata.script(path, Script::default().body("machine"));
    let keys = Script::default().body(&json("ASIAMACHINE"));
    cloud.metadata.script(&format!("{path}machine"), keys);
    cloud.client().authenticate(&target(HOST)).await.unwrap();
    assert_eq!(signer(&posts(&cloud.api)[0]), "ASIAMACHINE");
    let seen = cloud.metadata.requests();
    assert_eq!((&seen[0].method, seen[0].path.as_str()), (&Method::PUT, "/latest/api/token"));
    assert_eq!(seen[1].header("x-aws-ec2-metadata-token"), Some("session"));

    // A pod of EKS: a token in a file.
    let cloud = Cloud::start().await;
    let token = cloud.home.path().join("token");
    fs::write(&token, "jwt").unwrap();
    let token = token.display().to_string();
    let cloud = cloud
        .with("AWS_WEB_IDENTITY_TOKEN_FILE", &token)
        .with("AWS_ROLE_ARN", ROLE)
        .with("AWS_REGION", "eu-west-1");
    let body = "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
                <AccessKeyId>ASIAPOD</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
                <SessionToken>t</SessionToken><Expiration>2199-01-01T00:00:00Z</Expiration>\
                </Credentials></AssumeRoleWithWebIdentityResult>\
                </AssumeRoleWithWebIdentityResponse>";
    cloud.sts.script("/", Script::default().body(body));
    cloud.client().authenticate(&target(HOST)).await.unwrap();
    assert_eq!(signer(&posts(&cloud.api)[0]), "ASIAPOD");
}
