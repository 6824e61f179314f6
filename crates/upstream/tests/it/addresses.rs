//! Where an upstream may not lead.

use std::{collections::HashMap, io, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use testkit::{Script, ScriptedUpstream, Tokens};
use upstream::{Lookup, PrivateAddresses, Settings, Upstream as _};

use crate::world::{
    REPOSITORY, client, fetch, kind, settings, tag, target, with_blob, with_manifest,
};

/// Names and their addresses.
#[derive(Debug)]
struct Names(HashMap<&'static str, Vec<IpAddr>>);

#[async_trait]
impl Lookup for Names {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let unknown = || io::Error::new(io::ErrorKind::NotFound, "no such name");
        self.0.get(host).cloned().ok_or_else(unknown)
    }
}

fn names() -> Option<Arc<dyn Lookup>> {
    let table = [
        ("metadata.test", "169.254.169.254"),
        ("v6.test", "fe80::1"),
        ("mapped.test", "::ffff:169.254.169.254"),
        ("zero.test", "0.0.0.0"),
        ("home.test", "127.0.0.1"),
    ];
    let table = table.map(|(name, ip)| (name, vec![ip.parse().unwrap()]));
    Some(Arc::new(Names(table.into())))
}

#[tokio::test]
async fn nobody_is_led_to_metadata() {
    let (upstream, _, path) = with_manifest().await;
    let lookup = names();
    for private_addresses in [PrivateAddresses::Refused, PrivateAddresses::Allowed] {
        let settings = Settings { lookup: lookup.clone(), private_addresses, ..settings() };
        let (client, target) = (client(settings), target(&upstream.url()));
        for (destination, host) in [
            ("http://169.254.169.254/latest/meta-data/", "169.254.169.254"),
            ("http://0xa9fea9fe/", "169.254.169.254"),
            ("http://[::ffff:169.254.169.254]/", "[::ffff:a9fe:a9fe]"),
            ("http://[fd00:ec2::254]/", "[fd00:ec2::254]"),
            ("http://[fe80::1]/", "[fe80::1]"),
            ("http://0.0.0.0/", "0.0.0.0"),
            ("http://224.0.0.1/", "224.0.0.1"),
            ("http://metadata.test/", "metadata.test"),
            ("http://v6.test/", "v6.test"),
            ("http://mapped.test/", "mapped.test"),
            ("http://zero.test/", "zero.test"),
        ] {
            upstream.script(&path, Script::redirect(307, destination));
            let outcome = client.fetch_manifest(&target, &tag("3.20")).await;
            assert_eq!(kind(&outcome), format!("refused: {host}"), "{destination}");
        }
    }
}

#[tokio::test]
async fn nobody_asks_metadata_for_a_token() {
    let (upstream, digest, _) = with_blob().await;
    let client = client(Settings { lookup: names(), ..settings() });
    let tokens = Arc::new(Tokens::anonymous());
    for (realm, host) in [
        ("http://169.254.169.254/token", "169.254.169.254"),
        ("http://metadata.test/token", "metadata.test"),
    ] {
        upstream.require_token_of(&tokens, realm);
        let outcome = fetch(&client, &target(&upstream.url()), &digest).await;
        assert_eq!(kind(&outcome), format!("refused: {host}"));
    }
}

#[tokio::test]
async fn an_upstream_on_loopback_may_lead_there() {
    let (upstream, digest, path) = with_blob().await;
    let storage = ScriptedUpstream::start().await;
    storage.add_file("/x", crate::world::blob());
    let client = client(Settings { lookup: names(), ..settings() });
    for url in [storage.url(), storage.url_at("home.test")] {
        upstream.script(&path, Script::redirect(302, &format!("{url}/x")));
        fetch(&client, &target(&upstream.url()), &digest).await.unwrap();
    }
}

#[tokio::test]
async fn the_configuration_names_exceptions() {
    let (upstream, _, path) = with_manifest().await;
    let private_addresses = PrivateAddresses::AllowedFor(vec!["zero.test".to_owned()]);
    let settings = Settings { lookup: names(), private_addresses, ..settings() };
    let (client, target) = (client(settings), target(&upstream.url()));
    // On Linux a connection to 0.0.0.0 reaches this machine.
    let storage = ScriptedUpstream::start().await;
    storage.add_file("/x", crate::world::MANIFEST);
    upstream.script(&path, Script::redirect(302, &format!("{}/x", storage.url_at("zero.test"))));
    client.fetch_manifest(&target, &tag("3.20")).await.unwrap();
    upstream.script(&path, Script::redirect(302, "http://metadata.test/x"));
    let outcome = client.fetch_manifest(&target, &tag("3.20")).await;
    assert_eq!(kind(&outcome), "refused: metadata.test");
}

#[tokio::test]
async fn a_rule_may_name_any_upstream_but_plain_http_needs_leave() {
    let upstream = ScriptedUpstream::start().await;
    upstream.add_manifest(REPOSITORY, Some("3.20"), oci::media_type::OCI_MANIFEST, "{}");
    let mut settings = Settings { lookup: names(), ..settings() };
    let target = target(&upstream.url_at("zero.test"));
    let outcome = client(settings.clone()).stat_manifest(&target, &tag("3.20")).await;
    assert_eq!(
        kind(&outcome),
        "invalid: plain http is for loopback and for hosts allowed in the configuration, not for \
         zero.test"
    );
    settings.plain_http_hosts.push("zero.test".to_owned());
    client(settings).stat_manifest(&target, &tag("3.20")).await.unwrap();
}

#[tokio::test]
async fn a_name_without_address_and_a_closed_port_are_told_apart() {
    let settings = Settings { lookup: names(), ..settings() };
    let client = client(settings);
    let unknown = client.stat_manifest(&target("unknown.test"), &tag("3.20")).await;
    assert_eq!(kind(&unknown), "transport: name resolution");
    let upstream = ScriptedUpstream::start().await;
    upstream.stop().await;
    let closed = client.stat_manifest(&target(&upstream.url()), &tag("3.20")).await;
    assert_eq!(kind(&closed), "transport: connection");
}
