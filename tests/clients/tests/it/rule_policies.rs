//! Policies of rules, set by the AWS CLI with a model of Cistern's own operations and by `cistern
//! rule policy`, and what skopeo then gets.

use clients::cistern::workspace;
use clients::{AwsCli, Image, Skopeo, UpstreamRegistry, or_skip};
use serde_json::json;

use crate::scene::{DOCKER_HUB, cache_of_docker_hub};

#[test]
fn a_policy_decides_what_skopeo_gets() {
    let mut upstream = or_skip!(UpstreamRegistry::open());
    let [old, new, newest] = [1 << 10, 1 << 11, 1 << 12].map(Image::one_layer);
    upstream.push(&old, "team/app", "1");
    let cistern = cache_of_docker_hub(&upstream.url());
    let mut environment = cistern.environment();
    let models = workspace().join("tests/clients/documents/models").display().to_string();
    environment.push(("AWS_DATA_PATH".to_owned(), models));
    let aws = or_skip!(AwsCli::new(environment));
    let skopeo = or_skip!(Skopeo::new());
    skopeo.login(&cistern.host(), "AWS", &aws.login_password()).success();
    let say = |words: &[&str]| cistern.command(&[&["rule"], words].concat()).success();
    say(&["add", "hub", DOCKER_HUB, "--no-validate"]);
    let at = |name: &str| format!("{}/hub/team/{name}", cistern.host());

    // A day passes before anybody asks again, unless the rule says otherwise: then at once.
    skopeo.pull(&at("app:1")).assert_whole(&old);
    upstream.push(&new, "team/app", "1");
    skopeo.pull(&at("app:1")).assert_whole(&old);
    let put = ["cistern", "put-pull-through-cache-rule-policy", "--ecr-repository-prefix", "hub"];
    let put = aws.json(&[&put[..], &["--policy", "freshFor=0"]].concat());
    assert_eq!(put["policy"], json!({"freshFor": "0"}));
    assert_eq!(put["effectivePolicy"]["staleDeadline"], "2s");
    skopeo.pull(&at("app:1")).assert_whole(&new);

    // Pinned, it stays, until it is unpinned.
    say(&["policy", "set", "hub", "--pinned-tag", "1"]);
    upstream.push(&newest, "team/app", "1");
    skopeo.pull(&at("app:1")).assert_whole(&new);
    say(&["policy", "unset", "hub", "pinned-tags"]);
    skopeo.pull(&at("app:1")).assert_whole(&newest);

    // Denied, it is refused by name, cached or not.
    say(&["policy", "set", "hub", "--denied-repository", "team/secret*", "--denied-tag", "*-rc"]);
    for name in ["secret-app:1", "app:1-rc"] {
        let refused = skopeo.copy(&at(name), &[]).expect_err("a list denies it").failure();
        assert!(refused.contains("may not be pulled through the rule hub"), "{refused}");
    }
    let listed = ["cistern", "describe-pull-through-cache-rule-policies"];
    let listed = aws.json(&listed);
    let policy = &listed["pullThroughCacheRulePolicies"][0]["policy"];
    assert_eq!(policy["deniedRepositories"], json!(["team/secret*"]));
    assert_eq!(policy["freshFor"], "0", "what the command does not name stays");

    // What is missing upstream is asked for once.
    say(&["policy", "set", "hub", "--missing-for", "1h"]);
    upstream.forget_requests();
    for _ in 0..5 {
        let missing = skopeo.raw_manifest(&at("app:nope")).failure();
        assert!(missing.contains("unknown"), "{missing}");
    }
    // Until it is pushed: what is here needs no upstream.
    skopeo.push(&old, &at("app:nope"), &[]).success();
    skopeo.pull(&at("app:nope")).assert_whole(&old);

    let delete = ["cistern", "delete-pull-through-cache-rule-policy"];
    let deleted = aws.json(&[&delete[..], &["--ecr-repository-prefix", "hub"]].concat());
    assert_eq!(deleted["policy"]["missingFor"], "1h");
    upstream.stop();
    let asked = upstream.requests();
    let asked: Vec<_> =
        asked.iter().filter(|request| request.path.ends_with("/manifests/nope")).collect();
    // Once more where the process hears of its own change of the rules in between.
    assert!((1..=2).contains(&asked.len()), "{asked:?}");
    skopeo.pull(&at("app:1")).assert_whole(&newest);
}
