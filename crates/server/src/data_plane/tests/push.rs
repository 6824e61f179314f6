//! Pushing: one test for each endpoint and each error code.

use http::header::CONTENT_RANGE;
use oci::Algorithm;
use serde_json::Value;

use super::*;
use crate::doors::tests::Answer;

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

fn path_of(location: &Answer) -> String {
    location.header("location").to_owned()
}

async fn begin(world: &World, name: &str) -> String {
    let answer = world.push("POST", &format!("/v2/{name}/blobs/uploads/"), &[], "").await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(answer.header("range"), "0-0");
    assert_eq!(answer.announced, Some(0));
    let location = path_of(&answer);
    assert!(location.ends_with(answer.header("docker-upload-uuid")), "{location}");
    location
}

/// Pushes a blob with POST and PUT.
pub(super) async fn push_blob(world: &World, name: &str, bytes: &str) -> Digest {
    let digest = Digest::of(bytes.as_bytes());
    let put = format!("{}?digest={digest}", begin(world, name).await);
    let answer = world.push("PUT", &put, &[], bytes).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    digest
}

pub(super) fn image(config: &Digest, layers: &[&Digest]) -> Value {
    let describe = |kind: &str, digest: &Digest| json!({"mediaType": kind, "digest": digest.as_str(), "size": 2});
    let layers: Vec<_> = layers
        .iter()
        .map(|layer| describe("application/vnd.oci.image.layer.v1.tar", layer))
        .collect();
    json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": describe(CONFIG, config),
        "layers": layers,
    })
}

pub(super) async fn put_manifest(world: &World, path: &str, manifest: &Value) -> Answer {
    let kind = manifest["mediaType"].as_str().unwrap_or(media_type::OCI_MANIFEST).to_owned();
    world.push("PUT", path, &[("content-type", &kind)], &manifest.to_string()).await
}

#[tokio::test]
async fn a_blob_goes_up_whole() {
    let world = World::start().await;
    let digest = push_blob(&world, "team/app", "0123456789").await;
    let path = format!("/v2/team/app/blobs/{digest}");
    let blob = world.get(&path).await;
    assert_eq!((blob.status, blob.text().as_str()), (200, "0123456789"));

    // By one request.
    let other = Digest::of_with(Algorithm::Sha512, b"other");
    let post = format!("/v2/team/app/blobs/uploads/?digest={other}");
    let answer = world.push("POST", &post, &[], "other").await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(path_of(&answer), format!("/v2/team/app/blobs/{other}"));
    assert_eq!(answer.header("docker-content-digest"), other.as_str());
    assert_eq!(world.get(&path_of(&answer)).await.text(), "other");

    // Nothing is a blob too, and where nothing comes of another blob an upload begins.
    let empty = push_blob(&world, "team/app", "").await;
    assert_eq!(world.get(&format!("/v2/team/app/blobs/{empty}")).await.announced, Some(0));
    for (digest, status) in [(&other, 202), (&empty, 201)] {
        let post = format!("/v2/team/app/blobs/uploads/?digest={digest}");
        let answer = world.push("POST", &post, &[("content-length", "0")], "").await;
        assert_eq!(answer.status, status, "{digest}");
    }
}

#[tokio::test]
async fn a_blob_goes_up_in_chunks_in_order() {
    let world = World::start().await;
    let upload = begin(&world, "app").await;
    let chunk = |range: &'static str, bytes: &'static str| {
        let (world, upload) = (&world, upload.clone());
        async move {
            let headers = [("content-range", range), ("content-length", "3")];
            world.push("PATCH", &upload, &headers, bytes).await
        }
    };
    let first = chunk("0-2", "abc").await;
    assert_eq!((first.status, first.header("range")), (202, "0-2"), "{}", first.text());
    assert_eq!(path_of(&first), upload);
    // Out of order, malformed, not as long as it says: told where the upload stands.
    for (range, status, code) in [
        ("0-2", 416, "BLOB_UPLOAD_INVALID"),
        ("4-6", 416, "BLOB_UPLOAD_INVALID"),
        ("5-3", 416, "BLOB_UPLOAD_INVALID"),
        ("bytes 3-5/9", 416, "BLOB_UPLOAD_INVALID"),
        ("x", 416, "BLOB_UPLOAD_INVALID"),
        ("3-4", 400, "SIZE_INVALID"),
    ] {
        let refused = chunk(range, "def").await;
        assert_eq!((refused.status, refused.code().as_str()), (status, code), "{range}");
        assert_eq!(refused.header("range"), "0-2", "{range}");
        assert_eq!(path_of(&refused), upload, "{range}");
    }
    let status = world.get(&upload).await;
    assert_eq!((status.status, status.header("range")), (204, "0-2"));
    assert_eq!(path_of(&status), upload);
    assert_eq!(chunk("3-5", "def").await.header("range"), "0-5");
    let digest = Digest::of(b"abcdefghi");
    let put = format!("{upload}?digest={digest}");
    let last = [(CONTENT_RANGE.as_str(), "6-8")];
    let done = world.push("PUT", &put, &last, "ghi").await;
    assert_eq!(done.status, 201, "{}", done.text());
    assert_eq!(world.get(&path_of(&done)).await.text(), "abcdefghi");
    let gone = world.get(&upload).await;
    assert_eq!((gone.status, gone.code().as_str()), (404, "BLOB_UPLOAD_UNKNOWN"));
}

