//! What it costs a real registry to confirm a tag.

use clients::{
    Cistern, HeadlessProxy, Image, Skopeo, UpstreamRegistry, or_skip, program::write,
    upstream_registry::Request,
};
use tempfile::TempDir;

/// A cache of an upstream, none of whose tags stays fresh.
fn cache_of(upstream_url: &str) -> (Cistern, TempDir) {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("cistern.toml");
    write(&path, "[limits]\nfresh-for = \"0s\"\n");
    let config = format!("--config={}", path.display());
    let rule = format!("--rule=up={upstream_url}");
    (Cistern::start(&[&config, &rule, "--anonymous-pull"]), directory)
}

/// How a registry was asked for a tag, and what it answered.
fn asked(upstream: &UpstreamRegistry) -> Vec<(String, u16)> {
    let requests = upstream.requests().into_iter();
    let of_tag = requests.filter(|request: &Request| request.path.ends_with("/manifests/v1"));
    of_tag.map(|request| (request.method, request.status)).collect()
}

#[test]
fn a_tag_is_confirmed_by_a_head_and_where_none_is_taken_by_a_304() {
    let image = Image::multi_arch();
    let skopeo = or_skip!(Skopeo::new());
    for takes_head in [true, false] {
        let mut upstream = or_skip!(UpstreamRegistry::open());
        upstream.push(&image, "team/app", "v1");
        let proxy = HeadlessProxy::start(&upstream.host());
        let url = if takes_head { upstream.url() } else { proxy.url() };
        let (cistern, _directory) = cache_of(&url);
        let reference = format!("{}/up/team/app:v1", cistern.host());
        let mut manifests = Vec::new();
        for _ in 0..3 {
            manifests.push(skopeo.raw_manifest(&reference).success());
        }
        assert!(manifests.iter().all(|manifest| *manifest == manifests[0]));
        let moved = Image::one_layer(1 << 10);
        upstream.stop();
        let log = asked(&upstream);
        let seen: Vec<_> = log.iter().map(|(method, status)| (method.as_str(), *status)).collect();
        let confirmed = if takes_head { ("HEAD", 200) } else { ("GET", 304) };
        assert_eq!(seen, [("GET", 200), confirmed, confirmed], "takes HEAD: {takes_head}");

        upstream.start();
        upstream.push(&moved, "team/app", "v1");
        let manifest = skopeo.raw_manifest(&reference).success();
        assert_ne!(manifest, manifests[0], "takes HEAD: {takes_head}");
    }
}
