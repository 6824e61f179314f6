//! Fills whose upstream breaks off: they go on where they were, and readers notice nothing.

use std::time::Duration;

use bytes::Bytes;
use oci::Digest;
use registry::{Counter, FillError, ReadError};
use testkit::{Gate, Pattern, Script, ScriptedUpstream, blob_path};
use upstream::Error;

use crate::world::{Setup, World, read_to_end, until};

const SIZE: u64 = 1_100_000;

/// A blob of the upstream whose first answer breaks off half way, once the gate is open.
fn broken_once(world: &World) -> (Pattern, Digest, String, Gate) {
    let pattern = Pattern::new(7, SIZE);
    let digest = world.upstream.add_pattern("app", &pattern);
    let (path, gate) = (blob_path("app", &digest), Gate::shut());
    world.upstream.script(&path, Script::new().stall(10, &gate).short(SIZE / 2));
    (pattern, digest, path, gate)
}

/// Opens the blob, scripts what comes after the break, and reads to the end.
async fn read_over(
    world: &World,
    digest: &Digest,
    (path, gate): (&str, &Gate),
    next: Script,
) -> Result<Bytes, ReadError> {
    let open = world.open_blob("hub/app", digest).await.unwrap();
    world.upstream.script(path, next);
    gate.open();
    read_to_end(&mut open.read(None)).await
}

#[tokio::test]
async fn a_fill_outlives_ten_breaks_and_fetches_nothing_twice() {
    let world = World::with_hub().await;
    let pattern = Pattern::new(1, SIZE);
    let digest = world.upstream.add_pattern("app", &pattern);
    let path = blob_path("app", &digest);
    world.upstream.script(&path, Script::new().short(SIZE / 11).times(10));

    let bytes = world.blob("hub/app", &digest).await.unwrap();
    assert!(bytes.len() as u64 == SIZE && pattern.matches(0, &bytes));
    world.fills_ended(1).await;
    assert!(world.holds("hub/app", &digest).await);
    let counters = world.registry.counters();
    assert_eq!(counters.get(Counter::FillsResumed), 10);
    assert_eq!(counters.get(Counter::FillBytes), SIZE);
    assert_eq!(world.upstream.gets(&path), 11);
}

#[tokio::test]
async fn an_upstream_without_ranges_sends_everything_again() {
    let world = World::with_hub().await;
    let (pattern, digest, path, gate) = broken_once(&world);
    let next = Script::new().ignore_range();
    let bytes = read_over(&world, &digest, (&path, &gate), next).await.unwrap();
    assert!(bytes.len() as u64 == SIZE && pattern.matches(0, &bytes));
}

/// A redirect's signature expires: the registry is asked again, not the storage behind it.
#[tokio::test]
async fn a_redirect_is_followed_anew() {
    let world = World::with_hub().await;
    let (pattern, gate) = (Pattern::new(2, 90_000), Gate::shut());
    let digest = world.upstream.add_pattern("app", &pattern);
    let path = blob_path("app", &digest);
    let mut content = Vec::new();
    while content.len() < 90_000 {
        content.extend_from_slice(&pattern.read(content.len() as u64, 90_000));
    }
    for name in ["/storage/1", "/storage/2"] {
        world.upstream.add_file(name, content.clone());
    }
    world.upstream.script("/storage/1", Script::new().stall(10, &gate).short(40_000));
    world.upstream.script(&path, Script::redirect(307, "/storage/1"));
    let open = world.open_blob("hub/app", &digest).await.unwrap();
    world.upstream.script("/storage/1", Script::error(403, "EXPIRED", "signature expired"));
    world.upstream.script(&path, Script::redirect(307, "/storage/2"));
    gate.open();
    let bytes = read_to_end(&mut open.read(None)).await.unwrap();
    assert!(bytes.len() == 90_000 && pattern.matches(0, &bytes));
}

/// The first endpoint breaks and answers no more: the second has the same bytes.
#[tokio::test]
async fn a_fill_goes_on_at_the_next_endpoint() {
    let [first, second] = [ScriptedUpstream::start().await, ScriptedUpstream::start().await];
    let pattern = Pattern::new(7, SIZE);
    let [digest, _] = [&first, &second].map(|upstream| upstream.add_pattern("app", &pattern));
    let path = blob_path("app", &digest);
    first.script(&path, Script::new().short(SIZE / 2).times(1));
    let urls = [first.url(), second.url()].map(|url| url.parse().unwrap());
    let mut setup = Setup::new();
    setup.client.endpoints.insert("registry.test".to_owned(), urls.to_vec());
    let world = setup.world_on(first).await;
    world.rule("hub", |rule| rule.upstream_registry_url = "registry.test".to_owned()).await;

    let bytes = world.blob("hub/app", &digest).await.unwrap();
    assert!(bytes.len() as u64 == SIZE && pattern.matches(0, &bytes));
    assert_eq!((world.upstream.gets(&path), second.gets(&path)), (1, 1));
    assert_eq!(second.requests()[0].header("range"), Some(&*format!("bytes={}-", SIZE / 2)));
    assert_eq!(world.registry.counters().get(Counter::FillBytes), SIZE);
}