#[tokio::test]
async fn a_blob_streams_up_without_ranges() {
    let world = World::start().await;
    let upload = begin(&world, "app").await;
    for (bytes, range) in [("abc", "0-2"), ("", "0-2"), ("def", "0-5")] {
        let patched = world.push("PATCH", &upload, &[], bytes).await;
        assert_eq!((patched.status, patched.header("range")), (202, range));
    }
    let digest = Digest::of_with(Algorithm::Sha512, b"abcdef");
    let put = format!("{upload}?digest={digest}");
    let headers = [("content-length", "0"), (CONTENT_RANGE.as_str(), "6-5")];
    let done = world.push("PUT", &put, &headers, "").await;
    assert_eq!(done.status, 201, "{}", done.text());
    assert_eq!(world.get(&format!("/v2/app/blobs/{digest}")).await.text(), "abcdef");
}

#[tokio::test]
async fn an_upload_survives_a_restart() {
    let mut world = World::start().await;
    let upload = begin(&world, "app").await;
    world.push("PATCH", &upload, &[], "before ").await;
    world.restart_with(|_| {}).await;
    assert_eq!(world.get(&upload).await.header("range"), "0-6");
    world.push("PATCH", &upload, &[], "after").await;
    let digest = Digest::of(b"before after");
    let done = world.push("PUT", &format!("{upload}?digest={digest}"), &[], "").await;
    assert_eq!(done.status, 201, "{}", done.text());
    assert_eq!(world.get(&path_of(&done)).await.text(), "before after");
}

#[tokio::test]
async fn wrong_bytes_end_an_upload() {
    let world = World::start().await;
    let digest = Digest::of(b"right");
    for (query, code) in [
        (format!("?digest={digest}"), "DIGEST_INVALID"),
        ("?digest=sha256:1".to_owned(), "DIGEST_INVALID"),
        (String::new(), "DIGEST_INVALID"),
    ] {
        let upload = begin(&world, "app").await;
        let refused = world.push("PUT", &format!("{upload}{query}"), &[], "wrong").await;
        assert_eq!((refused.status, refused.code().as_str()), (400, code), "{query}");
        let is_over = query.len() > 20;
        assert_eq!(world.get(&upload).await.status, if is_over { 404 } else { 204 }, "{query}");
    }
    let post = format!("/v2/app/blobs/uploads/?digest={digest}");
    let refused = world.push("POST", &post, &[], "wrong").await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "DIGEST_INVALID"));
    assert_eq!(world.get(&format!("/v2/app/blobs/{digest}")).await.status, 404);
}

#[tokio::test]
async fn an_upload_is_cancelled() {
    let world = World::start().await;
    let upload = begin(&world, "app").await;
    assert_eq!(world.ask("DELETE", &upload.replace("/app/", "/other/"), &[]).await.status, 404);
    assert_eq!(world.ask("DELETE", &upload, &[]).await.status, 204);
    let digest = Digest::of(b"");
    for (method, path) in [
        ("GET", upload.clone()),
        ("DELETE", upload.clone()),
        ("PATCH", upload.clone()),
        ("PUT", format!("{upload}?digest={digest}")),
        ("GET", "/v2/app/blobs/uploads/..%2f..".to_owned()),
    ] {
        let gone = world.push(method, &path, &[], "").await;
        assert_eq!((gone.status, gone.code().as_str()), (404, "BLOB_UPLOAD_UNKNOWN"), "{method}");
    }
}

