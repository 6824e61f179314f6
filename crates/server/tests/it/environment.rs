//! `cistern env`, as a shell takes it.

use std::process::Command;

use crate::process::{Home, Serving, finish};

/// What a POSIX shell has after it evaluated the output of `cistern env`.
fn evaluated(home: &Home, words: &[&str]) -> Vec<(String, String)> {
    let exports = home.run(words);
    assert!(exports.status.success(), "{}", String::from_utf8_lossy(&exports.stderr));
    let script = String::from_utf8(exports.stdout).expect("text");
    let mut shell = Command::new("/bin/sh");
    shell.env_clear().env("AWS_PROFILE", "stale").env("AWS_SESSION_TOKEN", "stale");
    let printed = finish(shell.args(["-euc", &format!("{script}/usr/bin/env")]));
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let printed = String::from_utf8(printed.stdout).expect("text");
    let mut variables: Vec<_> = printed
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| name.starts_with("AWS_"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    variables.sort();
    variables
}

fn names_and_endpoint(variables: &[(String, String)]) -> (Vec<&str>, &str) {
    let names = variables.iter().map(|(name, _)| name.as_str()).collect();
    let endpoint = variables.iter().find(|(name, _)| name == "AWS_ENDPOINT_URL");
    (names, endpoint.map_or("", |(_, value)| value))
}

#[test]
fn it_finds_the_running_server_and_its_keys() {
    let home = Home::new();
    let serving = home.serve(&["--region", "eu-west-1"]);
    let variables = evaluated(&home, &["env"]);
    let (names, endpoint) = names_and_endpoint(&variables);
    let expected = [
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
    ];
    assert_eq!(names, expected);
    assert_eq!(endpoint, serving.url());
    let credentials = std::fs::read_to_string(home.data_dir().join("credentials")).expect("made");
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        let (_, value) = variables.iter().find(|(found, _)| found == name).expect("exported");
        let line = format!("{} = {value}\n", name.to_lowercase());
        assert!(credentials.contains(&line), "{line}{credentials}");
    }
    let region = |region: &str| ("AWS_REGION".to_owned(), region.to_owned());
    assert!(variables.contains(&region("eu-west-1")), "as the server was told");
    let asked = evaluated(&home, &["env", "--region", "us-west-2"]);
    assert!(asked.contains(&region("us-west-2")), "{asked:?}");
}

#[test]
fn what_is_asked_for_wins_over_what_is_found() {
    let home = Home::new();
    let serving = home.serve(&[]);
    let endpoint = |words: &[&str]| {
        let variables = evaluated(&home, &[&["env"], words].concat());
        names_and_endpoint(&variables).1.to_owned()
    };
    assert_eq!(endpoint(&["--listen", "127.0.0.1:7"]), "http://127.0.0.1:7");
    assert_eq!(endpoint(&["--listen", "0.0.0.0:7"]), "http://127.0.0.1:7");
    let public = ["--public-url", "https://{account}.registry.example.com"];
    assert_eq!(endpoint(&public), "https://000000000000.registry.example.com");
    serving.terminate();
    // Nobody serves: what the file says is all there is to go by.
    home.write("cistern.toml", "listen = '127.0.0.1:8'\n");
    let mut command = home.command(&["env"]);
    let said = finish(command.env_remove("CISTERN_LISTEN"));
    let said = String::from_utf8(said.stdout).expect("text");
    assert!(said.starts_with("export AWS_ENDPOINT_URL=http://127.0.0.1:8\n"), "{said}");
}

#[test]
fn keys_of_the_environment_are_quoted() {
    let home = Home::new();
    let mut command = home.command(&["env", "--listen", "127.0.0.1:7"]);
    command
        .env("CISTERN_ROOT_ACCESS_KEY_ID", "mine")
        .env("CISTERN_ROOT_SECRET_ACCESS_KEY", "a'b$(c)\"");
    let said = String::from_utf8(finish(&mut command).stdout).expect("text");
    let expected = "export AWS_SECRET_ACCESS_KEY='a'\\''b$(c)\"'\n";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn it_says_what_is_missing() {
    let home = Home::new();
    let refused = home.refused(&["env"], 1);
    assert!(refused.starts_with("no credentials in ./cistern-data: start"), "{refused}");
    Serving::terminate(home.serve(&[]));
    let refused = home.refused(&["env"], 1);
    assert!(refused.starts_with("nothing serves from ./cistern-data: start"), "{refused}");
}
