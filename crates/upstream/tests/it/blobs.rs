//! Blobs: headers first, then bytes that end cleanly only when they are all there.

use futures_util::StreamExt as _;
use testkit::{Gate, Pattern, Script, ScriptedUpstream, blob_path};
use upstream::{Error, Upstream as _};

use crate::world::{
    REPOSITORY, blob, client, fetch, impatient, kind, read, settings, target, with_blob,
};

#[tokio::test]
async fn a_blob_comes_whole_however_its_length_is_told() {
    let (upstream, digest, path) = with_blob().await;
    let (client, target) = (client(settings()), target(&upstream.url()));
    for (script, size) in [
        (Script::new(), Some(1000)),
        (Script::new().chunked(), None),
        (Script::new().until_close(), None),
        (Script::new().header("content-encoding", "identity"), Some(1000)),
        (Script::new().header("content-type", "text/html"), Some(1000)),
    ] {
        upstream.script(&path, script.clone());
        let body = client.fetch_blob(&target, &digest, 0).await.unwrap();
        assert_eq!((body.size_bytes, body.offset), (size, 0), "{script:?}");
        assert_eq!(read(body).await.unwrap(), blob(), "{script:?}");
    }
    upstream.unscript(&path);
    assert_eq!(client.stat_blob(&target, &digest).await.unwrap().size_bytes, Some(1000));
    assert_eq!(upstream.heads(&path), 1);
}