#[tokio::test]
async fn a_blob_is_mounted_from_where_it_is() {
    let world = World::start().await;
    let digest = push_blob(&world, "from", "shared").await;
    let mount = |query: String| {
        let world = &world;
        async move { world.push("POST", &format!("/v2/to/blobs/uploads/?{query}"), &[], "").await }
    };
    for query in [
        format!("mount={digest}&from=elsewhere"),
        format!("mount={}&from=from", Digest::of(b"absent")),
        "mount=x&from=from".to_owned(),
        format!("mount={digest}&from=From"),
    ] {
        let begun = mount(query.clone()).await;
        assert_eq!((begun.status, begun.header("range")), (202, "0-0"), "{query}");
        assert_eq!(world.get(&format!("/v2/to/blobs/{digest}")).await.status, 404);
    }
    let mounted = mount(format!("mount={digest}&from=from")).await;
    assert_eq!(mounted.status, 201, "{}", mounted.text());
    assert_eq!(mounted.header("docker-content-digest"), digest.as_str());
    assert_eq!(world.get(&path_of(&mounted)).await.text(), "shared");
}

#[tokio::test]
async fn a_manifest_is_kept_byte_for_byte() {
    let world = World::start().await;
    let config = push_blob(&world, "app", "{}").await;
    // Not as any serializer would write it.
    let manifest = format!(" {:#}\n", image(&config, &[&config]));
    let digest = Digest::of(manifest.as_bytes());
    let long = Digest::of_with(Algorithm::Sha512, manifest.as_bytes());
    let kind = format!("{}; charset=utf-8", media_type::OCI_MANIFEST);
    for (reference, digest) in [("v1", &digest), (digest.as_str(), &digest), (long.as_str(), &long)]
    {
        let path = format!("/v2/app/manifests/{reference}");
        let put = world.push("PUT", &path, &[("content-type", &kind)], &manifest).await;
        assert_eq!(put.status, 201, "{}", put.text());
        assert_eq!(put.header("docker-content-digest"), digest.as_str());
        assert_eq!(path_of(&put), format!("/v2/app/manifests/{digest}"));
        assert!(!put.headers.contains_key("oci-subject"));
        let got = world.get(&path).await;
        assert_eq!((got.status, got.text()), (200, manifest.clone()));
        assert_eq!(got.header("content-type"), media_type::OCI_MANIFEST);
    }
    // A tag moves, and is seen at once.
    let next = image(&config, &[]);
    assert_eq!(put_manifest(&world, "/v2/app/manifests/v1", &next).await.status, 201);
    assert_eq!(world.get("/v2/app/manifests/v1").await.text(), next.to_string());
    assert_eq!(world.get(&format!("/v2/app/manifests/{digest}")).await.status, 200);
}

#[tokio::test]
async fn what_is_no_manifest_is_refused() {
    let world = World::start().await;
    let config = push_blob(&world, "app", "{}").await;
    let good = image(&config, &[]);
    let absent = Digest::of(b"absent");
    let other = format!("/v2/app/manifests/{absent}");
    let path = "/v2/app/manifests/v1";
    let oci = media_type::OCI_MANIFEST;
    let huge = format!("{good}{}", " ".repeat(4 << 20));
    for (path, kind, body, status, code) in [
        (path, oci, "{".to_owned(), 400, "MANIFEST_INVALID"),
        (path, oci, String::new(), 400, "MANIFEST_INVALID"),
        (path, oci, json!({"schemaVersion": 1}).to_string(), 400, "MANIFEST_INVALID"),
        (path, oci, json!({"schemaVersion": 2}).to_string(), 400, "MANIFEST_INVALID"),
        (path, media_type::DOCKER_MANIFEST, good.to_string(), 400, "MANIFEST_INVALID"),
        (path, "text/html", good.to_string(), 400, "MANIFEST_INVALID"),
        (path, oci, image(&absent, &[&config]).to_string(), 404, "MANIFEST_BLOB_UNKNOWN"),
        (path, oci, image(&config, &[&absent]).to_string(), 404, "MANIFEST_BLOB_UNKNOWN"),
        (&other, oci, good.to_string(), 400, "DIGEST_INVALID"),
        ("/v2/app/manifests/.x", oci, good.to_string(), 400, "TAG_INVALID"),
        ("/v2/App/manifests/x", oci, good.to_string(), 400, "NAME_INVALID"),
        (path, oci, huge, 413, "SIZE_INVALID"),
    ] {
        let refused = world.push("PUT", path, &[("content-type", kind)], &body).await;
        let told = (refused.status, refused.code());
        assert_eq!(
            told,
            (status, code.to_owned()),
            "{path} {kind} {}",
            &body[..body.len().min(99)]
        );
        if code == "MANIFEST_BLOB_UNKNOWN" {
            let detail = &refused.json()["errors"][0]["detail"];
            assert_eq!(detail["digest"], absent.as_str(), "{detail}");
        }
    }
    assert_eq!(world.get("/v2/app/manifests/v1").await.status, 404);
}

