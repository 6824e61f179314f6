//! One upstream transfer, however many read it and however they behave.
//!
//! 64 readers of one cold blob of 512 MiB: whole, ranged, slow, and leaving half way, the very
//! first of them among those. The upstream holds back the second half until every reader that
//! stays has what it wants of the first.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clients::{
    Cistern,
    cistern::anonymous_kib,
    raw_http::{Answer, RawHttp},
};
use testkit::{Gate, Pattern, Script, ScriptedUpstream, blob_path};
use tokio::task::{JoinHandle, JoinSet};

const MIB: u64 = 1 << 20;
const SIZE: u64 = 512 * MIB;
const HALF: u64 = SIZE / 2;
/// Bar of DESIGN 6 for anonymous resident memory.
const ANONYMOUS_KIB_MAX: u64 = 64 * 1024;

/// What one reader does.
#[derive(Clone, Debug)]
enum Manner {
    /// Reads everything.
    Whole,
    /// Reads everything, but only a tenth until the blob is committed.
    Dawdling,
    /// Reads a range.
    Ranged(Range<u64>),
    /// Leaves after this many bytes.
    Leaving(u64),
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_readers_cost_one_transfer() {
    let upstream = ScriptedUpstream::start().await;
    let pattern = Pattern::new(3, SIZE);
    let digest = upstream.add_pattern("library/big", &pattern);
    let second_half = Gate::shut();
    let path = blob_path("library/big", &digest);
    upstream.script(&path, Script::new().stall(HALF, &second_half));

    let rule = format!("--rule=hub={}", upstream.url());
    let cistern = tokio::task::spawn_blocking(move || Cistern::start(&[&rule])).await.unwrap();
    let world = Arc::new(World::new(&cistern, &digest.to_string(), pattern));
    let memory = world.watch_memory(cistern.process_id());

    // The first reader starts the fill and is gone before the second half.
    world.read(Manner::Leaving(MIB)).await;
    let mut staying = JoinSet::new();
    let mut leaving = JoinSet::new();
    for manner in manners() {
        let crowd = if matches!(manner, Manner::Leaving(_)) { &mut leaving } else { &mut staying };
        let world = Arc::clone(&world);
        crowd.spawn(async move { world.read(manner).await });
    }
    while let Some(left) = leaving.join_next().await {
        left.expect("a reader that leaves has right bytes until then");
    }
    world.first_half.arrived(staying.len()).await;
    second_half.open();

    // Everybody but the dawdler ends; then the blob is committed; then it goes on.
    let committed =
        cistern.data_directory().join("blobs/sha256").join(&digest.hex()[..2]).join(digest.hex());
    until("the blob is committed", || committed.try_exists().unwrap_or(false)).await;
    world.committed.open();
    while let Some(ended) = staying.join_next().await {
        ended.expect("a reader that stays has every byte right");
    }

    assert_eq!(upstream.gets(&path), 1, "one upstream GET");
    world.over.store(true, Ordering::Relaxed);
    let peak = memory.await.expect("the watch ends");
    assert!(peak < ANONYMOUS_KIB_MAX, "RssAnon rose to {peak} KiB");
    assert!(peak > 0, "RssAnon was read");
}

/// The other 63 readers.
fn manners() -> Vec<Manner> {
    let mut manners = vec![Manner::Dawdling];
    manners.extend(vec![Manner::Whole; 10]);
    // Ranges before, across and behind the middle, at odd offsets, and the very end.
    manners.extend((0..26).map(|n| {
        let start = (n * 19 * MIB + n * 7_919) % (SIZE - 5 * MIB);
        Manner::Ranged(start..start + 3 * MIB + n)
    }));
    manners.push(Manner::Ranged(SIZE - 1..SIZE));
    manners.push(Manner::Ranged(HALF - 1..HALF + 1));
    manners.extend((0..24).map(|n| Manner::Leaving(n * 5 * MIB + 1)));
    manners
}

/// What the readers share.
struct World {
    client: RawHttp,
    path: String,
    pattern: Pattern,
    /// A staying reader arrives when it has its part of the first half. Never opened: it counts.
    first_half: Gate,
    committed: Gate,
    /// Ends the watch.
    over: Arc<AtomicBool>,
}

impl World {
    fn new(cistern: &Cistern, digest: &str, pattern: Pattern) -> Self {
        Self {
            client: RawHttp::of(cistern),
            path: format!("/v2/hub/library/big/blobs/{digest}"),
            pattern,
            first_half: Gate::shut(),
            committed: Gate::shut(),
            over: Arc::default(),
        }
    }

    /// Reads as `manner` says and checks every byte.
    async fn read(&self, manner: Manner) {
        let range = match &manner {
            Manner::Ranged(range) => range.clone(),
            _ => 0..SIZE,
        };
        let mut body = self.get(&manner, &range).await;
        let mut buffer = vec![0; 256 * 1024];
        let mut at = range.start;
        let mut told = false;
        let mut waited = false;
        while at < range.end {
            if !told && at >= HALF.min(range.end).max(range.start) {
                self.tell_first_half();
                told = true;
            }
            match manner {
                Manner::Leaving(bytes) if at >= bytes => return,
                Manner::Dawdling if !waited && at >= SIZE / 10 => {
                    // It has its first half as far as it wants for now.
                    self.tell_first_half();
                    (told, waited) = (true, true);
                    self.committed.pass().await;
                }
                _ => {}
            }
            let max = buffer.len().min(usize::try_from(range.end - at).unwrap_or(usize::MAX));
            let count = body.read(&mut buffer[..max]).await;
            assert!(count > 0, "{manner:?} ended at {at}");
            assert!(self.pattern.matches(at, &buffer[..count]), "{manner:?}: wrong at {at}");
            at += count as u64;
        }
        if !told {
            self.tell_first_half();
        }
    }

    fn tell_first_half(&self) {
        let gate = self.first_half.clone();
        // Passing counts the arrival and then waits for ever: nobody opens this gate.
        tokio::spawn(async move { gate.pass().await });
    }

    /// Sends the request and checks the head of the answer.
    async fn get(&self, manner: &Manner, range: &Range<u64>) -> Answer {
        let (status, header) = match manner {
            Manner::Ranged(range) => {
                (206, format!("Range: bytes={}-{}\r\n", range.start, range.end - 1))
            }
            _ => (200, String::new()),
        };
        let answer = self.client.get(&self.path, &header).await;
        assert_eq!(answer.status, status, "{manner:?}");
        assert_eq!(answer.length(), Some(range.end - range.start), "{manner:?}");
        answer
    }

    /// Samples anonymous resident memory every 50 ms until `over`; returns the peak in
    /// KiB.
    fn watch_memory(&self, process_id: u32) -> JoinHandle<u64> {
        let over = Arc::clone(&self.over);
        tokio::spawn(async move {
            let mut peak = 0;
            let mut tick = tokio::time::interval(Duration::from_millis(50));
            while !over.load(Ordering::Relaxed) {
                tick.tick().await;
                peak = peak.max(anonymous_kib(process_id));
            }
            peak
        })
    }
}

/// Polls a condition of the file system, which tells nobody when it changes.
async fn until(what: &str, condition: impl Fn() -> bool) {
    let poll = async {
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        while !condition() {
            tick.tick().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), poll).await.unwrap_or_else(|_| panic!("{what}"));
}
