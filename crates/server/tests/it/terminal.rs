//! The commands for people on a terminal: what they ask, what they hide.

mod warming;

use std::{
    fs::{File, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rustix::{
    fs::OFlags,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize},
};

use crate::{
    commands::{World, succeeded},
    process::{DEADLINE, wait_for},
};

/// A command with a terminal for stdin, stdout and stderr. Killed when this is dropped.
struct Terminal {
    child: Child,
    keys: File,
    screen: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    fn start(mut command: Command) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&controller).expect("ours");
        unlockpt(&controller).expect("ours");
        let name = ptsname(&controller, Vec::new()).expect("it has a name").into_string();
        let flags = i32::try_from(OFlags::NOCTTY.bits()).expect("a flag");
        let terminal = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(name.expect("a path of letters"))
            .expect("unlocked");
        let size = Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal, size).expect("a terminal");
        let end = || Stdio::from(terminal.try_clone().expect("a descriptor"));
        command.env("TERM", "xterm").env("NO_COLOR", "1");
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("runs");
        let keys = File::from(controller);
        let screen = Arc::new(Mutex::new(String::new()));
        let mut output = keys.try_clone().expect("a descriptor");
        let shown = Arc::clone(&screen);
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end of a terminal is an error (EIO).
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
                shown.lock().expect("no panic").push_str(&text);
            }
        });
        Self { child, keys, screen, reader: Some(reader) }
    }

    fn screen(&self) -> String {
        self.screen.lock().expect("no panic").clone()
    }

    /// Waits until a question is on the screen, then types an answer to it.
    #[track_caller]
    fn answer(&mut self, question: &str, text: &str) {
        self.shows(question);
        writeln!(self.keys, "{text}").expect("it reads");
    }

    /// Waits until a question is on the screen and nothing that is typed shows, then types.
    #[track_caller]
    fn answer_hidden(&mut self, question: &str, text: &str) {
        self.shows(question);
        wait_for("a terminal without echo", || {
            let modes = tcgetattr(&self.keys).expect("a terminal").local_modes;
            (!modes.contains(LocalModes::ECHO)).then_some(())
        });
        writeln!(self.keys, "{text}").expect("it reads");
    }

    /// Types keys, whatever is on the screen.
    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it reads");
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        self.shows_times(text, 1);
    }

    #[track_caller]
    fn shows_times(&self, text: &str, times: usize) {
        let started = Instant::now();
        while self.screen().matches(text).count() < times {
            assert!(started.elapsed() < DEADLINE, "no {text:?} on the screen: {}", self.screen());
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Waits for the end; the code, and all that was shown.
    fn ended(&mut self) -> (Option<i32>, String) {
        let status = wait_for("the end of the command", || self.child.try_wait().expect("ours"));
        // Nobody else has the terminal open: what is still in it comes, and then its end.
        if let Some(reader) = self.reader.take() {
            reader.join().expect("no panic");
        }
        (status.code(), self.screen())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_rule_is_asked_for_step_by_step() {
    let world = World::new();
    world.upstream.require_basic("me", "dckr_pat_1");
    world.prints(&["rule", "add", "docker-hub", "quay", "--no-validate"]);
    let mut terminal = Terminal::start(world.home.command(&["rule", "add"]));
    terminal.shows("  1  Docker Hub");
    terminal.answer("Upstream registry (a number, or any host)", "");
    // `docker-hub` is taken.
    terminal.answer("Prefix of its repositories here (docker-hub-2)", "hub");
    terminal.answer("Log in to it?", "y");
    terminal.answer("User name", "me");
    terminal.answer_hidden("Token (an access token of https://app.docker.com", "mistyped");
    terminal.answer("Type the user name and the token again? (yes)", "");
    terminal.answer("User name (me)", "");
    // Once for each question, and once where the first was answered.
    terminal.shows_times("Token (an access token", 3);
    terminal.answer_hidden("Token (an access token", "dckr_pat_1");
    terminal.shows(&format!("docker pull {}/hub/library/alpine:3.20", world.serving.address()));
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("the rule works: it was tried"), "{screen}");
    assert!(!screen.contains("dckr_pat_1") && !screen.contains("mistyped"), "{screen}");
    let rule = world.json(&["rule", "show", "hub"]);
    assert_eq!(rule["upstreamRegistryUrl"], "registry-1.docker.io");
    let secret = world.json(&["secret", "show", "ecr-pullthroughcache/hub", "--reveal"]);
    assert_eq!(secret["SecretString"], r#"{"username":"me","accessToken":"dckr_pat_1"}"#);
}

#[test]
fn only_what_is_missing_is_asked_for() {
    let world = World::new();
    let host = world.upstream.url();
    let mut terminal = Terminal::start(world.home.command(&["rule", "add", "mine"]));
    terminal.answer("Upstream registry (a number, or any host)", &host);
    terminal.answer("Log in to it?", "n");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(0), "{screen}");
    assert!(!screen.contains("Prefix of its"), "{screen}");
    assert_eq!(world.json(&["rule", "show", "mine"])["upstreamRegistryUrl"], host);
}

#[test]
fn a_wrong_answer_is_asked_for_again() {
    let world = World::new();
    let mut terminal = Terminal::start(world.home.command(&["rule", "add", "--no-validate"]));
    terminal.answer("Upstream registry (a number, or any host)", "77");
    terminal.answer("1 to 9, or a host", "4");
    terminal.answer("Prefix of its repositories here (kubernetes)", "No Good");
    terminal.answer("2 to 30 lower-case letters", "k8s");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(0), "{screen}");
    assert_eq!(world.json(&["rule", "show", "k8s"])["upstreamRegistry"], "k8s");
}

#[test]
fn who_stops_leaves_nothing_behind() {
    let world = World::new();
    let mut terminal = Terminal::start(world.home.command(&["rule", "add", "hub"]));
    terminal.answer("Upstream registry (a number, or any host)", "");
    terminal.answer("Log in to it?", "");
    terminal.shows("User name");
    // Only in raw mode is Ctrl-C a key, for the terminal is not the one that controls the process.
    wait_for("raw mode", || {
        let modes = tcgetattr(&terminal.keys).expect("a terminal").local_modes;
        (!modes.contains(LocalModes::ICANON)).then_some(())
    });
    terminal.types("\u{3}");
    let (code, screen) = terminal.ended();
    assert_ne!(code, Some(0), "{screen}");
    for words in [["rule", "list"], ["secret", "list"]] {
        assert!(world.home.run(&words).stdout.is_empty(), "{words:?}");
    }
}

#[test]
fn a_value_is_typed_unseen() {
    let world = World::new();
    let mut terminal = Terminal::start(world.home.command(&["secret", "add", "mine"]));
    terminal.answer_hidden("Value of mine", "hunter2");
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(0), "{screen}");
    assert!(!screen.contains("hunter2"), "{screen}");
    assert!(screen.contains("added the secret mine"), "{screen}");
    assert_eq!(world.json(&["secret", "show", "mine", "--reveal"])["SecretString"], "hunter2");
}

#[test]
fn a_table_on_a_terminal_has_lines() {
    let world = World::new();
    succeeded(&world.home.run(&["rule", "add", "k8s", "registry.k8s.io", "--no-validate"]));
    let mut terminal = Terminal::start(world.home.command(&["rule", "list"]));
    let (code, screen) = terminal.ended();
    assert_eq!(code, Some(0), "{screen}");
    let screen = world.settled(&screen.replace('\r', ""));
    insta::assert_snapshot!(screen, @r"
    ┌────────┬─────────────────┬──────┬─────────────────┬─────────────┬──────────────────┐
    │ PREFIX ┆ UPSTREAM        ┆ KIND ┆ UPSTREAM PREFIX ┆ CREDENTIALS ┆ CREATED (UTC)    │
    ╞════════╪═════════════════╪══════╪═════════════════╪═════════════╪══════════════════╡
    │ k8s    ┆ registry.k8s.io ┆ k8s  ┆                 ┆             ┆ YYYY-MM-DD hh:mm │
    └────────┴─────────────────┴──────┴─────────────────┴─────────────┴──────────────────┘
    ");
}
