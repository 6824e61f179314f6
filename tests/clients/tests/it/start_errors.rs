//! A start that cannot succeed says why in one line that names the way out.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use clients::cistern::invocation;
use clients::program::{command, write};
use clients::{Cistern, run};
use tempfile::TempDir;

/// A home with nothing in it; `serve` finds its `./cistern.toml` and `./cistern-data` there.
fn home() -> TempDir {
    TempDir::with_prefix("start-").expect("a temporary directory")
}

/// Asserts that `cistern serve FLAGS` ends at once with one line that holds each of `words`.
#[track_caller]
fn assert_refused(home: &Path, flags: &[&str], words: &[&str]) {
    let mut serve = invocation(home);
    // A later --listen wins over this one, which keeps every case off the well-known port.
    serve.env("CISTERN_LISTEN", "127.0.0.1:0").arg("serve").args(flags);
    let outcome = run(&mut serve);
    let (stdout, code) = (outcome.stdout.clone(), outcome.status.code());
    let stderr = outcome.failure();
    assert!(code.is_some(), "ended by a signal: {stderr}");
    assert_eq!(stdout, "");
    assert_eq!(stderr.lines().count(), 1, "one line:\n{stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word:?} is not named: {stderr}");
    }
}

#[test]
fn a_wrong_flag_is_named() {
    let home = home();
    assert_refused(home.path(), &["--listne", "127.0.0.1:0"], &["--listne", "--help"]);
    assert_refused(home.path(), &["--listen", "nowhere"], &["--listen", "nowhere"]);
    assert_refused(home.path(), &["--rule", "no-upstream"], &["--rule", "no-upstream"]);
    assert_refused(home.path(), &["--tls-cert", "server.crt"], &["--tls-key"]);
}

#[test]
fn an_unknown_configuration_key_is_named() {
    let home = home();
    write(&home.path().join("cistern.toml"), "listne = \"127.0.0.1:0\"\n");
    assert_refused(home.path(), &[], &["listne", "cistern.toml"]);
    assert_refused(home.path(), &["--config", "absent.toml"], &["absent.toml"]);
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let address = taken.local_addr().expect("a bound listener has an address").to_string();
    assert_refused(home().path(), &["--listen", &address], &[&address, "--listen"]);
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named() {
    let home = home();
    write(&home.path().join("occupied"), "a file where the directory should be");
    assert_refused(home.path(), &["--data-dir", "occupied"], &["occupied", "--data-dir"]);
}

#[test]
fn a_second_process_on_one_data_directory_is_refused() {
    let first = Cistern::start(&[]);
    let directory = first.data_directory().display().to_string();
    assert_refused(home().path(), &["--data-dir", &directory], &[&directory, "--data-dir"]);
    // The first one is not disturbed.
    first.command(&["env"]).success();
}

#[test]
fn a_data_directory_of_a_newer_version_is_refused() {
    let mut cistern = Cistern::start(&[]);
    cistern.terminate();
    let directory = cistern.data_directory();
    age_backwards(&directory);
    let directory = directory.display().to_string();
    assert_refused(home().path(), &["--data-dir", &directory], &["newer", "upgrade"]);
}

/// Marks the metadata as written by a version that knows one more migration.
fn age_backwards(data_directory: &Path) {
    let script = r#"
import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute(
    "INSERT INTO _sqlx_migrations"
    " (version, description, installed_on, success, checksum, execution_time)"
    " VALUES (99990101000000, 'later', CURRENT_TIMESTAMP, 1, x'00', 0)"
)
database.commit()
"#;
    let database = data_directory.join("metadata.sqlite");
    run(command("python3", data_directory).args(["-c", script]).arg(database)).success();
}

#[test]
fn a_missing_or_wrong_key_is_refused() {
    let mut cistern = Cistern::start(&[]);
    cistern.terminate();
    let directory = cistern.data_directory();
    let keyring = directory.join("keyring");
    let flags = ["--data-dir", &directory.display().to_string()];
    fs::remove_file(&keyring).expect("the first start made it");
    assert_refused(home().path(), &flags, &["keyring"]);

    let mut other = Cistern::start(&[]);
    other.terminate();
    fs::copy(other.data_directory().join("keyring"), &keyring).expect("a readable file");
    assert_refused(home().path(), &flags, &["keyring"]);
}
