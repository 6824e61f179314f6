//! A large blob over an upstream that breaks again and again: the reader notices nothing, and next to
//! nothing is fetched twice.

use clients::{Cistern, cistern::anonymous_kib, raw_http::RawHttp};
use testkit::{Pattern, Script, ScriptedUpstream, blob_path};

const SIZE: u64 = 1 << 30;
const BREAKS: u64 = 10;
const ANONYMOUS_KIB_MAX: u64 = 64 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_gibibyte_outlives_ten_breaks() {
    let upstream = ScriptedUpstream::start().await;
    let pattern = Pattern::new(11, SIZE);
    let digest = upstream.add_pattern("team/app", &pattern);
    let path = blob_path("team/app", &digest);
    // Each answer is cut off anew, in the middle of a page: what it was asked for matters.
    let broken = SIZE / (BREAKS + 1) + 12_345;
    let times = usize::try_from(BREAKS).expect("a few");
    upstream.script(&path, Script::new().short(broken).times(times));
    let rule = format!("--rule=up={}", upstream.url());
    let start = move || Cistern::start(&[&rule]);
    let cistern = tokio::task::spawn_blocking(start).await.expect("it starts");
    let client = RawHttp::of(&cistern);

    let mut answer = client.get(&blob_path("up/team/app", &digest), "").await;
    assert_eq!((answer.status, answer.length()), (200, Some(SIZE)));
    let (mut buffer, mut at, mut peak_kib) = (vec![0; 1 << 20], 0, 0);
    let mut look_at = 0;
    while at < SIZE {
        let count = answer.read(&mut buffer).await;
        assert!(count > 0, "it broke off at {at}\n{}", cistern.log());
        assert!(pattern.matches(at, &buffer[..count]), "a wrong byte from {at} on");
        at += count as u64;
        if at >= look_at {
            peak_kib = peak_kib.max(anonymous_kib(cistern.process_id()));
            look_at += 32 << 20;
        }
    }
    assert!((1..ANONYMOUS_KIB_MAX).contains(&peak_kib), "RssAnon rose to {peak_kib} KiB");

    let asked: Vec<_> =
        upstream.requests().iter().map(|seen| seen.header("range").map(str::to_owned)).collect();
    let begun = |part: u64| (part > 0).then(|| format!("bytes={}-", part * broken));
    assert_eq!(asked, (0..=BREAKS).map(begun).collect::<Vec<_>>(), "nothing was asked for twice");
    let (metrics, _) = client.get("/metrics", "").await.rest().await;
    let metrics = String::from_utf8(metrics).expect("text");
    let count = |name: &str| -> u64 {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        line.trim().parse().expect(name)
    };
    assert_eq!(count("cistern_fills_resumed_total"), BREAKS);
    let received = count("cistern_fill_bytes_total");
    assert!((SIZE..=SIZE + SIZE / 100).contains(&received), "{received} bytes were fetched");
}
