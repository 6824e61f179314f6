//! What wins over what.

use std::collections::BTreeMap;

use secrecy::ExposeSecret as _;

use super::*;
use crate::LocalError;

/// Everything that can be found, and nothing until it is put there.
#[derive(Default)]
struct World {
    variables: BTreeMap<&'static str, String>,
    local: Option<Local>,
    options: Options,
}

impl World {
    fn set(mut self, name: &'static str, value: &str) -> Self {
        self.variables.insert(name, value.to_owned());
        self
    }

    fn with_keys(self) -> Self {
        self.set("AWS_ACCESS_KEY_ID", "of-env").set("AWS_SECRET_ACCESS_KEY", "secret")
    }

    fn with_server(mut self) -> Self {
        self.local = Some(Local {
            data_dir: "./cistern-data".to_owned(),
            endpoint: Some("http://127.0.0.1:5000".to_owned()),
            region: "local-1".to_owned(),
            access_key: Some(("of-server".to_owned(), "secret".into())),
        });
        self
    }

    fn find(&self) -> Result<Connection, Error> {
        let nobody = Local {
            data_dir: "./cistern-data".to_owned(),
            endpoint: Some("http://127.0.0.1:5000".to_owned()),
            region: "local-1".to_owned(),
            access_key: None,
        };
        let surroundings = Surroundings {
            environment: &|name| self.variables.get(name).cloned(),
            now: &|| aws::Timestamp::from_seconds(0),
            local: &|_| -> Result<Local, LocalError> {
                Ok(self.local.clone().unwrap_or_else(|| nobody.clone()))
            },
        };
        Connection::find(&self.options, &surroundings)
    }

    /// Key, endpoint of ECR, endpoint of Secrets Manager and region.
    #[track_caller]
    fn check(&self, expected: [&str; 4]) {
        let found = self.find().unwrap();
        let ecr = found.endpoint(Service::Ecr);
        let secrets = found.endpoint(Service::SecretsManager);
        assert_eq!([&found.key.id, ecr, secrets, &found.region], expected);
    }
}

const HERE: &str = "http://127.0.0.1:5000";

#[test]
fn a_server_of_this_machine_is_found() {
    World::default().with_server().check(["of-server", HERE, HERE, "local-1"]);
    assert!(World::default().with_server().find().unwrap().is_local);
}

#[test]
fn variables_win_over_the_server() {
    let world = World::default().with_server().with_keys();
    let named = world.set("AWS_ENDPOINT_URL", "http://there/").set("AWS_REGION", "far-1");
    named.check(["of-env", "http://there", "http://there", "far-1"]);
    let one = named.set("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://vault");
    one.check(["of-env", "http://there", "http://vault", "far-1"]);
}

#[test]
fn an_endpoint_without_keys_takes_those_of_the_server() {
    let mut world = World::default().with_server();
    world.options.endpoint_url = Some("http://localhost:7".to_owned());
    world.check(["of-server", "http://localhost:7", "http://localhost:7", "local-1"]);
    assert!(!world.find().unwrap().is_local);
}

#[test]
fn keys_alone_mean_aws() {
    let world = World::default().with_server().with_keys().set("AWS_REGION", "eu-west-1");
    world.check([
        "of-env",
        "https://api.ecr.eu-west-1.amazonaws.com",
        "https://secretsmanager.eu-west-1.amazonaws.com",
        "eu-west-1",
    ]);
    let lost = World::default().with_keys().find().unwrap_err();
    assert!(matches!(lost, Error::NoRegion), "{lost}");
}

#[test]
fn a_named_data_directory_wins_over_variables() {
    let mut world = World::default().with_server().with_keys();
    world.options.data_dir = Some("./cistern-data".to_owned());
    world.check(["of-server", HERE, HERE, "local-1"]);
}

#[test]
fn what_is_missing_is_said() {
    let text = |world: World| world.find().unwrap_err().to_string();
    assert!(text(World::default()).starts_with("no credentials: start `cistern serve` here"));
    let mut named = World::default();
    named.options.data_dir = Some("x".to_owned());
    assert!(text(named).starts_with("no credentials in ./cistern-data: start"));
    let half = World::default().set("AWS_ACCESS_KEY_ID", "x");
    assert_eq!(
        text(half),
        "AWS_ACCESS_KEY_ID needs AWS_SECRET_ACCESS_KEY as well: set both, or neither"
    );
    let mut silent = World::default().with_server();
    silent.local.as_mut().unwrap().endpoint = None;
    assert!(text(silent).starts_with("nothing serves from ./cistern-data"));
}

#[test]
fn profiles_are_read() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let credentials = "[default]\naws_access_key_id=d\naws_secret_access_key=s\n\
                       [team]\naws_access_key_id = t\naws_secret_access_key = a=b # mine\n\
                       aws_session_token = token\n[half]\naws_access_key_id = h\n";
    let config = "[default]\nregion = us-west-2\n[profile team]\nregion=eu-north-1\n\
                  endpoint_url = https://registry.example.com\ns3 =\n  region = nested\n\
                  [profile sso]\nsso_session = corp\n";
    let world = || {
        World::default()
            .set("AWS_SHARED_CREDENTIALS_FILE", &file("credentials", credentials))
            .set("AWS_CONFIG_FILE", &file("config", config))
    };
    let there = "https://registry.example.com";
    let team = world().set("AWS_PROFILE", "team");
    team.check(["t", there, there, "eu-north-1"]);
    let key = team.find().unwrap().key;
    assert_eq!(key.secret.expose_secret(), "a=b");
    assert_eq!(key.session_token.unwrap().expose_secret(), "token");
    // Nobody said anything, and no server is here.
    assert_eq!(world().find().unwrap().key.id, "d");
    let text = |name: &str| world().set("AWS_PROFILE", name).find().unwrap_err().to_string();
    assert!(text("nobody").starts_with("there is no profile nobody in "));
    assert!(text("sso").contains("(it has sso_session): export them first with"));
    assert!(text("half").starts_with("aws_access_key_id of profile half needs"));
}