#[tokio::test]
async fn an_empty_blob_ends_at_once() {
    let upstream = ScriptedUpstream::start().await;
    let digest = upstream.add_blob(REPOSITORY, "");
    let (client, target) = (client(settings()), target(&upstream.url()));
    let body = client.fetch_blob(&target, &digest, 0).await.unwrap();
    assert_eq!(body.size_bytes, Some(0));
    assert!(read(body).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_broken_transfer_ends_with_an_error() {
    let (upstream, digest, path) = with_blob().await;
    let (client, target) = (client(settings()), target(&upstream.url()));
    for script in [
        Script::new().short(500),
        Script::new().reset(500),
        Script::new().short(0),
        Script::new().short(999),
        Script::new().short(500).chunked(),
        Script::new().reset(500).chunked(),
        Script::new().reset(500).until_close(),
    ] {
        upstream.script(&path, script.clone());
        upstream.forget_requests();
        let outcome = fetch(&client, &target, &digest).await;
        assert_eq!(kind(&outcome), "transport: transfer", "{script:?}");
        assert_eq!(upstream.gets(&path), 1, "a transfer that broke is not made again");
    }
    upstream.unscript(&path);
    assert_eq!(fetch(&client, &target, &digest).await.unwrap(), blob());
}

#[tokio::test]
async fn a_stream_that_failed_is_over() {
    let (upstream, digest, path) = with_blob().await;
    let (client, target) = (client(settings()), target(&upstream.url()));
    upstream.script(&path, Script::new().reset(500));
    let mut body = client.fetch_blob(&target, &digest, 0).await.unwrap();
    let mut received = 0;
    while let Some(Ok(part)) = body.bytes.next().await {
        received += part.len();
    }
    assert!(received <= 500);
    assert!(body.bytes.next().await.is_none());
}

#[tokio::test]
async fn headers_are_returned_before_the_bytes_are_there() {
    let (upstream, digest, path) = with_blob().await;
    let (client, target) = (client(settings()), target(&upstream.url()));
    let gate = Gate::shut();
    upstream.script(&path, Script::new().stall(0, &gate));
    let body = client.fetch_blob(&target, &digest, 0).await.unwrap();
    assert_eq!(body.size_bytes, Some(1000));
    gate.open();
    assert_eq!(read(body).await.unwrap(), blob());
}

#[tokio::test]
async fn a_stalled_transfer_is_given_up() {
    let (upstream, digest, path) = with_blob().await;
    let client = client(impatient(|timeouts, short| timeouts.idle = short));
    let gate = Gate::shut();
    upstream.script(&path, Script::new().stall(500, &gate));
    let outcome = fetch(&client, &target(&upstream.url()), &digest).await;
    assert_eq!(kind(&outcome), "timeout: Idle");
    gate.arrived(1).await;
}

#[tokio::test]
async fn a_transfer_goes_on_where_another_ended() {
    let (upstream, digest, path) = with_blob().await;
    let (client, target) = (client(settings()), target(&upstream.url()));
    let body = client.fetch_blob(&target, &digest, 400).await.unwrap();
    assert_eq!((body.size_bytes, body.offset), (Some(1000), 400));
    assert_eq!(read(body).await.unwrap(), blob()[400..]);
    assert_eq!(upstream.requests()[0].header("range"), Some("bytes=400-"));

    upstream.script(&path, Script::new().ignore_range());
    let body = client.fetch_blob(&target, &digest, 400).await.unwrap();
    assert_eq!((body.size_bytes, body.offset), (Some(1000), 0));
    assert_eq!(read(body).await.unwrap(), blob());

    upstream.script(&path, Script::new().chunked().short(100));
    let body = client.fetch_blob(&target, &digest, 400).await.unwrap();
    assert_eq!(kind(&read(body).await), "transport: transfer");

    for (content_range, expected) in [
        ("bytes 0-999/1000", "invalid: another range came than was asked for"),
        ("bytes 400-998/1000", "invalid: another range came than was asked for"),
        ("rubbish", "invalid: the content range cannot be read"),
    ] {
        upstream.script(&path, Script::new().header("content-range", content_range));
        let outcome = client.fetch_blob(&target, &digest, 400).await;
        assert_eq!(kind(&outcome), expected);
    }
    upstream.unscript(&path);
    let outcome = client.fetch_blob(&target, &digest, 1000).await;
    assert_eq!(kind(&outcome), "status 416");
}

#[tokio::test]
async fn what_a_range_promises_is_counted() {
    let (upstream, digest, path) = with_blob().await;
    let (client, target) = (client(settings()), target(&upstream.url()));
    // Without a length, only the range says how much has to come.
    let more = Script::new().until_close().header("content-range", "bytes 400-1999/2000");
    upstream.script(&path, more);
    let body = client.fetch_blob(&target, &digest, 400).await.unwrap();
    assert_eq!(kind(&read(body).await), "transport: transfer");
    let fewer = Script::new().until_close().header("content-range", "bytes 400-499/500");
    upstream.script(&path, fewer);
    let body = client.fetch_blob(&target, &digest, 400).await.unwrap();
    assert_eq!(kind(&read(body).await), "invalid: more bytes came than promised");
}

#[tokio::test]
async fn coded_bytes_are_refused() {
    let (upstream, digest, path) = with_blob().await;
    upstream.script(&path, Script::new().header("content-encoding", "gzip"));
    let outcome = fetch(&client(settings()), &target(&upstream.url()), &digest).await;
    assert_eq!(kind(&outcome), "invalid: content coding gzip was not asked for");
}

#[tokio::test]
async fn a_large_blob_flows() {
    let upstream = ScriptedUpstream::start().await;
    let pattern = Pattern::new(7, 32 << 20);
    let digest = upstream.add_pattern(REPOSITORY, &pattern);
    let gate = Gate::shut();
    let path = blob_path(REPOSITORY, &digest);
    upstream.script(&path, Script::new().stall(16 << 20, &gate));
    let (client, target) = (client(settings()), target(&upstream.url()));
    let mut body = client.fetch_blob(&target, &digest, 0).await.unwrap();
    assert_eq!(body.size_bytes, Some(32 << 20));
    let mut received = 0;
    while let Some(part) = body.bytes.next().await {
        let part = part.unwrap();
        assert!(pattern.matches(received, &part));
        received += part.len() as u64;
        if received == 16 << 20 {
            gate.open();
        }
    }
    assert_eq!(received, 32 << 20);
    assert_eq!(upstream.gets(&path), 1);
}

#[tokio::test]
async fn an_upstream_that_stops_half_way_breaks_the_transfer() {
    let (upstream, digest, path) = with_blob().await;
    let gate = Gate::shut();
    upstream.script(&path, Script::new().stall(500, &gate));
    let (client, target) = (client(settings()), target(&upstream.url()));
    let body = client.fetch_blob(&target, &digest, 0).await.unwrap();
    gate.arrived(1).await;
    upstream.stop().await;
    assert!(matches!(read(body).await, Err(Error::Transport { .. })));
    assert_eq!(kind(&fetch(&client, &target, &digest).await), "transport: connection");
}

#[tokio::test]
async fn a_sample_is_just_that_part_of_a_blob_of_that_size() {
    let (upstream, digest, path) = with_blob().await;
    let (client, target) = (client(settings()), target(&upstream.url()));
    let sample =
        |part: std::ops::Range<u64>, size| client.sample_blob(&target, &digest, part, size);
    let bytes = sample(100..300, 1000).await.unwrap().unwrap();
    assert_eq!(&bytes[..], &blob()[100..300]);
    assert_eq!(upstream.requests()[0].header("range"), Some("bytes=100-299"));
    assert_eq!(&sample(999..1000, 1000).await.unwrap().unwrap()[..], &blob()[999..]);
    // Another size, beyond the end, no ranges, another range, more or less than was said.
    assert_eq!(sample(100..300, 1001).await.unwrap(), None);
    assert_eq!(sample(1000..1100, 2000).await.unwrap(), None);
    let range = |text: &str| Script::status(206).body("xx").header("content-range", text);
    for (script, expected) in [
        (Script::new().ignore_range(), "ok"),
        (range("bytes 101-300/1000"), "ok"),
        (range("bytes 100-299/*"), "ok"),
        (range("bytes 100-299/1000"), "ok"),
        (Script::status(206), "ok"),
        (range("bytes 100-299/1000").body(&"x".repeat(201)), "larger than 200"),
        (Script::status(404), "not found"),
        (Script::status(403), "denied: forbidden"),
        (Script::status(500), "status 500"),
    ] {
        upstream.script(&path, script.clone());
        let outcome = sample(100..300, 1000).await;
        assert_eq!(kind(&outcome), expected, "{script:?}");
        assert!(outcome.is_err() || outcome.unwrap().is_none(), "{script:?}");
    }
}