#[tokio::test]
async fn an_index_may_be_sparse_but_not_for_ecr() {
    let mut world = World::start().await;
    let config = push_blob(&world, "app", "{}").await;
    let child = image(&config, &[]);
    let child = put_manifest(&world, "/v2/app/manifests/child", &child).await;
    let child = child.header("docker-content-digest").to_owned();
    let absent = Digest::of(b"absent");
    let index = |digests: &[&str]| {
        let describe = |digest: &&str| json!({"mediaType": media_type::OCI_MANIFEST, "digest": digest, "size": 2});
        let manifests: Vec<_> = digests.iter().map(describe).collect();
        json!({"schemaVersion": 2, "mediaType": media_type::OCI_INDEX, "manifests": manifests})
    };
    let sparse = index(&[&child, absent.as_str()]);
    assert_eq!(put_manifest(&world, "/v2/app/manifests/sparse", &sparse).await.status, 201);
    world.restart_with(|settings| settings.strict_ecr = true).await;
    let refused = put_manifest(&world, "/v2/app/manifests/sparse2", &sparse).await;
    assert_eq!((refused.status, refused.code().as_str()), (404, "MANIFEST_BLOB_UNKNOWN"));
    let whole = index(&[&child]);
    assert_eq!(put_manifest(&world, "/v2/app/manifests/whole", &whole).await.status, 201);
    // Nor does a push make a repository there.
    for (method, path) in [
        ("POST", "/v2/new/blobs/uploads/"),
        ("PUT", "/v2/new/manifests/v1"),
        ("GET", "/v2/new/blobs/uploads/0"),
    ] {
        let refused = world.push(method, path, &[], &child).await;
        assert_eq!((refused.status, refused.code().as_str()), (404, "NAME_UNKNOWN"), "{method}");
        assert!(refused.message().contains("'new'"), "{}", refused.message());
    }
}

