//! Rules.

use super::{
    ROUNDS, assert_refused,
    samples::{home, prefix, registry, rule, three_registries},
};
use crate::{Error, MetadataStore, Rule, RuleCredentials, RulePolicy, Span, Timestamp};

/// What was set comes back as typed; what was not set stays absent.
pub async fn come_back_as_typed(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let bare = rule("bare");
    let full = Rule {
        upstream_registry: Some("docker-hub".into()),
        upstream_repository_prefix: Some(prefix("library/")),
        credentials: RuleCredentials {
            credential_arn: Some("arn:aws:secretsmanager:us-east-1:000000000000:secret:a".into()),
            custom_role_arn: Some("arn:aws:iam::000000000000:role/pull".into()),
        },
        policy: Some(RulePolicy { fresh_for: Some(Span::Forever), ..RulePolicy::default() }),
        updated_at: Timestamp(2_000),
        ..rule("full/")
    };
    one.create_rule(&home(), &bare, None).await.expect("a first rule");
    other.create_rule(&home(), &full, None).await.expect("a second rule");
    assert_eq!(one.rules(&home()).await.expect("rules"), [bare, full]);
}

/// `a` and `a/` are one key, and the spelling of the first is kept.
pub async fn are_told_apart_without_trailing_slash(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    one.create_rule(&home(), &rule("quay/"), None).await.expect("a rule");
    for spelling in ["quay", "quay/"] {
        let again = other.create_rule(&home(), &rule(spelling), None).await;
        assert_refused!(again, Error::AlreadyExists);
    }
    assert_eq!(other.rules(&home()).await.expect("rules"), [rule("quay/")]);
    other.delete_rule(&home(), "quay").await.expect("the rule by its key");
    one.create_rule(&home(), &rule("quay"), None).await.expect("a key that is free again");
    assert_eq!(other.rules(&home()).await.expect("rules"), [rule("quay")]);
}

/// Listings are by prefix key, byte by byte; only the listed registry's.
pub async fn are_listed_by_key(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    assert_eq!(other.rules(&home()).await.expect("rules"), []);
    for text in ["zz", "ab/c", "ab-c", "ROOT", "ab/", "ab.c"] {
        one.create_rule(&home(), &rule(text), None).await.expect("a rule");
    }
    let listed = other.rules(&home()).await.expect("rules");
    let listed: Vec<&str> = listed.iter().map(|rule| rule.ecr_repository_prefix.as_str()).collect();
    assert_eq!(listed, ["ROOT", "ab/", "ab-c", "ab.c", "ab/c", "zz"]);
}

/// The limit counts one registry's rules; one that exists is named before the limit is.
pub async fn are_limited_per_registry(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    one.create_rule(&home(), &rule("first"), Some(2)).await.expect("the first");
    other.create_rule(&home(), &rule("second"), Some(2)).await.expect("the second");
    let third = one.create_rule(&home(), &rule("third"), Some(2)).await;
    assert_refused!(third, Error::LimitExceeded { limit: 2 });
    assert_eq!(other.rules(&home()).await.expect("rules").len(), 2, "a refused rule is not there");
    let again = other.create_rule(&home(), &rule("first"), Some(2)).await;
    assert_refused!(again, Error::AlreadyExists);
    let [_, elsewhere, _] = three_registries();
    one.create_rule(&elsewhere, &rule("third"), Some(2)).await.expect("another registry's first");
    one.delete_rule(&home(), "first").await.expect("the first");
    other.create_rule(&home(), &rule("third"), Some(2)).await.expect("one in place of the first");
    one.create_rule(&home(), &rule("fourth"), None).await.expect("one more without a limit");
}

/// An update sets what it names, leaves the rest, and returns the whole.
pub async fn keep_what_an_update_leaves_out(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let role = "arn:aws:iam::000000000000:role/pull".to_owned();
    let secret = "arn:aws:secretsmanager:us-east-1:000000000000:secret:b".to_owned();
    let mut expected = rule("team/a/");
    one.create_rule(&home(), &expected, None).await.expect("a rule");
    one.create_rule(&home(), &rule("team/ab"), None).await.expect("its neighbour");

    let only_role = RuleCredentials { custom_role_arn: Some(role.clone()), credential_arn: None };
    let at = Timestamp(2_000);
    let updated = other.update_rule(&home(), "team/a", &only_role, at).await.expect("the rule");
    expected.credentials.custom_role_arn = Some(role);
    expected.updated_at = at;
    assert_eq!(updated, expected);

    let only_secret =
        RuleCredentials { credential_arn: Some(secret.clone()), custom_role_arn: None };
    let at = Timestamp(3_000);
    let updated = one.update_rule(&home(), "team/a", &only_secret, at).await.expect("the rule");
    expected.credentials.credential_arn = Some(secret);
    expected.updated_at = at;
    assert_eq!(updated, expected);

    let neither = RuleCredentials::default();
    let at = Timestamp(4_000);
    let updated = other.update_rule(&home(), "team/a", &neither, at).await.expect("the rule");
    expected.updated_at = at;
    assert_eq!(updated, expected, "an update that names neither keeps both");
    assert_eq!(other.rules(&home()).await.expect("rules"), [expected, rule("team/ab")]);
    let none = other.update_rule(&home(), "team", &only_secret, at).await;
    assert_refused!(none, Error::NotFound);
}

