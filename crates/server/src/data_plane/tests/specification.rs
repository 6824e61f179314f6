//! OCI distribution-spec 1.1, sentence by sentence: what a registry must and should do, as far as the
//! tests beside this one do not show it. Every request goes over HTTP/1.1, and whatever is refused
//! is held to "Error Codes".

mod lines;

use std::collections::HashMap;

use oci::Algorithm;

use self::lines::Holds;
use super::*;

/// "The `code` field MUST be one of the following", and what "Legacy Docker support error codes"
/// allows beside them.
const CODES: [&str; 15] = [
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "SIZE_INVALID",
    "UNAUTHORIZED",
    "DENIED",
    "UNSUPPORTED",
    "TOOMANYREQUESTS",
    "TAG_INVALID",
];

/// What was learnt so far: `{name}` in a line stands for it.
struct Learnt(HashMap<&'static str, String>);

impl Learnt {
    fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    fn learn(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.insert(name, value.into());
    }
}

#[tokio::test]
async fn every_line_of_the_table_holds() {
    go_through(&World::start().await, false).await;
}

#[tokio::test]
async fn by_ecrs_rules_too_but_where_it_says_otherwise() {
    let world = World::start_with(|settings| settings.strict_ecr = true).await;
    for name in ["app", "other"] {
        let created = world.ecr("CreateRepository", json!({"repositoryName": name})).await;
        assert_eq!(created.status, 200, "{}", created.text());
    }
    go_through(&world, true).await;
}

async fn go_through(world: &World, is_strict: bool) {
    let mut learnt = Learnt(HashMap::new());
    for (name, bytes) in [("config", "{}"), ("layer", "a layer"), ("absent", "absent")] {
        learnt.learn(name, Digest::of(bytes.as_bytes()).to_string());
    }
    learnt.learn("empty", Digest::of(b"").to_string());
    learnt.learn("long", Digest::of_with(Algorithm::Sha512, b"abcdef").to_string());
    learnt.learn("digits", "0".repeat(2000));
    for line in lines::all() {
        let told = format!("{}: {} ({} {})", line.section, line.demand, line.method, line.path);
        if let Some(name) = line.named {
            learnt.learn(name, Digest::of(learnt.fill(line.body).as_bytes()).to_string());
        }
        let with: Vec<_> =
            line.with.iter().map(|(name, value)| (*name, learnt.fill(value))).collect();
        let with: Vec<_> = with.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (path, body) = (learnt.fill(line.path), learnt.fill(line.body));
        let answer = world.over_http(line.method, &path, &with, &body).await;
        let otherwise = line.strict.filter(|_| is_strict);
        let status = otherwise.unwrap_or(line.status);
        assert_eq!(answer.status, status, "{told}: {}", answer.text());
        if line.method != "HEAD" && (400..500).contains(&answer.status) {
            hold_to_the_codes(&answer, &told);
        }
        let holds = if otherwise.is_some() { &[] } else { line.holds };
        for holds in holds {
            check(*holds, &answer, &mut learnt, &told);
        }
    }
}

fn check(holds: Holds, answer: &Answer, learnt: &mut Learnt, told: &str) {
    match holds {
        Holds::Header(name, value) => {
            assert_eq!(answer.header(name), learnt.fill(value), "{told}: {name}");
        }
        Holds::NoHeader(name) => assert!(!answer.headers.contains_key(name), "{told}: {name}"),
        Holds::Body(text) => assert_eq!(answer.text(), learnt.fill(text), "{told}"),
        Holds::Code(code) => assert_eq!(answer.code(), code, "{told}"),
        Holds::Says(words) => {
            assert!(answer.message().contains(words), "{told}: {}", answer.message());
        }
        Holds::Json(pointer, value) => {
            let expected: serde_json::Value = serde_json::from_str(&learnt.fill(value)).unwrap();
            assert_eq!(answer.json().pointer(pointer), Some(&expected), "{told}: {pointer}");
        }
        Holds::NoJson(pointer) => {
            assert_eq!(answer.json().pointer(pointer), None, "{told}: {pointer}");
        }
        Holds::Upload(name) => {
            let location = answer.header("location").to_owned();
            let id = location.rsplit('/').next().unwrap();
            let groups: Vec<_> = id.split('-').map(str::len).collect();
            let is_uuid = id.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
            assert!(is_uuid && groups == [8, 4, 4, 4, 12], "{told}: {location}");
            learnt.learn(name, location);
        }
    }
}

fn hold_to_the_codes(answer: &Answer, told: &str) {
    assert_eq!(answer.header("content-type"), "application/json", "{told}");
    let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    assert!(!errors.is_empty(), "{told}: {}", answer.text());
    for error in errors {
        let code = error["code"].as_str().unwrap_or_default();
        assert!(CODES.contains(&code), "{told}: {code} is not in the table");
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{told}: {error}");
    }
}

/// Spaces make a manifest as large as is wanted.
fn padded(manifest: &serde_json::Value, bytes: usize) -> String {
    let text = manifest.to_string();
    let padding = " ".repeat(bytes - text.len());
    text + &padding
}

/// "Client and registry implementations SHOULD expect to be able to support manifest pushes of at
/// least 4 megabytes", and over the limit a registry "SHOULD respond [...] `413 Payload Too Large`".
#[tokio::test]
async fn manifests_have_a_limit_and_it_is_said() {
    let world = World::start().await;
    let config = push::push_blob(&world, "app", "{}").await;
    let manifest = push::image(&config, &[]);
    let headers = [("content-type", media_type::OCI_MANIFEST)];
    for (bytes, status) in [(4 << 20, 201), ((4 << 20) + 1, 413), (12 << 20, 413)] {
        let path = format!("/v2/app/manifests/of-{bytes}");
        let body = padded(&manifest, bytes);
        let answer = world.over_http("PUT", &path, &headers, &body).await;
        assert_eq!(answer.status, status, "{bytes}: {}", answer.text());
        if status == 413 {
            hold_to_the_codes(&answer, "413");
        }
    }
}

/// A client that waits to be told to go on is told the answer instead, and sends nothing. (That who
/// is still sending sees it too takes a socket to show: `tests/it/listener.rs`.)
#[tokio::test]
async fn who_is_refused_is_not_told_to_go_on() {
    let world = World::start().await;
    let begun = world.over_http("POST", "/v2/app/blobs/uploads/", &[], "").await;
    let upload = begun.header("location").to_owned();
    let waiting = [("expect", "100-continue"), ("content-range", "5-6"), ("content-length", "2")];
    let refused = world.over_http("PATCH", &upload, &waiting, "").await;
    assert_eq!((refused.status, refused.header("range")), (416, "0-0"));
}

/// "Listing Referrers": "A `Link` header MUST be included in the response when the descriptor list
/// cannot be returned in a single manifest." No client reads a manifest of any size.
#[tokio::test]
async fn referrers_are_no_more_than_fit_into_a_manifest() {
    let world = World::start().await;
    let config = push::push_blob(&world, "app", "{}").await;
    let subject = Digest::of(b"subject");
    let mut pushed = Vec::new();
    for note in ["a", "b", "c"] {
        let mut manifest = push::image(&config, &[]);
        manifest["subject"] =
            json!({"mediaType": media_type::OCI_MANIFEST, "digest": subject.as_str(), "size": 1});
        manifest["annotations"] = json!({ "note": note.repeat(1_500_000) });
        let put = push::put_manifest(&world, &format!("/v2/app/manifests/{note}"), &manifest).await;
        assert_eq!(put.header("oci-subject"), subject.as_str());
        pushed.push(put.header("docker-content-digest").to_owned());
    }
    pushed.sort();
    let (mut path, mut found) = (format!("/v2/app/referrers/{subject}"), Vec::new());
    loop {
        let page = world.over_http("GET", &path, &[], "").await;
        assert_eq!(page.status, 200);
        assert!(page.announced.unwrap() <= 4 << 20, "{:?}", page.announced);
        let listed = page.json()["manifests"].as_array().unwrap().clone();
        assert!(!listed.is_empty());
        found.extend(listed.iter().map(|entry| entry["digest"].as_str().unwrap().to_owned()));
        let Some((next, _)) = page.header("link").strip_prefix('<').and_then(|l| l.split_once('>'))
        else {
            break;
        };
        path = next.to_owned();
    }
    assert_eq!(found, pushed);
}

/// "The registry MUST NOT return a `404 Not Found` to a referrers API requests", whatever is wrong.
#[tokio::test]
async fn referrers_are_never_not_found() {
    let mut world = World::start().await;
    world.rule("hub").await;
    let subject = Digest::of(b"image");
    let index = json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": []});
    let tag = format!("sha256-{}", subject.hex());
    world.upstream.add_manifest("app", Some(&tag), media_type::OCI_INDEX, index.to_string());
    world.restart_with(|settings| settings.strict_ecr = true).await;
    // A repository that cannot come into being, and with it nowhere to keep what was found.
    let template = json!({
        "prefix": "hub", "appliedFor": ["PULL_THROUGH_CACHE"],
        "resourceTags": [{"Key": "team", "Value": "a"}],
    });
    let created = world.ecr("CreateRepositoryCreationTemplate", template).await;
    assert_eq!(created.status, 200, "{}", created.text());
    let answer = world.over_http("GET", &format!("/v2/hub/app/referrers/{subject}"), &[], "").await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert!(answer.text().contains("repositoryCreationTemplate"), "{}", answer.text());
}

/// "A registry that uses the `ns` query parameter to scope the request SHOULD return the `ns` query
/// parameter value in the `OCI-Namespace` header" ("Registry Proxying", after 1.1).
#[tokio::test]
async fn a_namespace_that_was_used_is_named() {
    let mut world = World::start().await;
    world.rule("hub").await;
    world.image("app", "1", b"layer");
    let ns = world.upstream.authority();
    for (path, status, named) in [
        (format!("/v2/app/manifests/1?ns={ns}"), 200, ns.as_str()),
        (format!("/v2/app/manifests/1?ns={}", ns.replace(':', "%3A")), 200, &ns),
        (format!("/v2/app/manifests/2?ns={ns}"), 404, &ns),
        (format!("/v2/app/referrers/{DIGEST}?ns={ns}"), 200, &ns),
        ("/v2/app/manifests/1?ns=registry.example".to_owned(), 404, "registry.example"),
        ("/v2/app/manifests/1?ns=a%0Ab".to_owned(), 404, ""),
        ("/v2/hub/app/manifests/1".to_owned(), 200, ""),
        (format!("/v2/?ns={ns}"), 200, ""),
    ] {
        let answer = world.over_http("GET", &path, &[], "").await;
        assert_eq!((answer.status, answer.header("oci-namespace")), (status, named), "{path}");
    }
    world.restart_with(|settings| settings.strict_ecr = true).await;
    let ignored = world.over_http("GET", &format!("/v2/app/manifests/1?ns={ns}"), &[], "").await;
    assert_eq!((ignored.status, ignored.header("oci-namespace")), (404, ""));
}

/// "If a registry [...] is unable to mount the requested blob, it SHOULD return a `202`."
#[tokio::test]
async fn what_a_rule_keeps_out_is_uploaded_instead_of_mounted() {
    let world = World::start().await;
    world.rule("hub").await;
    let policy = json!({"deniedRepositories": ["evil*"]});
    let body = json!({"ecrRepositoryPrefix": "hub", "policy": policy});
    assert_eq!(world.cistern("PutPullThroughCacheRulePolicy", body).await.status, 200);
    let path = format!("/v2/app/blobs/uploads/?mount={DIGEST}&from=hub/evil");
    let answer = world.over_http("POST", &path, &[], "").await;
    assert_eq!(answer.status, 202, "{}", answer.text());
}

/// "Clients SHOULD reject unless the `mediaType` field's value matches the type specified by the
/// `Content-Type` header": some upstreams say the same of everything, so that it is mended instead.
#[tokio::test]
async fn the_type_that_a_manifest_names_itself_counts() {
    let world = World::start().await;
    world.rule("hub").await;
    for (tag, served_as) in [("json", "application/json"), ("docker", media_type::DOCKER_INDEX)] {
        let index = json!({
            "schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": [],
            "annotations": {"tag": tag},
        });
        world.upstream.add_manifest("app", Some(tag), served_as, index.to_string());
        let path = format!("/v2/hub/app/manifests/{tag}");
        for _ in 0..2 {
            let answer = world.over_http("GET", &path, &[], "").await;
            assert_eq!((answer.status, answer.text()), (200, index.to_string()));
            assert_eq!(answer.header("content-type"), media_type::OCI_INDEX);
        }
    }
}