#[tokio::test]
async fn referrers_are_listed_by_subject() {
    let world = World::start().await;
    let config = push_blob(&world, "app", "{}").await;
    let subject = Digest::of(b"pushed later");
    let refer = |kind: Option<&str>, note: &str| {
        let mut manifest = image(&config, &[]);
        manifest["subject"] =
            json!({"mediaType": media_type::OCI_MANIFEST, "digest": subject.as_str(), "size": 1});
        manifest["annotations"] = json!({"note": note});
        if let Some(kind) = kind {
            manifest["artifactType"] = json!(kind);
        }
        manifest
    };
    let mut digests = Vec::new();
    for (kind, note) in [(Some("a/sbom+json"), "1"), (Some(""), "2"), (None, "3")] {
        let manifest = refer(kind, note).to_string();
        let digest = Digest::of(manifest.as_bytes());
        let path = format!("/v2/app/manifests/{digest}");
        let put =
            world.push("PUT", &path, &[("content-type", media_type::OCI_MANIFEST)], &manifest);
        let put = put.await;
        assert_eq!((put.status, put.header("oci-subject")), (201, subject.as_str()));
        digests.push(digest);
    }
    let path = format!("/v2/app/referrers/{subject}");
    let all = world.get(&path).await;
    assert_eq!((all.status, all.header("content-type")), (200, media_type::OCI_INDEX));
    assert!(!all.headers.contains_key("oci-filters-applied"));
    let index = all.json();
    assert_eq!(
        (&index["schemaVersion"], &index["mediaType"]),
        (&json!(2), &json!(media_type::OCI_INDEX))
    );
    let listed = index["manifests"].as_array().unwrap();
    assert_eq!(listed.len(), 3);
    for entry in listed {
        let note = entry["annotations"]["note"].as_str().unwrap();
        let at = note.parse::<usize>().unwrap() - 1;
        assert_eq!(entry["digest"], digests[at].as_str());
        let kind = if at == 0 { "a/sbom+json" } else { CONFIG };
        assert_eq!(entry["artifactType"], kind);
        assert_eq!(entry["mediaType"], media_type::OCI_MANIFEST);
        assert!(entry["size"].as_u64().unwrap() > 100);
    }
    for (query, count) in [("a/sbom+json", 1), ("a%2Fsbom%2Bjson", 1), (CONFIG, 2), ("none", 0)] {
        let filtered = world.get(&format!("{path}?artifactType={query}")).await;
        assert_eq!(filtered.header("oci-filters-applied"), "artifactType");
        assert_eq!(filtered.json()["manifests"].as_array().unwrap().len(), count, "{query}");
    }
    // In pages.
    let (mut next, mut seen) = (format!("{path}?n=2"), 0);
    loop {
        let page = world.get(&next).await;
        seen += page.json()["manifests"].as_array().unwrap().len();
        let link = page.header("link").to_owned();
        let Some(rest) = link.strip_prefix('<') else { break };
        next = rest.strip_suffix(">; rel=\"next\"").unwrap().to_owned();
    }
    assert_eq!(seen, 3);
    let nobody = Digest::of(b"nobody");
    let none = world.get(&format!("/v2/app/referrers/{nobody}")).await;
    assert_eq!((none.status, &none.json()["manifests"]), (200, &json!([])));
    assert_eq!(world.get("/v2/app/referrers/sha256:1").await.status, 400);
    // Deleting one ends its reference.
    let gone = format!("/v2/app/manifests/{}", digests[0]);
    assert_eq!(world.ask("DELETE", &gone, &[]).await.status, 202);
    assert_eq!(world.get(&path).await.json()["manifests"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn referrers_of_an_upstream_are_found_by_its_referrers_tag() {
    let world = World::start().await;
    world.rule("hub").await;
    let subject = Digest::of(b"image");
    let signature = Digest::of(b"signature");
    let path = format!("/v2/hub/app/referrers/{subject}");
    let none = world.get(&path).await;
    assert_eq!((none.status, &none.json()["manifests"]), (200, &json!([])));
    let index = json!({"schemaVersion": 2, "manifests": [{
        "mediaType": media_type::OCI_MANIFEST, "digest": signature.as_str(), "size": 7,
        "artifactType": "a/signature", "annotations": {"k": "v"},
    }]});
    let tag = format!("sha256-{}", subject.hex());
    let index = index.to_string();
    world.upstream.add_manifest("app", Some(&tag), media_type::OCI_INDEX, index);
    world.clock.advance(61 * 1000);
    let found = world.get(&path).await.json();
    assert_eq!(found["manifests"][0]["digest"], signature.as_str(), "{found}");
    assert_eq!(found["manifests"][0]["artifactType"], "a/signature");
    let other = format!("/v2/hub/other/referrers/{subject}");
    world.upstream.script(&manifest_path("other", &tag), Script::status(503));
    assert_eq!(world.get(&other).await.status, 502, "a failure is not an empty list");
}

#[tokio::test]
async fn a_push_by_digest_may_name_tags() {
    let mut world = World::start().await;
    let config = push_blob(&world, "app", "{}").await;
    let manifest = image(&config, &[]).to_string();
    let digest = Digest::of(manifest.as_bytes());
    let put = async |world: &World, query: &str| {
        let path = format!("/v2/app/manifests/{digest}{query}");
        world.push("PUT", &path, &[("content-type", media_type::OCI_MANIFEST)], &manifest).await
    };
    let pushed = put(&world, "?tag=1.0&tag=latest").await;
    assert_eq!(pushed.status, 201, "{}", pushed.text());
    let tags: Vec<_> = pushed.headers.get_all("oci-tag").iter().collect();
    assert_eq!(tags, ["1.0", "latest"]);
    for tag in ["1.0", "latest"] {
        let path = format!("/v2/app/manifests/{tag}");
        assert_eq!(world.get(&path).await.header("docker-content-digest"), digest.as_str());
    }
    let wrong = put(&world, "?tag=.x").await;
    assert_eq!((wrong.status, wrong.code().as_str()), (400, "TAG_INVALID"));
    let many: Vec<_> = (0..101).map(|n| format!("tag={n}")).collect();
    assert_eq!(put(&world, &format!("?{}", many.join("&"))).await.status, 414);
    world.restart_with(|settings| settings.strict_ecr = true).await;
    let ignored = put(&world, "?tag=3").await;
    assert_eq!((ignored.status, ignored.header("oci-tag")), (201, ""));
    assert_eq!(world.get("/v2/app/manifests/3").await.status, 404);
}

#[tokio::test]
async fn a_blob_is_mounted_from_wherever_it_is() {
    let mut world = World::start().await;
    let blob = push_blob(&world, "one/app", "blob").await;
    let mount = format!("/v2/two/app/blobs/uploads/?mount={blob}");
    let mounted = world.push("POST", &mount, &[], "").await;
    assert_eq!(mounted.status, 201, "{}", mounted.text());
    assert_eq!(path_of(&mounted), format!("/v2/two/app/blobs/{blob}"));
    assert_eq!(world.get(&path_of(&mounted)).await.text(), "blob");
    let nowhere = Digest::of(b"nowhere");
    for from in ["", "&from=one/app", "&from=Bad"] {
        let path = format!("/v2/two/app/blobs/uploads/?mount={nowhere}{from}");
        assert_eq!(world.push("POST", &path, &[], "").await.status, 202, "{from}");
    }
    world.restart_with(|settings| settings.strict_ecr = true).await;
    world.ecr("CreateRepository", json!({"repositoryName": "three"})).await;
    let path = format!("/v2/three/blobs/uploads/?mount={blob}");
    assert_eq!(world.push("POST", &path, &[], "").await.status, 202);
}

#[tokio::test]
async fn tags_are_listed_in_pages() {
    let world = World::start().await;
    let config = push_blob(&world, "app", "{}").await;
    for tag in ["b", "A", "a", "1.0", "B"] {
        let path = format!("/v2/app/manifests/{tag}");
        assert_eq!(put_manifest(&world, &path, &image(&config, &[])).await.status, 201);
    }
    let all = ["1.0", "A", "a", "B", "b"];
    let list = "/v2/app/tags/list";
    let answer = world.get(list).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json(), json!({"name": "app", "tags": all}));
    assert!(!answer.headers.contains_key("link"));
    for (query, expected, link) in [
        ("?n=2", &all[..2], "</v2/app/tags/list?n=2&last=A>; rel=\"next\""),
        ("?n=2&last=A", &all[2..4], "</v2/app/tags/list?n=2&last=B>; rel=\"next\""),
        ("?n=2&last=B", &all[4..], ""),
        ("?n=5", &all[..], ""),
        ("?n=0", &[], ""),
        ("?last=a", &all[3..], ""),
        ("?n=99999999999999999999999", &all[..], ""),
    ] {
        let page = world.get(&format!("{list}{query}")).await;
        assert_eq!(page.json()["tags"], json!(expected), "{query}");
        assert_eq!(page.header("link"), link, "{query}");
    }
    for n in ["-1", "x", ""] {
        let refused = world.get(&format!("{list}?n={n}")).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "UNSUPPORTED"), "{n}");
    }
    let unknown = world.get("/v2/none/tags/list").await;
    assert_eq!((unknown.status, unknown.code().as_str()), (404, "NAME_UNKNOWN"));
    push_blob(&world, "empty", "{}").await;
    let empty = world.get("/v2/empty/tags/list").await;
    assert_eq!(empty.json(), json!({"name": "empty", "tags": []}));
    let catalog = world.get("/v2/_catalog?n=1").await;
    assert_eq!(catalog.json(), json!({"repositories": ["app"]}));
    assert_eq!(catalog.header("link"), "</v2/_catalog?n=1&last=app>; rel=\"next\"");
    let rest = world.get("/v2/_catalog?n=1&last=app").await;
    assert_eq!(rest.json(), json!({"repositories": ["empty"]}));
}