#[tokio::test]
async fn an_upstream_that_brings_nothing_more_is_given_up() {
    let world = World::with_hub().await;
    let (_, digest, path, gate) = broken_once(&world);
    let end = read_over(&world, &digest, (&path, &gate), Script::hang_up()).await;
    assert!(matches!(end, Err(ReadError::Fill(_))), "{end:?}");
    world.fills_ended(1).await;
    assert!(world.blobs.open(&digest).await.is_err());
}

#[tokio::test]
async fn a_fill_is_not_resumed_more_often_than_allowed() {
    let mut setup = Setup::new();
    setup.settings.fill_resumes_max = 2;
    let world = setup.world().await.and_hub().await;
    let digest = world.upstream.add_pattern("app", &Pattern::new(1, SIZE));
    let path = blob_path("app", &digest);
    world.upstream.script(&path, Script::new().short(SIZE / 10));
    assert!(world.blob("hub/app", &digest).await.is_err());
    assert_eq!(world.upstream.gets(&path), 3);
}

/// Other content under the same digest does not fit to what is here.
#[tokio::test]
async fn a_blob_that_changed_its_size_is_given_up_at_once() {
    let world = World::with_hub().await;
    let (_, digest, path, gate) = broken_once(&world);
    let next = Script::new().body(&"x".repeat(SIZE as usize + 1));
    let end = read_over(&world, &digest, (&path, &gate), next).await;
    let Err(ReadError::Fill(error)) = end else { panic!("{end:?}") };
    let FillError::Upstream(error) = &*error else { panic!("{error:?}") };
    assert!(matches!(**error, Error::Invalid { .. }), "{error}");
    assert_eq!(world.upstream.gets(&path), 2);
}

/// Reads over a break after which the upstream first wants to be left alone; the clock of budgets
/// goes on while it is.
async fn read_over_a_refusal(world: &World, refusal: Script) -> Result<Bytes, ReadError> {
    let (pattern, digest, path, gate) = broken_once(world);
    let reading = read_over(world, &digest, (&path, &gate), refusal);
    let time = async {
        world.upstream.got(&path, 2).await;
        until("the refusal is heard", || async {
            world.registry.counters().get(Counter::FillsResumed) >= 2
                || world.registry.counters().get(Counter::FillsFailed) > 0
        })
        .await;
        world.upstream.unscript(&path);
        world.clock.advance(1_000);
    };
    let (bytes, ()) = tokio::join!(reading, time);
    let bytes = bytes?;
    assert!(bytes.len() as u64 == SIZE && pattern.matches(0, &bytes));
    assert_eq!(world.registry.counters().get(Counter::FillBytes), SIZE);
    Ok(bytes)
}

#[tokio::test]
async fn a_fill_goes_on_when_its_upstream_wants_it_to() {
    let began = std::time::Instant::now();
    for refusal in [
        Script::status(429).retry_after("1"),
        Script::status(429),
        Script::status(503).retry_after("1"),
    ] {
        let world = World::with_hub().await;
        read_over_a_refusal(&world, refusal).await.unwrap();
        world.fills_ended(1).await;
    }
    assert!(began.elapsed() >= Duration::from_secs(3), "each waits for a second");
}

/// Readers are not left standing for longer than for an upstream that falls silent.
#[tokio::test]
async fn a_fill_whose_upstream_wants_too_long_a_pause_is_given_up_at_once() {
    for (refusal, pause_max) in [
        (Script::status(429).retry_after("31"), 30),
        (Script::status(503).retry_after("99999999999"), 30),
        (Script::status(429), 0),
    ] {
        let mut setup = Setup::new();
        setup.settings.fill_pause_max = Duration::from_secs(pause_max);
        let world = setup.world().await.and_hub().await;
        let end = read_over_a_refusal(&world, refusal.clone()).await;
        let Err(ReadError::Fill(error)) = end else { panic!("{refusal:?}: {end:?}") };
        assert!(matches!(&*error, FillError::Upstream(_)), "{error:?}");
    }
}
