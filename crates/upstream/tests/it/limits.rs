//! How many transfers one upstream sees, and how long others wait.

use testkit::{Gate, Script};
use upstream::Upstream as _;

use crate::world::{
    MANIFEST, REPOSITORY, blob, client, fetch, impatient, kind, read, settings, tag, target,
    with_blob,
};

#[tokio::test]
async fn a_transfer_holds_its_permit_until_it_is_dropped() {
    let (upstream, digest, path) = with_blob().await;
    upstream.add_manifest(REPOSITORY, Some("3.20"), oci::media_type::OCI_MANIFEST, MANIFEST);
    let mut settings = impatient(|timeouts, short| timeouts.queue = short);
    settings.limits.transfers_max = 1;
    let (client, target) = (client(settings), target(&upstream.url()));
    let held = client.fetch_blob(&target, &digest, 0).await.unwrap();
    assert_eq!(kind(&fetch(&client, &target, &digest).await), "timeout: Queue");
    assert_eq!(upstream.gets(&path), 1);
    // A question does not queue behind transfers, and another upstream has its own.
    client.fetch_manifest(&target, &tag("3.20")).await.unwrap();
    let (other, _, _) = with_blob().await;
    fetch(&client, &crate::world::target(&other.url()), &digest).await.unwrap();
    drop(held);
    assert_eq!(fetch(&client, &target, &digest).await.unwrap(), blob());
}

#[tokio::test]
async fn who_waits_for_a_permit_gets_it() {
    let (upstream, digest, path) = with_blob().await;
    let gate = Gate::shut();
    upstream.script(&path, Script::new().stall(500, &gate).times(1));
    let mut settings = settings();
    settings.limits.transfers_max = 1;
    let (client, target) = (client(settings), target(&upstream.url()));
    let first = client.fetch_blob(&target, &digest, 0).await.unwrap();
    let second = fetch(&client, &target, &digest);
    let (first, second, ()) = tokio::join!(read(first), second, async {
        gate.arrived(1).await;
        gate.open();
    });
    assert_eq!((first.unwrap(), second.unwrap()), (blob(), blob()));
}

#[tokio::test]
async fn a_refused_transfer_gives_its_permit_back() {
    let (upstream, digest, path) = with_blob().await;
    let mut settings = impatient(|timeouts, short| timeouts.queue = short);
    settings.limits.transfers_max = 1;
    let (client, target) = (client(settings), target(&upstream.url()));
    upstream.script(&path, Script::status(500).times(3));
    for _ in 0..3 {
        assert_eq!(kind(&fetch(&client, &target, &digest).await), "status 500");
    }
    fetch(&client, &target, &digest).await.unwrap();
}