#[tokio::test]
async fn tags_manifests_and_blobs_are_deleted() {
    let world = World::start().await;
    let config = push_blob(&world, "app", "{}").await;
    let manifest = image(&config, &[]);
    for tag in ["1", "2", "3"] {
        put_manifest(&world, &format!("/v2/app/manifests/{tag}"), &manifest).await;
    }
    let digest = Digest::of(manifest.to_string().as_bytes());
    let by_digest = format!("/v2/app/manifests/{digest}");
    assert_eq!(world.get(&by_digest).await.status, 200);
    let deleted = world.ask("DELETE", "/v2/app/manifests/1", &[]).await;
    assert_eq!((deleted.status, deleted.announced), (202, Some(0)));
    assert_eq!(world.get("/v2/app/manifests/1").await.status, 404);
    assert_eq!(world.get("/v2/app/manifests/2").await.status, 200);
    assert_eq!(world.ask("DELETE", &by_digest, &[]).await.status, 202);
    let blob = format!("/v2/app/blobs/{config}");
    assert_eq!(world.get(&blob).await.status, 200);
    assert_eq!(world.ask("DELETE", &blob, &[]).await.status, 202);
    for (path, code) in [
        ("/v2/app/manifests/2", "MANIFEST_UNKNOWN"),
        ("/v2/app/manifests/3", "MANIFEST_UNKNOWN"),
        (&by_digest, "MANIFEST_UNKNOWN"),
        (&blob, "BLOB_UNKNOWN"),
        ("/v2/none/manifests/1", "NAME_UNKNOWN"),
        (&format!("/v2/none/blobs/{config}"), "NAME_UNKNOWN"),
    ] {
        for method in ["GET", "DELETE"] {
            let gone = world.ask(method, path, &[]).await;
            assert_eq!((gone.status, gone.code().as_str()), (404, code), "{method} {path}");
        }
    }
    assert_eq!(world.get("/v2/app/tags/list").await.json()["tags"], json!([]));
}

