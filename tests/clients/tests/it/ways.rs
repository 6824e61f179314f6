//! Ways to an upstream: a private authority, a client certificate, a proxy, plain http, and more than
//! one endpoint, each with real programs at both ends.

use std::net::{IpAddr, UdpSocket};

use clients::{
    CertificateAuthority, Cistern, Image, Missing, Skopeo, Tinyproxy, UpstreamRegistry, or_skip,
    program::write,
};
use tempfile::TempDir;

const REPOSITORY: &str = "team/app";

/// An upstream that has an image.
fn upstream(image: &Image) -> Result<UpstreamRegistry, Missing> {
    let mut upstream = UpstreamRegistry::open()?;
    upstream.push(image, REPOSITORY, "v1");
    Ok(upstream)
}

/// A cache with a rule `up` for an upstream, and this `cistern.toml`.
#[track_caller]
fn cache(upstream_url: &str, file: &str) -> (Cistern, TempDir) {
    let directory = TempDir::new().expect("a temporary directory");
    let path = directory.path().join("cistern.toml");
    write(&path, file);
    let config = format!("--config={}", path.display());
    let rule = format!("--rule=up={upstream_url}");
    (Cistern::start(&[&config, &rule, "--anonymous-pull"]), directory)
}

#[track_caller]
fn pulls(cistern: &Cistern, skopeo: &Skopeo, image: &Image) {
    skopeo.pull_all(&reference(cistern)).assert_whole(image);
}

/// Pulls in vain, and returns why, by the log.
#[track_caller]
fn fails(cistern: &Cistern, skopeo: &Skopeo) -> String {
    let said = skopeo.copy(&reference(cistern), &["--all"]).expect_err("there is no way").failure();
    assert!(said.contains("502"), "the client is told that the upstream failed: {said}");
    cistern.log()
}

fn reference(cistern: &Cistern) -> String {
    format!("{}/up/{REPOSITORY}:v1", cistern.host())
}

fn table(upstream: &UpstreamRegistry, rest: &str) -> String {
    format!("[[upstream.host]]\nhost = '{}'\n{rest}\n", upstream.host())
}

#[test]
fn a_private_authority_is_trusted_for_the_host_it_is_set_for() {
    let image = Image::multi_arch();
    let mut upstream = or_skip!(upstream(&image));
    let skopeo = or_skip!(Skopeo::new());
    let authority = CertificateAuthority::new();
    upstream.speak_tls(&authority, false);

    let (stranger, _files) = cache(&upstream.url(), "");
    let said = fails(&stranger, &skopeo);
    assert!(said.contains("cannot be reached: tls failed"), "{said}");

    let root = format!("ca-file = '{}'", authority.root().display());
    let (friend, _files) = cache(&upstream.url(), &table(&upstream, &root));
    pulls(&friend, &skopeo, &image);
    let everywhere = format!("[upstream]\n{root}\n");
    let (friend, _files) = cache(&upstream.url(), &everywhere);
    pulls(&friend, &skopeo, &image);
}

#[test]
fn an_upstream_that_asks_for_a_client_certificate_gets_it() {
    let image = Image::multi_arch();
    let mut upstream = or_skip!(upstream(&image));
    let skopeo = or_skip!(Skopeo::new());
    let authority = CertificateAuthority::new();
    upstream.speak_tls(&authority, true);
    let root = format!("ca-file = '{}'", authority.root().display());

    let (nobody, _files) = cache(&upstream.url(), &table(&upstream, &root));
    let said = fails(&nobody, &skopeo);
    assert!(said.contains("cannot be reached"), "{said}");
    // Of an authority that the upstream does not know.
    for (signer, is_known) in [(CertificateAuthority::new(), false), (authority, true)] {
        let client = signer.client();
        let (certificate, key) = (client.certificate.display(), client.key.display());
        let identity = format!("{root}\nclient-cert = '{certificate}'\nclient-key = '{key}'");
        let (cistern, _files) = cache(&upstream.url(), &table(&upstream, &identity));
        if is_known {
            pulls(&cistern, &skopeo, &image);
        } else {
            let said = fails(&cistern, &skopeo);
            assert!(said.contains("cannot be reached"), "{said}");
        }
    }
}

