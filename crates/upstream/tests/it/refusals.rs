//! What an upstream refuses, in its own sense.

use testkit::{Gate, Script};
use upstream::Upstream as _;

use crate::world::{
    client, heedless, impatient, kind, settings, tag, target, target_as, with_blob, with_manifest,
};

#[tokio::test]
async fn the_upstreams_truth_is_kept() {
    let (upstream, _, path) = with_manifest().await;
    let (client, target) = (client(heedless()), target_as(&upstream.url(), "user", "hunter2"));
    for (script, expected, is_alive, is_transient) in [
        (Script::status(404), "not found", true, false),
        (Script::error(404, "NAME_UNKNOWN", "no"), "not found", true, false),
        (Script::error(401, "UNAUTHORIZED", "who?"), "unauthorized: who?", true, false),
        (Script::status(401), "unauthorized: unauthorized", true, false),
        (
            Script::status(401).header(
                "www-authenticate",
                r#"Digest realm="x",nonce="y",error="insufficient_scope""#,
            ),
            "unauthorized: insufficient_scope",
            true,
            false,
        ),
        (Script::error(403, "DENIED", "not you"), "denied: not you", true, false),
        (Script::error(403, "DENIED", "hunter2"), "denied: …", true, false),
        (Script::status(403).body("<h1>"), "denied: forbidden", true, false),
        (Script::status(429), "rate limited: None", true, false),
        (Script::status(429).retry_after("60"), "rate limited: Some(60s)", true, false),
        (
            Script::status(429)
                .retry_after("Sun, 06 Nov 1994 08:49:37 GMT")
                .header("date", "Sun, 06 Nov 1994 08:49:07 GMT"),
            "rate limited: Some(30s)",
            true,
            false,
        ),
        (Script::status(400), "status 400", true, false),
        (Script::status(405), "status 405", true, false),
        (Script::status(500), "status 500", false, true),
        (Script::status(502).body(&"x".repeat(100_000)), "status 502", false, true),
        (Script::status(503).retry_after("1"), "status 503", false, true),
        (Script::error(508, "UNAVAILABLE", "it came back"), "circle: it came back", true, false),
        (Script::status(204), "status 204", false, false),
        (Script::status(304), "status 304", false, false),
    ] {
        upstream.script(&path, script.clone());
        let outcome = client.fetch_manifest(&target, &tag("3.20")).await;
        assert_eq!(kind(&outcome), expected, "{script:?}");
        let error = outcome.unwrap_err();
        assert_eq!((error.is_alive(), error.is_transient()), (is_alive, is_transient), "{error}");
        assert!(error.to_string().starts_with(&format!("upstream {}", upstream.authority())));
        // HEAD brings no body to tell more, and means the same.
        let head = kind(&client.stat_manifest(&target, &tag("3.20")).await);
        assert_eq!(head.split(':').next(), expected.split(':').next(), "{script:?}");
    }
}

#[tokio::test]
async fn a_blob_is_refused_likewise() {
    let (upstream, digest, path) = with_blob().await;
    let (client, target) = (client(heedless()), target(&upstream.url()));
    for (script, expected) in [
        (Script::status(404), "not found"),
        (Script::error(403, "DENIED", "not you"), "denied: not you"),
        (Script::status(429).retry_after("60"), "rate limited: Some(60s)"),
        (Script::status(500), "status 500"),
        (Script::status(206), "invalid: a part came where the whole was asked for"),
    ] {
        upstream.script(&path, script);
        assert_eq!(kind(&client.fetch_blob(&target, &digest, 0).await), expected);
    }
}

#[tokio::test]
async fn silence_is_given_up_on() {
    let (upstream, _, path) = with_manifest().await;
    let target = target(&upstream.url());
    let first_byte = client(impatient(|timeouts, short| timeouts.first_byte = short));
    upstream.script(&path, Script::black_hole());
    let outcome = first_byte.stat_manifest(&target, &tag("3.20")).await;
    assert_eq!(kind(&outcome), "timeout: FirstByte");

    let gate = Gate::shut();
    let idle = client(impatient(|timeouts, short| timeouts.idle = short));
    upstream.script(&path, Script::new().stall(3, &gate));
    let outcome = idle.fetch_manifest(&target, &tag("3.20")).await;
    assert_eq!(kind(&outcome), "timeout: Idle");

    let gate = Gate::shut();
    upstream.script(&path, Script::new().hold(&gate));
    let patient = client(settings());
    let reference = tag("3.20");
    let (outcome, ()) = tokio::join!(patient.stat_manifest(&target, &reference), async {
        gate.arrived(1).await;
        gate.open();
    });
    outcome.unwrap();
}

#[tokio::test]
async fn a_refusal_that_never_ends_is_cut_short() {
    let (upstream, _, path) = with_manifest().await;
    let gate = Gate::shut();
    upstream.script(&path, Script::error(403, "DENIED", "not you").stall(5, &gate));
    let client = client(settings());
    let outcome = client.fetch_manifest(&target(&upstream.url()), &tag("3.20")).await;
    assert_eq!(kind(&outcome), "denied: forbidden");
    gate.arrived(1).await;
}
