//! What changes where a proxy stands between.

use testkit::{Script, ScriptedUpstream};
use upstream::{HostSettings, Proxy, Settings, Upstream as _};
use url::Url;

use crate::world::{MANIFEST, REPOSITORY, client, kind, settings, tag, target, with_manifest};

/// A scripted upstream is asked as a proxy is: by absolute URL, for any host.
async fn through_proxy() -> (ScriptedUpstream, Settings, String) {
    let (proxy, _, path) = with_manifest().await;
    let url = Url::parse(&proxy.url()).unwrap();
    let plain_http_hosts = vec!["registry.test".to_owned()];
    (proxy, Settings { proxy: Proxy::At(url), plain_http_hosts, ..settings() }, path)
}

#[tokio::test]
async fn an_upstream_is_reached_through_its_proxy() {
    let (proxy, settings, path) = through_proxy().await;
    let client = client(settings);
    let manifest = client.fetch_manifest(&target("http://registry.test"), &tag("3.20")).await;
    assert_eq!(manifest.unwrap().bytes, MANIFEST);
    assert_eq!(proxy.gets(&path), 1);
    assert_eq!(proxy.requests()[0].header("host"), Some("registry.test"));
}

#[tokio::test]
async fn loopback_is_not_reached_through_a_proxy() {
    let (proxy, settings, path) = through_proxy().await;
    let upstream = ScriptedUpstream::start().await;
    upstream.add_manifest(REPOSITORY, Some("3.20"), oci::media_type::OCI_MANIFEST, "{}");
    let client = client(settings);
    for url in [upstream.url(), upstream.url_at("localhost")] {
        client.stat_manifest(&target(&url), &tag("3.20")).await.unwrap();
    }
    assert_eq!((upstream.heads(&path), proxy.heads(&path)), (2, 0));
}

#[tokio::test]
async fn a_proxy_does_not_lend_its_own_place_in_the_network() {
    let (proxy, settings, path) = through_proxy().await;
    let client = client(settings);
    // The proxy is on loopback; what it reaches counts as the internet.
    for (location, expected) in [
        ("http://127.0.0.1/x", "refused: 127.0.0.1"),
        ("http://localhost/x", "refused: localhost"),
        ("http://10.0.0.1/x", "refused: 10.0.0.1"),
        ("http://169.254.169.254/x", "refused: 169.254.169.254"),
        ("http://[fd00:ec2::254]/x", "refused: [fd00:ec2::254]"),
        ("http://cdn.test/x", "not found"),
    ] {
        proxy.script(&path, Script::redirect(302, location));
        let outcome = client.fetch_manifest(&target("http://registry.test"), &tag("3.20")).await;
        assert_eq!(kind(&outcome), expected, "{location}");
    }
}

#[tokio::test]
async fn a_host_may_have_a_proxy_of_its_own_or_none() {
    let (proxy, settings, path) = through_proxy().await;
    let (other, _, _) = with_manifest().await;
    let plain_http_hosts = ["a.test", "b.test", "c.test", "d.lan"].map(String::from).to_vec();
    let of = |host: &str, proxy| HostSettings {
        host: host.to_owned(),
        proxy: Some(proxy),
        ..HostSettings::default()
    };
    let own = Url::parse(&other.url()).unwrap();
    let hosts = vec![of("b.test", Proxy::At(own)), of("c.test", Proxy::None)];
    let no_proxy = vec!["lan".to_owned()];
    let client = client(Settings { plain_http_hosts, hosts, no_proxy, ..settings });
    for (host, expected, by_proxy, by_other) in [
        ("a.test", "ok", 1, 0),
        ("b.test", "ok", 0, 1),
        ("c.test", "transport: name resolution", 0, 0),
        ("d.lan", "transport: name resolution", 0, 0),
    ] {
        let outcome = client.fetch_manifest(&target(&format!("http://{host}")), &tag("3.20")).await;
        assert_eq!(kind(&outcome), expected, "{host}");
        assert_eq!((proxy.gets(&path), other.gets(&path)), (by_proxy, by_other), "{host}");
        proxy.forget_requests();
        other.forget_requests();
    }
}