#[tokio::test]
async fn nobody_in_particular_pushes() {
    let world = World::start_with(|settings| settings.anonymous_pull = true).await;
    let digest = Digest::of(b"x");
    for (method, path) in [
        ("POST", "/v2/app/blobs/uploads/".to_owned()),
        ("POST", format!("/v2/app/blobs/uploads/?digest={digest}")),
        ("POST", format!("/v2/app/blobs/uploads/?mount={digest}&from=other")),
        ("GET", "/v2/app/blobs/uploads/0".to_owned()),
        ("PATCH", "/v2/app/blobs/uploads/0".to_owned()),
        ("PUT", format!("/v2/app/blobs/uploads/0?digest={digest}")),
        ("DELETE", "/v2/app/blobs/uploads/0".to_owned()),
        ("PUT", "/v2/app/manifests/1".to_owned()),
        ("DELETE", "/v2/app/manifests/1".to_owned()),
        ("DELETE", format!("/v2/app/blobs/{digest}")),
        ("GET", "/v2/app/tags/list".to_owned()),
        ("GET", "/v2/_catalog".to_owned()),
    ] {
        let refused = world.ask_as(method, &path, &[]).await;
        assert_eq!(refused.status, 401, "{method} {path}: {}", refused.text());
        assert!(refused.header("www-authenticate").starts_with("Basic "), "{method} {path}");
    }
}

#[tokio::test]
async fn other_methods_are_refused_with_those_that_are_not() {
    let world = World::start().await;
    let digest = Digest::of(b"x");
    for (method, path, allow) in [
        ("PUT", "/v2/".to_owned(), "GET, HEAD"),
        ("POST", "/v2/app/manifests/1".to_owned(), "GET, HEAD, PUT, DELETE"),
        ("PUT", format!("/v2/app/blobs/{digest}"), "GET, HEAD, DELETE"),
        ("GET", "/v2/app/blobs/uploads/".to_owned(), "POST"),
        ("POST", "/v2/app/blobs/uploads/0".to_owned(), "GET, HEAD, PATCH, PUT, DELETE"),
        ("DELETE", "/v2/app/tags/list".to_owned(), "GET, HEAD"),
        ("POST", "/v2/_catalog".to_owned(), "GET, HEAD"),
        ("PUT", format!("/v2/app/referrers/{digest}"), "GET, HEAD"),
    ] {
        let refused = world.ask(method, &path, &[]).await;
        assert_eq!((refused.status, refused.code().as_str()), (405, "UNSUPPORTED"), "{path}");
        assert_eq!(refused.header("allow"), allow, "{path}");
    }
}
