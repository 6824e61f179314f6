//! The listener under clients that are slow, rude, too many, or still there when it ends.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
};

use rustix::process::Signal;

use crate::process::{Home, Serving, exchange, read_all, wait_for};

const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
const HEALTH_AND_CLOSE: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// Begins a request that is answered when its [`REST`] is there, and waits until the server is
/// reading it.
fn begin(serving: &Serving) -> TcpStream {
    let mut stream = serving.connect();
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut line = [0; 25];
    stream.read_exact(&mut line).expect("it answers in time");
    assert_eq!(&line, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

const REST: &str = "rest";

#[test]
fn requests_follow_one_another_on_a_connection() {
    let home = Home::new();
    let serving = home.serve(&[]);
    let stream = serving.connect();
    let answer = exchange(&stream, &format!("{HEALTH}{HEALTH}{HEALTH_AND_CLOSE}"));
    assert_eq!(answer.matches("HTTP/1.1 200 OK\r\n").count(), 3, "{answer}");
    serving.terminate();
}

#[test]
fn a_client_that_has_said_all_it_has_is_still_answered() {
    let home = Home::new();
    let serving = home.serve(&[]);
    let mut stream = serving.connect();
    stream.write_all(HEALTH.as_bytes()).expect("it reads");
    stream.shutdown(Shutdown::Write).expect("a socket");
    let answer = read_all(&stream);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

/// The head of a push that brings no credentials, so that nobody reads its body.
fn push_unasked(body_headers: &str) -> String {
    format!("PUT /v2/app/manifests/v1 HTTP/1.1\r\nHost: x\r\n{body_headers}\r\n\r\n")
}

#[test]
fn a_body_that_nobody_reads_costs_no_connection() {
    let home = Home::new();
    let serving = home.serve(&[]);
    let chunks = "1\r\n{\r\n".repeat(3);
    let push = push_unasked("Transfer-Encoding: chunked");
    for (head, status) in [(push.as_str(), 401), (&push.replace("/v2/", "/v3/"), 404)] {
        let request = format!("{head}{chunks}0\r\n\r\n{HEALTH_AND_CLOSE}");
        let answer = exchange(&serving.connect(), &request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

#[test]
fn a_client_that_sends_much_unasked_still_sees_its_answer() {
    let home = Home::new();
    let serving = home.serve(&[]);
    let length = 8 << 20;
    let mut stream = serving.connect();
    stream.write_all(push_unasked(&format!("Content-Length: {length}")).as_bytes()).expect("read");
    // Had the server closed, the kernel would reset this.
    stream.write_all(&vec![b'x'; length]).expect("it reads");
    let answer = read_all(&stream);
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    // One that never sends what it announced gets its answer too.
    let mut stream = serving.connect();
    stream.write_all(push_unasked("Content-Length: 9\r\n\r\nx").as_bytes()).expect("it reads");
    let mut head = [0; 12];
    stream.read_exact(&mut head).expect("it answers in time");
    assert_eq!(&head, b"HTTP/1.1 401");
}

#[test]
fn a_client_that_asks_first_is_told_to_send_nothing() {
    let home = Home::new();
    let serving = home.serve(&[]);
    let head = push_unasked("Content-Length: 9\r\nExpect: 100-continue");
    let answer = exchange(&serving.connect(), &head);
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[test]
fn headers_have_a_limit() {
    let home = Home::new();
    home.write("cistern.toml", "[limits]\nheader-bytes = '8KiB'\n");
    let serving = home.serve(&[]);
    let long = |length: usize| {
        let filler = "x".repeat(length);
        format!("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nFiller: {filler}\r\n\r\n")
    };
    let answer = exchange(&serving.connect(), &long(7_000));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let answer = exchange(&serving.connect(), &long(9_000));
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[test]
fn a_still_connection_is_closed_and_a_running_request_is_not() {
    let home = Home::new();
    home.write("cistern.toml", "[limits]\nclient-idle-timeout = '300ms'\n");
    let serving = home.serve(&[]);
    let waiting = begin(&serving);
    let silent = serving.connect();
    let mut slow = serving.connect();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost").expect("it reads");
    let mut done = serving.connect();
    done.write_all(HEALTH.as_bytes()).expect("it reads");
    for stream in [&silent, &slow, &done] {
        // A connection that is dropped with bytes unread is reset: as good an end.
        let _ = (&*stream).read_to_end(&mut Vec::new());
    }
    // They ended two time-outs after this one began.
    let answer = exchange(&waiting, REST);
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[test]
fn connections_beyond_the_limit_wait() {
    let home = Home::new();
    home.write("cistern.toml", "[limits]\nconnections = 1\n");
    let serving = home.serve(&[]);
    let first = serving.connect();
    let mut second = serving.connect();
    second.write_all(HEALTH_AND_CLOSE.as_bytes()).expect("the kernel takes it");
    wait_for("a line about the limit", || {
        serving.log().contains("limits.connections").then_some(())
    });
    drop(first);
    assert!(read_all(&second).starts_with("HTTP/1.1 200 OK\r\n"));
}

/// Waits until nobody listens any more.
fn wait_until_deaf(address: SocketAddr) {
    wait_for("the listener to close", || TcpStream::connect(address).is_err().then_some(()));
}

#[test]
fn sigterm_lets_a_running_request_end() {
    let home = Home::new();
    let mut serving = home.serve(&[]);
    let mut idle = serving.connect();
    idle.write_all(HEALTH.as_bytes()).expect("it reads");
    idle.read_exact(&mut [0; 12]).expect("it answers in time");
    let running = begin(&serving);
    serving.signal(Signal::TERM);
    wait_until_deaf(serving.address());
    read_all(&idle);
    let answer = exchange(&running, REST);
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close\r\n"), "{answer}");
    assert_eq!(serving.ended().code(), Some(0), "{}", serving.log());
    assert!(!home.data_dir().join("address").is_file());
    // All facts are in the one file that a backup takes.
    assert!(!home.data_dir().join("metadata.sqlite-wal").is_file());
}

#[test]
fn sigterm_waits_no_longer_than_the_drain_timeout() {
    let home = Home::new();
    home.write("cistern.toml", "[limits]\ndrain-timeout = '200ms'\n");
    let mut serving = home.serve(&[]);
    let _running = begin(&serving);
    serving.signal(Signal::TERM);
    assert_eq!(serving.ended().code(), Some(0), "{}", serving.log());
    assert!(serving.log().contains("did not end within limits.drain-timeout"), "{}", serving.log());
}

#[test]
fn a_second_signal_ends_at_once() {
    let home = Home::new();
    home.write("cistern.toml", "[limits]\ndrain-timeout = '1h'\n");
    let mut serving = home.serve(&[]);
    let _running = begin(&serving);
    serving.signal(Signal::INT);
    wait_until_deaf(serving.address());
    serving.signal(Signal::TERM);
    assert_eq!(serving.ended().code(), Some(128 + 15), "{}", serving.log());
}

/// The answer to a request that is refused over its head or its first bytes must not be lost in the
/// reset of a connection that is closed with bytes unread.
#[test]
fn a_refusal_is_seen_by_a_client_that_sends_everything_first() {
    let home = Home::new();
    let serving = home.serve(&[]);
    let basic = home.basic();
    let body = "x".repeat(24 << 20);
    let send = |method: &str, path: &str, more: &str| {
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}");
        let length = body.len();
        let stream = serving.connect();
        exchange(&stream, &format!("{head}Content-Length: {length}\r\n\r\n{body}"))
    };
    let authorized = format!("Authorization: {basic}\r\n");
    let unauthorized = send("PUT", "/v2/app/manifests/1", "");
    assert!(unauthorized.starts_with("HTTP/1.1 401 "), "{unauthorized}");
    let too_large = send("PUT", "/v2/app/manifests/1", &authorized);
    assert!(too_large.starts_with("HTTP/1.1 413 "), "{too_large}");

    let post = format!(
        "POST /v2/app/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorized}\
         Content-Length: 0\r\n\r\n"
    );
    let begun = exchange(&serving.connect(), &post);
    let location = begun.lines().find_map(|line| line.strip_prefix("location: "));
    let range = format!("{authorized}Content-Range: 7-{}\r\n", body.len() + 6);
    let out_of_order = send("PATCH", location.expect("an upload"), &range);
    assert!(out_of_order.starts_with("HTTP/1.1 416 "), "{out_of_order}");
    assert!(out_of_order.contains("\r\nrange: 0-0\r\n"), "{out_of_order}");
}
