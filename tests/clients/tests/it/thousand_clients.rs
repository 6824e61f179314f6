//! A thousand clients at once on one cold blob: each gets every byte, from one upstream transfer,
//! in the memory of a few.

use std::sync::Arc;

use clients::{Cistern, cistern::anonymous_kib, raw_http::RawHttp};
use testkit::{Gate, Pattern, Script, ScriptedUpstream, blob_path};
use tokio::task::JoinSet;

const CLIENTS: usize = 1000;
const SIZE: u64 = 1 << 20;
const HALF: u64 = SIZE / 2;
/// Bar of DESIGN 6 for anonymous resident memory.
const ANONYMOUS_KIB_MAX: u64 = 64 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_clients_are_served_by_one_transfer() {
    let upstream = ScriptedUpstream::start().await;
    let pattern = Pattern::new(9, SIZE);
    let digest = upstream.add_pattern("library/app", &pattern);
    let second_half = Gate::shut();
    let upstream_path = blob_path("library/app", &digest);
    upstream.script(&upstream_path, Script::new().stall(HALF, &second_half));
    let rule = format!("--rule=hub={}", upstream.url());
    let cistern = tokio::task::spawn_blocking(move || Cistern::start(&[&rule])).await.unwrap();
    let client = Arc::new(RawHttp::of(&cistern));
    let path = format!("/v2/hub/library/app/blobs/{digest}");

    let half_way = Gate::shut();
    let mut readers = JoinSet::new();
    for _ in 0..CLIENTS {
        let (client, path) = (Arc::clone(&client), path.clone());
        let (pattern, half_way) = (pattern.clone(), half_way.clone());
        readers.spawn(async move {
            let mut answer = client.get(&path, "").await;
            assert_eq!((answer.status, answer.length()), (200, Some(SIZE)));
            let mut buffer = vec![0; 16 * 1024];
            let mut at = 0;
            while at < SIZE {
                let before = at;
                let count = answer.read(&mut buffer).await;
                assert!(count > 0, "the body ended at {at}");
                assert!(pattern.matches(at, &buffer[..count]), "wrong bytes at {at}");
                at += count as u64;
                // The last byte that the first half lets through.
                if before < HALF - 1 && at >= HALF - 1 {
                    half_way.pass().await;
                }
            }
        });
    }
    // All of them hold the first half, and no more has come.
    half_way.arrived(CLIENTS).await;
    let memory_kib = anonymous_kib(cistern.process_id());
    half_way.open();
    second_half.open();
    while let Some(ended) = readers.join_next().await {
        ended.expect("every reader has every byte right");
    }
    assert_eq!(upstream.gets(&upstream_path), 1, "one upstream GET");
    assert!((1..ANONYMOUS_KIB_MAX).contains(&memory_kib), "RssAnon was {memory_kib} KiB");
}
