//! What there is behind a cache: tags, short names, referrers; and several parts of a blob at once.

use clients::raw_http::{Ending, RawHttp};
use clients::{AwsCli, Cistern, Image, Missing, Skopeo, UpstreamRegistry, or_skip};
use serde_json::{Value, json};

use crate::scene::{DOCKER_HUB, aws_cli, cache_of_docker_hub};

/// The public name of a cistern that is another one's upstream.
const FAR: &str = "far.example";

#[track_caller]
fn logged_in(cistern: &Cistern, aws: &AwsCli) -> Result<Skopeo, Missing> {
    let skopeo = Skopeo::new()?;
    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    Ok(skopeo)
}

#[track_caller]
fn create_rule(aws: &AwsCli, prefix: &str, url: &str, credentials: &[&str]) {
    let create = ["ecr", "create-pull-through-cache-rule", "--ecr-repository-prefix", prefix];
    aws.json(&[&create[..], &["--upstream-registry-url", url], credentials].concat());
}

#[test]
fn official_images_have_one_name_and_all_their_tags() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let image = Image::one_layer(1 << 12);
    for (name, tag) in [("library/nginx", "1"), ("library/nginx", "2"), ("demo", "1")] {
        upstream.push(&image, name, tag);
    }
    let cistern = cache_of_docker_hub(&upstream.url());
    let aws = or_skip!(aws_cli(&cistern));
    let skopeo = or_skip!(logged_in(&cistern, &aws));
    create_rule(&aws, "docker-hub", DOCKER_HUB, &[]);
    let at = |name: &str| format!("{}/docker-hub/{name}", cistern.host());
    for reference in ["nginx:1", "library/nginx:1", "demo:1"] {
        skopeo.pull(&at(reference)).assert_whole(&image);
    }
    let listed = aws.json(&["ecr", "describe-repositories"]);
    let names = listed["repositories"].as_array().expect("a list").iter();
    let names: Vec<_> = names.filter_map(|one| one["repositoryName"].as_str()).collect();
    assert_eq!(names, ["docker-hub/demo", "docker-hub/library/nginx"]);
    let tags = |name: &str| -> Value {
        let said = skopeo.list_tags(&at(name)).success();
        serde_json::from_str::<Value>(&said).expect("JSON")["Tags"].clone()
    };
    for name in ["nginx", "library/nginx"] {
        assert_eq!(tags(name), json!(["1", "2"]), "one of them was never pulled");
    }
    upstream.stop();
    assert_eq!(tags("nginx"), json!(["1", "2"]));
    skopeo.pull(&at("nginx:1")).assert_whole(&image);
}

/// A cistern with an image and its signature, and another one in front of it.
struct Chain {
    far: Cistern,
    near: Cistern,
    image: Image,
    skopeo: Skopeo,
    signature: Value,
    digest: String,
}

impl Chain {
    #[track_caller]
    fn start() -> Result<Self, Missing> {
        let far = Cistern::start(&[]);
        let endpoint = format!("{FAR}={}", far.url());
        let near = Cistern::start(&["--upstream-endpoint", &endpoint]);
        let image = Image::one_layer(1 << 16);
        let aws = aws_cli(&far)?;
        let pushed = format!("{}/team/app:1", far.host());
        logged_in(&far, &aws)?.push(&image, &pushed, &[]).success();
        let manifest = image.bytes(&image.digest);
        let mut signature: Value = serde_json::from_slice(&manifest).expect("JSON");
        signature["artifactType"] = json!("application/vnd.example.signature");
        signature["annotations"] = json!({"by": "a test"});
        signature["subject"] = json!({
            "mediaType": signature["mediaType"], "digest": image.digest, "size": manifest.len(),
        });
        let text = signature.to_string();
        let put = ["ecr", "put-image", "--repository-name", "team/app", "--image-tag", "signature"];
        let put = aws.json(&[&put[..], &["--image-manifest", &text]].concat());
        let digest = put["image"]["imageId"]["imageDigest"].as_str().expect("a digest").to_owned();

        let environment = far.environment();
        let value = |name: &str| {
            let found = environment.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone()).expect("cistern env prints it")
        };
        let (username, token) = (value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY"));
        let account = json!({"username": username, "accessToken": token}).to_string();
        let aws = aws_cli(&near)?;
        let create = ["secretsmanager", "create-secret", "--name", "ecr-pullthroughcache/far"];
        let secret = aws.json(&[&create[..], &["--secret-string", &account]].concat());
        let arn = secret["ARN"].as_str().expect("an ARN");
        create_rule(&aws, "far", FAR, &["--credential-arn", arn]);
        let skopeo = logged_in(&near, &aws)?;
        Ok(Self { far, near, image, skopeo, signature, digest })
    }

