//! Starts: what wins, what is made, and every start that cannot succeed says so in one line.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
};

use metadata::{
    AccountId, EcrRepositoryPrefix, Region, RegistryId, Rule, RuleCredentials, RuleStore as _,
    SqliteMetadata, Timestamp,
};
use rustix::process::Signal;
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};

use crate::process::{Home, Serving, finish, said_in_one_line};

/// Runs a future to its end.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

#[test]
fn a_flag_wins_over_a_variable_over_the_file() {
    let home = Home::new();
    home.write("cistern.toml", "data-dir = 'of-file'\nregion = 'of-file'\naccount-id = 'wrong'\n");
    let mut command = home.command(&["serve", "--data-dir", "of-flag"]);
    command.env("CISTERN_REGION", "of-variable").env("CISTERN_ACCOUNT_ID", "111111111111");
    Serving::start(command).terminate();
    assert!(home.path().join("of-flag/credentials").is_file());
    assert!(!home.path().join("of-file").is_dir());
    let mut env = home.command(&["env", "--data-dir", "of-flag", "--listen", "127.0.0.1:7"]);
    env.env("CISTERN_REGION", "of-variable").env("CISTERN_ACCOUNT_ID", "111111111111");
    let exports = String::from_utf8(finish(&mut env).stdout).expect("text");
    assert!(exports.contains("export AWS_REGION=of-variable\n"), "{exports}");
    let refused = home.refused(&["env", "--region", "of-flag"], 2);
    assert_eq!(refused, "account-id in cistern.toml: \"wrong\": an account id has 12 digits");
}

#[test]
fn a_first_start_makes_private_files_and_a_second_keeps_them() {
    let home = Home::new();
    home.serve(&[]).terminate();
    let mode = |name: &str| {
        let found = fs::metadata(home.data_dir().join(name)).expect("it was made");
        found.permissions().mode() & 0o777
    };
    assert_eq!(mode("."), 0o700);
    for name in ["credentials", "keyring", "lock", "metadata.sqlite"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    assert!(!home.data_dir().join("address").is_file());
    let read = |name: &str| fs::read_to_string(home.data_dir().join(name)).expect("text");
    let before = (read("credentials"), read("keyring"));
    home.serve(&[]).terminate();
    assert_eq!((read("credentials"), read("keyring")), before);
}

#[test]
fn a_killed_process_leaves_nothing_in_the_way() {
    let home = Home::new();
    let mut killed = home.serve(&[]);
    killed.signal(Signal::KILL);
    killed.ended();
    assert!(home.data_dir().join("address").is_file());
    home.serve(&[]).terminate();
}

#[test]
fn wrong_words_and_keys_are_named_with_the_nearest() {
    let home = Home::new();
    for (words, said) in [
        (&["serve", "--listne", "x"][..], "unexpected argument '--listne' found: did you mean"),
        (&["sevre"], "unrecognized subcommand 'sevre': did you mean serve?"),
        (&[], "a command is missing: try `cistern serve`"),
        (&["serve", "--tls-cert", "x"], "--tls-cert needs --tls-key as well"),
        (&["serve", "--rule", "hub"], "--rule: \"hub\": expected PREFIX=UPSTREAM_URL"),
        (
            &["serve", "--rule", "hub=https://example.com/path"],
            "--rule: \"hub=https://example.com/path\": an upstream is a host without path",
        ),
        (&["serve", "--metadata-url", "postgres://u:p@h/d"], "--metadata-url: this build serves"),
        (&["serve", "--config", "absent.toml"], "cannot read the configuration file absent.toml"),
    ] {
        let refused = home.refused(words, 2);
        assert!(refused.starts_with(said), "{refused}");
    }
    home.write("cistern.toml", "[limits]\nfils = 3\n");
    let refused = home.refused(&["serve"], 2);
    assert_eq!(refused, "unknown key limits.fils in cistern.toml: did you mean limits.fills?");
    assert!(!home.data_dir().is_dir(), "nothing was touched");
    home.write("cistern.toml", "");
    let filtered = finish(home.command(&["serve"]).env("CISTERN_LOG", "a=b=c"));
    assert!(said_in_one_line(&filtered, 2).starts_with("CISTERN_LOG: \"a=b=c\""));
}

#[test]
fn a_port_that_cannot_be_had_is_named() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let refused = home.refused(&["serve", "--listen", &address], 1);
    let expected = format!("{address} of --listen is in use: stop what listens there");
    assert!(refused.starts_with(&expected), "{refused}");
    // TEST-NET-1 (RFC 5737) is nobody's address.
    let refused = home.refused(&["serve", "--listen", "192.0.2.1:5000"], 1);
    let expected = "cannot listen on 192.0.2.1:5000 of --listen: choose another address";
    assert!(refused.starts_with(expected), "{refused}");
}

