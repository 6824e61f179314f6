//! The README's first screen, run as it stands: a page that drifts from the product fails here.

use std::fs;
use std::net::TcpStream;
use std::process::Command;

use clients::cistern::{build, workspace};
use clients::program::{Daemon, free_port, run};
use clients::{AwsCli, Docker, Image, UpstreamRegistry, or_skip};
use tempfile::TempDir;

/// Where the README's `serve` listens; a test moves it to a free port.
const README_ADDRESS: &str = "127.0.0.1:5000";

#[test]
fn the_first_screen_works_as_printed() {
    let lines = first_screen();
    let (serve, rest): (Vec<String>, Vec<String>) =
        lines.into_iter().partition(|line| line.ends_with("-- serve"));
    let [serve] = serve.as_slice() else { panic!("one line starts the server: {serve:?}") };
    let (tests, paste): (Vec<String>, Vec<String>) =
        rest.into_iter().partition(|line| line == "tests/run");
    assert_eq!(tests.len(), 1, "the test command is on the first screen");

    let paste = paste.join("\n");
    let upstream_name = word_after(&paste, "--upstream-registry-url");
    let prefix = word_after(&paste, "--ecr-repository-prefix");
    let pulled = word_after(&paste, "docker pull");
    let (repository, tag) = pulled
        .strip_prefix(&format!("{README_ADDRESS}/{prefix}/"))
        .and_then(|name| name.rsplit_once(':'))
        .expect("docker pull ADDRESS/PREFIX/REPOSITORY:TAG");

    let aws = or_skip!(AwsCli::program());
    let docker = or_skip!(Docker::start());
    let mut upstream = or_skip!(UpstreamRegistry::open());
    upstream.push(&Image::multi_arch(), repository, tag);
    let home = TempDir::new().expect("a temporary directory");
    let address = format!("127.0.0.1:{}", free_port());
    // So that the README's `cargo run` has nothing left to build.
    build();
    let shell = |script: &str| {
        let mut bash = Command::new("bash");
        let path = std::env::var("PATH").expect("a test has a PATH");
        let tools = aws.parent().expect("a file lies in a directory").display();
        bash.current_dir(workspace())
            .args(["-euo", "pipefail", "-c", &script.replace(README_ADDRESS, &address)])
            .env("PATH", format!("{tools}:{path}"))
            .env("CISTERN_LISTEN", &address)
            .env("CISTERN_DATA_DIR", home.path().join("data"))
            .env("CISTERN_UPSTREAM_ENDPOINT", format!("{upstream_name}={}", upstream.url()))
            .envs(docker.environment())
            .env("AWS_CONFIG_FILE", home.path().join("absent"))
            .env("AWS_SHARED_CREDENTIALS_FILE", home.path().join("absent"))
            .env("AWS_PAGER", "")
            .env_remove("AWS_CA_BUNDLE");
        bash
    };

    let mut server = Daemon::start(&mut shell(&format!("exec {serve}")), home.path(), "serve");
    server.until("the server listens", || TcpStream::connect(&address).ok());
    let said = run(&mut shell(&paste)).success();
    assert!(said.contains("Downloaded newer image"), "{said}");
    assert!(server.terminate().success());
}

/// The commands of the fenced shell blocks before the README's second heading.
fn first_screen() -> Vec<String> {
    let readme = fs::read_to_string(workspace().join("README.md")).expect("the README");
    let mut inside = false;
    let mut lines = Vec::new();
    let mut headings = 0;
    for line in readme.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside {
            lines.push(line.trim_start_matches("$ ").to_owned());
        } else if line.starts_with('#') {
            headings += 1;
            if headings == 2 {
                break;
            }
        }
    }
    lines.retain(|line| !line.is_empty() && !line.starts_with('#'));
    lines
}

/// The word that follows `words` in the pasted commands.
#[track_caller]
fn word_after<'a>(paste: &'a str, words: &str) -> &'a str {
    let (_, rest) = paste.split_once(words).unwrap_or_else(|| panic!("no {words} in {paste}"));
    rest.split_whitespace().next().unwrap_or_else(|| panic!("nothing after {words}"))
}
