//! Upstreams that lie or break: no reader of a whole blob ever sees a clean end of wrong or short
//! bytes, nothing of it is kept, and the next pull works.

use clients::{
    Cistern,
    raw_http::{Ending, RawHttp},
};
use oci::Digest;
use testkit::{Pattern, Script, ScriptedUpstream, blob_path, manifest_path};

const SIZE: u64 = 3 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_is_a_transport_error_and_leaves_nothing() {
    let upstream = ScriptedUpstream::start().await;
    let cistern = start(&upstream).await;
    let client = RawHttp::of(&cistern);
    let lies = [
        ("one wrong byte", Script::new().wrong_byte(SIZE / 2)),
        ("the last byte wrong", Script::new().wrong_byte(SIZE - 1)),
        ("a short body", Script::new().short(SIZE - 1)),
        ("a reset half way", Script::new().reset(SIZE / 2)),
        ("no length, one wrong byte", Script::new().chunked().wrong_byte(7)),
        ("no length, short", Script::new().chunked().short(SIZE / 3)),
        ("no length, ends with the connection, short", Script::new().until_close().short(SIZE - 1)),
        ("no length, ends with the connection, wrong", Script::new().until_close().wrong_byte(0)),
    ];
    for (seed, (lie, script)) in lies.into_iter().enumerate() {
        let pattern = Pattern::new(seed as u64, SIZE);
        let digest = upstream.add_pattern("team/app", &pattern);
        let path = blob_path("team/app", &digest);
        // However often it is asked again, and for whatever part.
        upstream.script(&path, script.ignore_range());

        let mut readers = Vec::new();
        for _ in 0..3 {
            let (client, path) = (client.clone(), path_here(&digest));
            readers.push(tokio::spawn(async move { client.get(&path, "").await.rest().await }));
        }
        for reader in readers {
            let (body, ending) = reader.await.expect("a reader ends");
            assert_eq!(ending, Ending::Broken, "{lie}: a clean end after {} bytes", body.len());
            assert!((body.len() as u64) < SIZE, "{lie}: the last byte was handed out");
        }
        assert!(!committed(&cistern, &digest), "{lie}: it was committed");

        upstream.unscript(&path);
        let (body, ending) = client.get(&path_here(&digest), "").await.rest().await;
        assert_eq!(ending, Ending::Clean, "the pull after {lie}");
        assert!(pattern.matches(0, &body) && body.len() as u64 == SIZE, "the pull after {lie}");
    }
    // The last honest pull ends for its reader before it is durable.
    let staging = cistern.data_directory().join("blobs/staging");
    clients::wait::until("staging to be empty", || {
        (std::fs::read_dir(&staging).expect("it exists").count() == 0).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_left_out_by_an_honest_upstream_is_no_lie() {
    let upstream = ScriptedUpstream::start().await;
    let cistern = start(&upstream).await;
    let client = RawHttp::of(&cistern);
    for (seed, script) in [Script::new().chunked(), Script::new().until_close()].iter().enumerate()
    {
        let pattern = Pattern::new(100 + seed as u64, SIZE);
        let digest = upstream.add_pattern("team/app", &pattern);
        upstream.script(&blob_path("team/app", &digest), script.clone());
        let answer = client.get(&path_here(&digest), "").await;
        assert_eq!((answer.status, answer.length()), (200, None));
        let (body, ending) = answer.rest().await;
        assert_eq!(ending, Ending::Clean);
        assert!(pattern.matches(0, &body) && body.len() as u64 == SIZE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_served_byte_for_byte() {
    let upstream = ScriptedUpstream::start().await;
    let cistern = start(&upstream).await;
    let client = RawHttp::of(&cistern);
    let platform = |n: u32| {
        let digest = Digest::of(&n.to_be_bytes());
        format!(
            r#"{{"mediaType":"{}","digest":"{digest}","size":{n},"platform":{{"os":"linux"}}}}"#,
            oci::media_type::OCI_MANIFEST
        )
    };
    // White space, order and unknown members are part of what a digest covers.
    let index = format!(
        "{{\n  \"x\": 1, \"schemaVersion\": 2,\n \"manifests\": [{}]\n}}\n",
        (0..40).map(platform).collect::<Vec<_>>().join(" ,")
    );
    let digest =
        upstream.add_manifest("team/app", Some("all"), oci::media_type::OCI_INDEX, index.clone());
    for reference in ["all", digest.as_str()] {
        let path = manifest_path("up/team/app", reference);
        for _ in ["cold", "warm"] {
            let answer = client.get(&path, "").await;
            assert_eq!(answer.header("content-type"), Some(oci::media_type::OCI_INDEX));
            assert_eq!(answer.header("docker-content-digest"), Some(digest.as_str()));
            assert_eq!(answer.rest().await, (index.clone().into_bytes(), Ending::Clean));
        }
    }
}

/// A blob whose file is cut off while it is served: that connection is aborted, the process lives,
/// and the next pull brings it again.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_cut_off_under_a_reader_costs_one_connection() {
    const BIG: u64 = 64 << 20;
    let upstream = ScriptedUpstream::start().await;
    let cistern = start(&upstream).await;
    let client = RawHttp::of(&cistern);
    let pattern = Pattern::new(7, BIG);
    let digest = upstream.add_pattern("team/app", &pattern);
    let path = path_here(&digest);
    assert_eq!(client.get(&path, "").await.rest().await.1, Ending::Clean);

    let file = file_of(&cistern, &digest);
    clients::wait::until("the commit", || file.try_exists().unwrap_or(false).then_some(()));
    let mut answer = client.get(&path, "").await;
    let mut buffer = [0; 4096];
    let mut at = answer.read(&mut buffer).await as u64;
    assert!(at > 0 && pattern.matches(0, &buffer[..usize::try_from(at).unwrap()]));
    let open = std::fs::OpenOptions::new().write(true).open(&file).expect("the file is there");
    open.set_len(BIG / 2).expect("it can be cut off");
    loop {
        let count = answer.read(&mut buffer).await;
        if count == 0 {
            break;
        }
        assert!(pattern.matches(at, &buffer[..count]), "wrong byte at {at}");
        at += count as u64;
    }
    assert!(at < BIG, "a clean end over a file of half the size");

    let (body, ending) = client.get(&path, "").await.rest().await;
    assert_eq!((body.len() as u64, ending), (BIG, Ending::Clean), "it is fetched again");
    assert!(pattern.matches(0, &body));
    assert_eq!(upstream.gets(&blob_path("team/app", &digest)), 2);
}

async fn start(upstream: &ScriptedUpstream) -> Cistern {
    let rule = format!("--rule=up={}", upstream.url());
    tokio::task::spawn_blocking(move || Cistern::start(&[&rule])).await.expect("it starts")
}

fn path_here(digest: &Digest) -> String {
    blob_path("up/team/app", digest)
}

fn file_of(cistern: &Cistern, digest: &Digest) -> std::path::PathBuf {
    let hex = digest.hex();
    cistern.data_directory().join("blobs/sha256").join(&hex[..2]).join(hex)
}

fn committed(cistern: &Cistern, digest: &Digest) -> bool {
    file_of(cistern, digest).try_exists().expect("it can be looked at")
}
