//! What goes wrong is one line that says what to do next.

use std::{io::Write as _, net::TcpListener, thread};

use super::{World, stderr};
use crate::process::{Home, finish, said_in_one_line};

#[test]
fn words_that_make_no_command_exit_with_2() {
    let home = Home::new();
    home.serve(&[]).terminate();
    for (words, said) in [
        (&["rule"][..], "a command is missing: `cistern rule --help` lists them"),
        (&["rule", "lits"], "unrecognized subcommand 'lits': did you mean list? (`cistern rule"),
        (
            &["rule", "show"],
            "the following required arguments were not provided: <PREFIX>: `cistern rule show",
        ),
        (
            &["rule", "list", "--output", "yaml"],
            "invalid value 'yaml' for '--output <table|json>': expected table, json: `cistern rule",
        ),
        (&["rule", "add"], "PREFIX is missing: `cistern rule add PREFIX UPSTREAM`, such as"),
        (&["rule", "add", "hub"], "UPSTREAM is missing: `cistern rule add PREFIX UPSTREAM`"),
        (
            &["rule", "add", "hub", "docker-hub", "--username", "me"],
            "the token is missing: give --token-file FILE (- is stdin)",
        ),
        (&["rule", "update", "hub"], "what to change is missing: give --username, --secret or"),
        (&["secret", "add", "mine"], "the value is missing: give --username NAME and --token-"),
        (&["image", "show", "alpine"], "invalid value 'alpine' for '<IMAGE>': expected REPOSI"),
        (
            &["rule", "list", "--endpoint-url", "127.0.0.1:5000"],
            "--endpoint-url: \"127.0.0.1:5000\": expected",
        ),
    ] {
        let mut command = home.command(words);
        let refused = finish(command.env("CISTERN_LISTEN", "127.0.0.1:9"));
        let refused = said_in_one_line(&refused, 2);
        assert!(refused.starts_with(said), "{refused}");
    }
}

#[test]
fn nobody_there_is_said_with_the_way_out() {
    let home = Home::new();
    let refused = home.refused(&["rule", "list"], 1);
    assert!(refused.starts_with("no credentials: start `cistern serve` here, name"), "{refused}");
    let refused = home.refused(&["rule", "list", "--data-dir", "other"], 1);
    assert!(refused.starts_with("no credentials in other: start `cistern serve`"), "{refused}");
    home.serve(&[]).terminate();
    let refused = home.refused(&["rule", "list"], 1);
    assert!(refused.starts_with("nothing serves from ./cistern-data: start"), "{refused}");

    // A port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let address = free.local_addr().expect("bound").to_string();
    drop(free);
    let mut command = home.command(&["rule", "list"]);
    let refused = said_in_one_line(&finish(command.env("CISTERN_LISTEN", &address)), 1);
    let expected =
        format!("nothing answers at http://{address} (Connection refused (os error 111)): start");
    assert!(refused.starts_with(&expected), "{refused}");
    assert!(refused.ends_with("or name another endpoint with --endpoint-url"), "{refused}");
    let url = format!("http://{address}");
    let refused = home.refused(&["rule", "list", "--endpoint-url", &url], 1);
    assert!(refused.contains("is it running, and is that the right endpoint?"), "{refused}");
    home.write("cistern.toml", "nonsense = 1\n");
    let refused = home.refused(&["rule", "list"], 2);
    assert!(refused.starts_with("unknown key nonsense in cistern.toml"), "{refused}");
}

#[test]
fn wrong_keys_are_named_with_their_source() {
    let world = World::new();
    let (key, _) = world.root();
    let (_elsewhere, mut command) = world.far(&["rule", "list"], &key, "wrong");
    let refused = said_in_one_line(&finish(&mut command), 1);
    let expected =
        format!("the secret of access key {key} (from AWS_ACCESS_KEY_ID) is not the one that");
    assert!(refused.contains("(InvalidSignatureException)"), "{refused}");
    assert!(refused.contains(&expected), "{refused}");
    let (_elsewhere, mut command) = world.far(&["rule", "list"], "AKIAUNKNOWN", "wrong");
    let refused = said_in_one_line(&finish(&mut command), 1);
    assert!(refused.contains("does not know the access key AKIAUNKNOWN (from AWS_"), "{refused}");
}

#[test]
fn refusals_name_the_next_command() {
    let world = World::new();
    world.prints(&["rule", "add", "hub", "docker-hub", "--no-validate"]);
    for (words, said) in [
        (&["rule", "add", "hub", "quay"][..], "see it with `cistern rule show`, change it with"),
        (&["rule", "show", "nope"], "`cistern rule list` shows the rules of this region"),
        (&["rule", "remove", "nope"], "`cistern rule list` shows the rules of this region"),
        (&["rule", "add", "x1", "https://a/b"], "`cistern rule add --help` lists the registries"),
        (&["repository", "show", "nope"], "`cistern repository list` shows those of this region"),
        (&["image", "list", "nope"], "`cistern repository list` shows those of this region"),
    ] {
        let refused = world.home.refused(words, 1);
        assert!(refused.contains(said), "{refused}");
    }
    let strict = World::with(&["--strict-ecr"]);
    let refused = strict.home.refused(&["rule", "add", "hub", "docker-hub"], 1);
    let expected = "(UnsupportedUpstreamRegistryException): give --username, or a secret with";
    assert!(refused.contains(expected), "{refused}");
}

#[test]
fn an_endpoint_that_is_no_api_is_told_apart() {
    let page = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let url = format!("http://{}", page.local_addr().expect("bound"));
    let answering = thread::spawn(move || {
        for status in ["200 OK", "404 Not Found"] {
            let (mut stream, _) = page.accept().expect("a connection");
            let mut head = [0; 4096];
            let read = std::io::Read::read(&mut stream, &mut head).expect("a request");
            assert!(head[..read].starts_with(b"POST / HTTP/1.1\r\n"));
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 6\r\n\r\n<html>");
            stream.write_all(answer.as_bytes()).expect("it reads");
        }
    });
    let home = Home::new();
    home.serve(&[]).terminate();
    for status in ["200", "404"] {
        let refused = home.run(&["rule", "list", "--endpoint-url", &url]);
        let expected = format!("cistern: {url} answered {status} and not in AWS's way: is it");
        assert!(stderr(&refused).starts_with(&expected), "{}", stderr(&refused));
        assert_eq!(refused.status.code(), Some(1));
    }
    answering.join().expect("both were asked");
}
