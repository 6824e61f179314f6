//! TLS, and settings that cannot be used.

use testkit::{Pattern, ScriptedUpstream};
use upstream::{ClientIdentity, HostSettings, HttpUpstream, Settings, SettingsError};

use crate::world::{REPOSITORY, blob, client, fetch, impatient, kind, settings, target};

#[tokio::test]
async fn a_configured_root_is_trusted_and_others_are_not() {
    let upstream = ScriptedUpstream::start_tls().await;
    let digest = upstream.add_blob(REPOSITORY, blob());
    let pattern = Pattern::new(3, 8 << 20);
    let large = upstream.add_pattern(REPOSITORY, &pattern);
    let stranger = client(settings());
    let root_certificates = vec![upstream.root_pem().to_owned()];
    let friend = client(Settings { root_certificates, ..settings() });
    for url in [upstream.url(), upstream.url_at("localhost")] {
        let outcome = fetch(&stranger, &target(&url), &digest).await;
        assert_eq!(kind(&outcome), "transport: tls");
        assert_eq!(fetch(&friend, &target(&url), &digest).await.unwrap(), blob());
        let bytes = fetch(&friend, &target(&url), &large).await.unwrap();
        assert!(bytes.len() == 8 << 20 && pattern.matches(0, &bytes));
    }
    // A root that signed, for a name that is not in the certificate.
    let other_name = format!("https://127.0.0.2:{}", upstream.port());
    let outcome = fetch(&friend, &target(&other_name), &digest).await;
    assert!(matches!(kind(&outcome).as_str(), "transport: tls" | "transport: connection"));
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_apart() {
    let upstream = ScriptedUpstream::start().await;
    let digest = upstream.add_blob(REPOSITORY, blob());
    let https = format!("https://{}", upstream.authority());
    let outcome = fetch(&client(settings()), &target(&https), &digest).await;
    assert_eq!(kind(&outcome), "transport: tls");
}

#[tokio::test]
async fn a_handshake_that_is_never_answered_is_a_failed_connection() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let client = client(impatient(|timeouts, short| timeouts.connect = short));
    let outcome = fetch(&client, &target(&url), &oci::Digest::of(b"")).await;
    assert_eq!(kind(&outcome), "timeout: Connect");
    drop(listener);
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    for pem in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let root_certificates = vec![pem.to_owned()];
        let outcome = HttpUpstream::new(Settings { root_certificates, ..settings() });
        assert!(matches!(outcome, Err(SettingsError::RootCertificate { .. })), "{pem}");
    }
    let endpoints =
        [("quay.io".to_owned(), vec![url::Url::parse("http://x/path").unwrap()])].into();
    let outcome = HttpUpstream::new(Settings { endpoints, ..settings() });
    assert!(matches!(outcome, Err(SettingsError::Endpoint { .. })));
}

#[tokio::test]
async fn what_is_set_for_a_host_is_for_that_host_only() {
    let upstream = ScriptedUpstream::start_tls().await;
    let digest = upstream.add_blob(REPOSITORY, blob());
    let root_certificates = vec![upstream.root_pem().to_owned()];
    let host = |host: String| HostSettings {
        host,
        root_certificates: root_certificates.clone(),
        ..HostSettings::default()
    };
    for (hosts, by_address, by_name) in [
        (vec![host("127.0.0.1".to_owned())], "ok", "transport: tls"),
        (vec![host("LOCALHOST".to_owned())], "transport: tls", "ok"),
        (vec![host(upstream.authority())], "ok", "transport: tls"),
        (vec![host("127.0.0.1:1".to_owned())], "transport: tls", "transport: tls"),
        // The one with a port wins, whatever the order.
        (
            vec![
                HostSettings { host: "127.0.0.1".to_owned(), ..HostSettings::default() },
                host(upstream.authority()),
            ],
            "ok",
            "transport: tls",
        ),
    ] {
        let client = client(Settings { hosts, ..settings() });
        for (url, expected) in
            [(upstream.url(), by_address), (upstream.url_at("localhost"), by_name)]
        {
            assert_eq!(kind(&fetch(&client, &target(&url), &digest).await), expected, "{url}");
        }
    }
}

#[test]
fn a_host_whose_settings_cannot_be_used_is_named() {
    let identity = |certificates: &str, key: &str| ClientIdentity {
        certificates: certificates.to_owned(),
        key: key.to_owned().into(),
    };
    let root = HostSettings { root_certificates: vec!["no PEM".to_owned()], ..Default::default() };
    let client = HostSettings { identity: Some(identity("", "hunter2")), ..Default::default() };
    for settings_of_host in [root, client] {
        let hosts = vec![HostSettings { host: "registry.test".to_owned(), ..settings_of_host }];
        let error = HttpUpstream::new(Settings { hosts, ..settings() }).unwrap_err();
        let SettingsError::Host { host, source } = error else { panic!("{error:?}") };
        assert_eq!(host, "registry.test");
        assert!(!source.to_string().contains("hunter2"), "{source}");
    }
}