#[test]
fn a_data_directory_that_cannot_be_used_is_named() {
    let home = Home::new();
    home.write("occupied", "");
    let refused = home.refused(&["serve", "--data-dir", "occupied"], 1);
    assert!(refused.starts_with("cannot write in the data directory occupied ("), "{refused}");
    symlink("/proc/self", home.path().join("unwritable")).expect("a link");
    let refused = home.refused(&["serve", "--data-dir", "unwritable"], 1);
    assert!(refused.contains("name another with --data-dir"), "{refused}");
}

#[test]
fn a_second_process_on_one_data_directory_is_refused() {
    let home = Home::new();
    let first = home.serve(&[]);
    let refused = home.refused(&["serve"], 1);
    let expected = format!(
        "the data directory ./cistern-data is in use by process {}: stop it, or name another \
         directory with --data-dir",
        first.pid()
    );
    assert_eq!(refused, expected);
    first.terminate();
    home.serve(&[]).terminate();
}

#[test]
fn data_of_a_newer_version_is_refused() {
    let home = Home::new();
    home.serve(&[]).terminate();
    block_on(async {
        let file = SqliteConnectOptions::new().filename(home.data_dir().join("metadata.sqlite"));
        let mut database = file.connect().await.expect("a database");
        let later = "INSERT INTO _sqlx_migrations VALUES (9999, 'later', 0, 1, x'00', 0)";
        sqlx::query(later).execute(&mut database).await.expect("a migration");
        database.close().await.expect("closed");
    });
    let refused = home.refused(&["serve"], 1);
    let expected = "./cistern-data/metadata.sqlite was written by a newer version of cistern \
                    (schema 9999; this one knows up to";
    assert!(refused.starts_with(expected), "{refused}");
    assert!(refused.ends_with("upgrade cistern, or name another --data-dir"), "{refused}");
}

#[test]
fn a_keyring_that_is_missing_wrong_or_torn_is_refused() {
    let home = Home::new();
    home.serve(&[]).terminate();
    let keyring = home.data_dir().join("keyring");
    let right = fs::read_to_string(&keyring).expect("the first start made it");

    fs::remove_file(&keyring).expect("it is there");
    let refused = home.refused(&["serve"], 1);
    assert!(refused.starts_with("./cistern-data/keyring is missing, and "), "{refused}");
    assert!(!keyring.is_file(), "no other one is made");

    fs::write(&keyring, registry::Keyring::generate().to_text().as_bytes()).expect("written");
    let refused = home.refused(&["serve"], 1);
    assert!(refused.starts_with("the keyring is not the one that "), "{refused}");

    fs::write(&keyring, "nonsense").expect("written");
    let refused = home.refused(&["serve"], 1);
    assert!(
        refused.starts_with("the keyring of ./cistern-data/keyring cannot be used"),
        "{refused}"
    );

    let mut command = home.command(&["serve"]);
    command.env("CISTERN_KEYRING", right);
    Serving::start(command).terminate();
}

#[test]
fn a_declared_rule_that_contradicts_a_stored_one_is_refused() {
    let home = Home::new();
    home.serve(&[]).terminate();
    store_rule(&home.data_dir().join("metadata.sqlite"), "hub", "registry-1.docker.io");
    let refused = home.refused(&["serve", "--rule", "hub=quay.io"], 1);
    let expected = "rule hub of --rule contradicts the stored rule for registry-1.docker.io: \
                    delete the stored rule, or remove the declared one";
    assert_eq!(refused, expected);
    home.serve(&["--rule", "hub=registry-1.docker.io"]).terminate();
    let refused = home.refused(&["serve", "--rule", "hub=quay.io", "--rule", "hub=ghcr.io"], 2);
    assert!(refused.contains("prefix hub is declared twice"), "{refused}");
}

fn store_rule(database: &Path, prefix: &str, url: &str) {
    let registry = RegistryId {
        account: AccountId::parse("000000000000").expect("twelve digits"),
        region: Region::parse("us-east-1").expect("a region"),
    };
    let rule = Rule {
        ecr_repository_prefix: EcrRepositoryPrefix::parse(prefix).expect("a prefix"),
        upstream_registry_url: url.to_owned(),
        upstream_registry: None,
        upstream_repository_prefix: None,
        credentials: RuleCredentials::default(),
        policy: None,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    };
    block_on(async {
        let metadata = SqliteMetadata::open(database).await.expect("a database");
        metadata.create_rule(&registry, &rule, None).await.expect("a new rule");
    });
}

#[test]
fn wrong_files_of_settings_are_named() {
    let home = Home::new();
    home.write("ca.pem", "nonsense");
    home.write("cistern.toml", "[upstream]\nca-file = 'absent.pem'\n");
    let refused = home.refused(&["serve"], 1);
    assert!(refused.starts_with("cannot read upstream.ca-file (absent.pem)"), "{refused}");
    home.write("cistern.toml", "[upstream]\nca-file = 'ca.pem'\n");
    let refused = home.refused(&["serve"], 1);
    assert!(refused.contains("root certificate"), "{refused}");
    assert!(!home.data_dir().is_dir(), "nothing was touched");
}