/// A policy is set in place of another and taken away; nothing else of the rule changes, and an
/// update leaves it as it is.
pub async fn have_a_policy_of_their_own(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    let mut expected = rule("team/a/");
    one.create_rule(&home(), &expected, None).await.expect("a rule");
    one.create_rule(&home(), &rule("team/ab"), None).await.expect("its neighbour");
    let denies = RulePolicy {
        denied_tags: Some(vec!["latest".to_owned()]),
        missing_for: Some(Span::Millis(30_000)),
        ..RulePolicy::default()
    };
    let pins = RulePolicy { pinned_tags: Some(vec!["v*".to_owned()]), ..RulePolicy::default() };
    for policy in [denies, pins] {
        expected.policy = Some(policy.clone());
        let changed = other.set_rule_policy(&home(), "team/a", None, Some(&policy)).await;
        assert_eq!(changed.expect("the rule"), expected);
        let listed = one.rules(&home()).await.expect("rules");
        assert_eq!(listed, [expected.clone(), rule("team/ab")]);
    }
    let secret = "arn:aws:secretsmanager:us-east-1:000000000000:secret:b".to_owned();
    expected.credentials.credential_arn = Some(secret);
    let (credentials, at) = (expected.credentials.clone(), expected.updated_at);
    let updated = other.update_rule(&home(), "team/a", &credentials, at).await;
    assert_eq!(updated.expect("the rule"), expected);

    // Only in place of the one that is expected; none at all says nothing.
    let (held, nothing) = (expected.policy.clone().expect("a policy"), RulePolicy::default());
    let other_one = RulePolicy { minimum_age: Some(Span::Forever), ..held.clone() };
    for wrong in [&nothing, &other_one] {
        let refused = one.set_rule_policy(&home(), "team/a", Some(wrong), None).await;
        assert_refused!(refused, Error::NotFound);
    }
    assert_eq!(other.rules(&home()).await.expect("rules")[0], expected);
    expected.policy = Some(other_one.clone());
    let changed = one.set_rule_policy(&home(), "team/a", Some(&held), Some(&other_one)).await;
    assert_eq!(changed.expect("the rule"), expected);
    expected.policy = None;
    let changed = other.set_rule_policy(&home(), "team/a", None, None).await.expect("the rule");
    assert_eq!(changed, expected);
    let changed = one.set_rule_policy(&home(), "team/a", Some(&nothing), None).await;
    assert_eq!(changed.expect("the rule"), expected);
    for expected in [None, Some(&nothing)] {
        let absent = one.set_rule_policy(&home(), "team", expected, None).await;
        assert_refused!(absent, Error::NotFound);
        let [_, elsewhere, _] = three_registries();
        let absent = one.set_rule_policy(&elsewhere, "team/a", expected, None).await;
        assert_refused!(absent, Error::NotFound);
    }
}

/// A deletion returns the rule as it was; the registry is no longer one with rules.
pub async fn are_deleted_and_returned(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    assert_eq!(one.registries_with_rules().await.expect("registries"), []);
    let mut registries = three_registries();
    registries.sort();
    for registry in &registries {
        one.create_rule(registry, &rule("quay"), None).await.expect("a rule");
        one.create_rule(registry, &rule("docker-hub"), None).await.expect("another rule");
    }
    assert_eq!(other.registries_with_rules().await.expect("registries"), registries);

    let [first, gone, last] = registries;
    assert_eq!(other.delete_rule(&gone, "quay").await.expect("a rule"), rule("quay"));
    assert_refused!(one.delete_rule(&gone, "quay").await, Error::NotFound);
    assert_eq!(one.registries_with_rules().await.expect("registries").len(), 3);
    one.delete_rule(&gone, "docker-hub").await.expect("the other rule");
    assert_eq!(other.registries_with_rules().await.expect("registries"), [first, last]);
    let nowhere = registry("999999999999", "us-east-1");
    assert_refused!(other.delete_rule(&nowhere, "quay").await, Error::NotFound);
}

/// Of two that create one rule at the same time, one wins and the other learns it.
pub async fn are_created_once_by_two_at_once(one: &dyn MetadataStore, other: &dyn MetadataStore) {
    for round in 0..ROUNDS {
        let slash = rule(&format!("race-{round}/"));
        let bare = rule(&format!("race-{round}"));
        let registry = home();
        let (left, right) = tokio::join!(
            one.create_rule(&registry, &slash, None),
            other.create_rule(&registry, &bare, None),
        );
        let winner = match (left, right) {
            (Ok(()), Err(Error::AlreadyExists)) => slash,
            (Err(Error::AlreadyExists), Ok(())) => bare,
            both => panic!("round {round}: {both:?}"),
        };
        let rules = one.rules(&registry).await.expect("rules");
        assert_eq!(rules.len(), round + 1);
        assert!(rules.contains(&winner), "round {round}");
    }
}

/// Of two that create the last rule allowed at the same time, one wins.
pub async fn never_exceed_the_limit_by_two_at_once(
    one: &dyn MetadataStore,
    other: &dyn MetadataStore,
) {
    for round in 0..ROUNDS {
        let (left, right) = (rule(&format!("left-{round}")), rule(&format!("right-{round}")));
        let registry = home();
        let limit = u32::try_from(round + 1).ok();
        let results = tokio::join!(
            one.create_rule(&registry, &left, limit),
            other.create_rule(&registry, &right, limit),
        );
        assert!(
            matches!(
                results,
                (Ok(()), Err(Error::LimitExceeded { .. }))
                    | (Err(Error::LimitExceeded { .. }), Ok(()))
            ),
            "round {round}: {results:?}"
        );
        assert_eq!(other.rules(&registry).await.expect("rules").len(), round + 1);
    }
}