/// The address by which this machine would leave, which is no loopback address.
fn own_address() -> Result<IpAddr, Missing> {
    let missing = || Missing::new("a network address beside loopback", "a network interface");
    let socket = UdpSocket::bind("0.0.0.0:0").map_err(|_| missing())?;
    // Sends nothing: it only looks the route up.
    socket.connect("198.51.100.1:9").map_err(|_| missing())?;
    let address = socket.local_addr().map_err(|_| missing())?.ip();
    if address.is_loopback() { Err(missing()) } else { Ok(address) }
}

#[test]
fn an_upstream_is_reached_through_a_proxy() {
    let image = Image::multi_arch();
    let mut upstream = or_skip!(upstream(&image));
    let skopeo = or_skip!(Skopeo::new());
    let proxy = or_skip!(Tinyproxy::start());
    // Loopback is never reached through a proxy.
    upstream.listen_at(or_skip!(own_address()));

    let (host, plain) = (upstream.host(), upstream.url());
    let through = |url: &str| format!("[upstream]\nproxy = '{url}'\nplain-http = ['{host}']\n");
    let (cistern, _files) = cache(&plain, &through(&proxy.url()));
    pulls(&cistern, &skopeo, &image);
    assert!(proxy.asked(&format!("GET http://{host}/v2/")) > 0, "plain http is asked by URL");

    let authority = CertificateAuthority::new();
    upstream.speak_tls(&authority, false);
    let root = table(&upstream, &format!("ca-file = '{}'", authority.root().display()));
    let (cistern, _files) = cache(&upstream.url(), &(through(&proxy.url()) + &root));
    pulls(&cistern, &skopeo, &image);
    let tunnels = proxy.asked(&format!("CONNECT {host}"));
    assert!(tunnels > 0, "https goes through a tunnel");
    // What is set for the host wins; the proxy sees nothing of it.
    let direct = through(&proxy.url()) + &root + "proxy = 'none'\n";
    let (cistern, _files) = cache(&upstream.url(), &direct);
    pulls(&cistern, &skopeo, &image);
    let but_there =
        through(&proxy.url()).replace("plain-http", "no-proxy").replace(&host, "0.0.0.0/0");
    let (cistern, _files) = cache(&upstream.url(), &(but_there + &root));
    pulls(&cistern, &skopeo, &image);
    assert_eq!(proxy.asked(&format!("CONNECT {host}")), tunnels);

    // A proxy that refuses is no answer of the upstream, and its password is not logged.
    let (cistern, _files) = cache(&upstream.url(), &(through(&proxy.url_of_nobody()) + &root));
    let said = fails(&cistern, &skopeo);
    assert!(said.contains("cannot be reached"), "{said}");
    let said = cistern.log();
    assert!(!said.contains(clients::tinyproxy::PASSWORD), "{said}");
}

#[test]
fn the_next_endpoint_is_asked_when_one_is_gone() {
    let image = Image::multi_arch();
    let (mut first, second) = (or_skip!(upstream(&image)), or_skip!(upstream(&image)));
    let skopeo = or_skip!(Skopeo::new());
    let flags = [&first, &second]
        .map(|upstream| format!("--upstream-endpoint=registry.test={}", upstream.url()));
    let cistern =
        Cistern::start(&[&flags[0], &flags[1], "--rule=up=registry.test", "--anonymous-pull"]);
    first.stop();
    pulls(&cistern, &skopeo, &image);
    assert!(second.manifest_gets("v1") > 0);
    assert!(image.blobs.iter().all(|digest| second.blob_gets(digest) <= 1), "one transfer each");
}