    /// Asks the nearer one for the referrers of the image.
    async fn referrers(&self) -> (String, Value) {
        let path = format!("/v2/far/team/app/referrers/{}", self.image.digest);
        let answer = RawHttp::of(&self.near).get(&path, "").await;
        assert_eq!(answer.status, 200);
        let cache_status = answer.header("cache-status").unwrap_or_default().to_owned();
        let (body, ending) = answer.rest().await;
        assert_eq!(ending, Ending::Clean);
        let index: Value = serde_json::from_slice(&body).expect("JSON");
        (cache_status, index["manifests"].clone())
    }
}

#[tokio::test]
async fn signatures_come_through_and_stay() {
    let mut chain = or_skip!(Chain::start());
    let reference = format!("{}/far/team/app", chain.near.host());
    chain.skopeo.pull(&format!("{reference}:1")).assert_whole(&chain.image);
    let expected = json!([{
        "mediaType": chain.signature["mediaType"],
        "digest": chain.digest,
        "size": chain.signature.to_string().len(),
        "artifactType": "application/vnd.example.signature",
        "annotations": {"by": "a test"},
    }]);
    assert_eq!(chain.referrers().await, ("cistern; fwd=miss".to_owned(), expected.clone()));
    let signature = chain.skopeo.raw_manifest(&format!("{reference}@{}", chain.digest)).success();
    assert_eq!(signature.trim(), chain.signature.to_string());

    chain.far.terminate();
    assert_eq!(chain.referrers().await, ("cistern; hit".to_owned(), expected.clone()));
    // The process after it knows what was pulled, and that there may be more.
    chain.near.terminate();
    chain.near.restart();
    let (status, found) = chain.referrers().await;
    assert_eq!(found, expected);
    assert!(status.starts_with("cistern; fwd=stale"), "{status}");
}

#[tokio::test]
async fn parts_of_a_blob_come_together_cold_and_warm() {
    let chain = or_skip!(Chain::start());
    let digest = chain.image.largest_blob();
    let (bytes, client) = (chain.image.bytes(digest), RawHttp::of(&chain.near));
    let path = format!("/v2/far/team/app/blobs/{digest}");
    let ranges = "Range: bytes=1000-1999,0-9, -100\r\n";
    let parts = [&bytes[1000..2000], &bytes[..10], &bytes[bytes.len() - 100..]];
    for _ in ["cold", "warm"] {
        let answer = client.get(&path, ranges).await;
        assert_eq!(answer.status, 206);
        let kind = answer.header("content-type").expect("one").to_owned();
        let boundary = kind.strip_prefix("multipart/byteranges; boundary=").expect("parts");
        let (body, ending) = answer.rest().await;
        assert_eq!(ending, Ending::Clean);
        let mut rest = body.as_slice();
        for part in parts {
            assert!(rest.windows(boundary.len()).any(|text| text == boundary.as_bytes()));
            let head = rest.windows(4).position(|text| text == b"\r\n\r\n").expect("a head");
            rest = &rest[head + 4..];
            assert!(rest.starts_with(part));
            rest = &rest[part.len()..];
        }
        assert_eq!(rest, format!("\r\n--{boundary}--\r\n").as_bytes());
    }
}
