//! What a lifecycle policy says about the images of a repository.
//!
//! User Guide, "Lifecycle policy evaluation rules": all rules are evaluated over all images first
//! and then applied in the order of their priority; an image is marked by at most one rule; one
//! that matches the tags of a rule is never marked by a rule after it, marked or not.

use std::{cmp::Reverse, collections::HashSet};

use metadata::{Image, Storage, Timestamp};
use oci::{Digest, Tag, media_type};

use crate::repositories::lifecycle::{Action, Count, LifecyclePolicy};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What of an image matters to a lifecycle policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) digest: Digest,
    pub(crate) tags: Vec<Tag>,
    pub(crate) pushed_at: Timestamp,
    pub(crate) last_pulled_at: Option<Timestamp>,
    pub(crate) storage: Storage,
    /// The manifest it refers to.
    pub(crate) subject: Option<Digest>,
    /// The manifests it names, where it is an index.
    pub(crate) manifests: Vec<Digest>,
}

/// What becomes of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Which image, by its place among those that were evaluated.
    pub(crate) place: usize,
    /// The priority of the rule that marks it.
    pub(crate) priority: u64,
    pub(crate) action: Action,
}

impl From<Image> for Candidate {
    fn from(Image { manifest, tags }: Image) -> Self {
        let manifests = match media_type::is_index(&manifest.media_type) {
            true => manifest.children.into_iter().map(|child| child.digest).collect(),
            false => Vec::new(),
        };
        Self {
            digest: manifest.digest,
            tags,
            pushed_at: manifest.pushed_at,
            last_pulled_at: manifest.last_pulled_at,
            storage: manifest.storage,
            subject: manifest.subject,
            manifests,
        }
    }
}

/// Says what becomes of which images, the oldest first.
pub(crate) fn evaluate(
    policy: &LifecyclePolicy,
    candidates: &[Candidate],
    now: Timestamp,
) -> Vec<Verdict> {
    let selectable = selectable(candidates);
    let mut claimed = vec![false; candidates.len()];
    let mut verdicts = Vec::new();
    for rule in &policy.rules {
        let mut identified: Vec<usize> = selectable
            .iter()
            .copied()
            .filter(|place| {
                let candidate = &candidates[*place];
                rule.is_archive == candidate.storage.is_archived
                    && rule.tags.selects(&candidate.tags)
            })
            .collect();
        identified.sort_by_key(|place| Reverse(age_key(&candidates[*place])));
        let marked = marked(rule.count, &identified, candidates, now);
        let fresh = marked.into_iter().filter(|place| !claimed[*place]);
        let verdict = |place| Verdict { place, priority: rule.priority, action: rule.action };
        verdicts.extend(fresh.map(verdict));
        for place in identified {
            claimed[place] = true;
        }
    }
    verdicts.sort_by_key(|verdict| age_key(&candidates[verdict.place]));
    verdicts
}

/// Returns the places of the images that rules may select.
///
/// An image that an index names cannot go before the index does; ECR does not count it either (26
/// images of which two were parts of an index, of which a rule is to keep 20, lost four:
/// DefangLabs/pulumi-defang#466, 2026-09). What refers to an image that is here goes with that
/// ("reference artifacts", User Guide); whether ECR counts it among the images is not documented.
/// It is not counted here: a rule for images without a tag would take the signatures of what stays.
fn selectable(candidates: &[Candidate]) -> Vec<usize> {
    let here: HashSet<&Digest> = candidates.iter().map(|candidate| &candidate.digest).collect();
    let parts: HashSet<&Digest> = candidates
        .iter()
        .flat_map(|index| index.manifests.iter().filter(|part| **part != index.digest))
        .collect();
    let is_free = |candidate: &Candidate| {
        let refers = candidate.subject.as_ref().is_some_and(|subject| here.contains(subject));
        !refers && !parts.contains(&candidate.digest)
    };
    (0..candidates.len()).filter(|place| is_free(&candidates[*place])).collect()
}

/// Which of the images that a rule identifies, newest first, it marks.
fn marked(
    count: Count,
    identified: &[usize],
    candidates: &[Candidate],
    now: Timestamp,
) -> Vec<usize> {
    let older = |days: u64, moment: fn(&Candidate) -> Timestamp| {
        let age_max = i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(DAY_MS);
        let is_older =
            |place: &usize| now.0.saturating_sub(moment(&candidates[*place]).0) > age_max;
        identified.iter().copied().filter(is_older).collect()
    };
    match count {
        Count::MoreThan(kept) => {
            let kept = usize::try_from(kept).unwrap_or(usize::MAX);
            identified.iter().copied().skip(kept).collect()
        }
        Count::PushedDays(days) => older(days, Candidate::renewed_at),
        // "If an image was never pulled, the image's pushed_at_time is used instead." And one that
        // was restored and not pulled since counts from its restoration ("last_activated_at").
        Count::PulledDays(days) => older(days, |candidate| {
            let pulled_at = candidate.last_pulled_at.unwrap_or(candidate.pushed_at);
            candidate.storage.activated_at.map_or(pulled_at, |at| at.max(pulled_at))
        }),
        // One that is archived has such a moment.
        Count::ArchivedDays(days) => {
            older(days, |candidate| candidate.storage.archived_at.unwrap_or(candidate.pushed_at))
        }
    }
}

/// Orders images from the oldest to the newest; those of one moment by digest, so that two
/// evaluations agree.
fn age_key(candidate: &Candidate) -> (Timestamp, &str) {
    (candidate.renewed_at(), candidate.digest.as_str())
}

impl Candidate {
    /// When it was pushed, or restored since: "Restored images behave like newly pushed images"
    /// (User Guide, "Archiving an image in Amazon ECR"). A rule that archived it for its age would
    /// archive it again at once, and one that expires would delete what somebody asked back.
    fn renewed_at(&self) -> Timestamp {
        self.storage.activated_at.map_or(self.pushed_at, |at| at.max(self.pushed_at))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::repositories::lifecycle::parse;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn digest(name: &str) -> Digest {
        Digest::of(name.as_bytes())
    }

    /// An image that was pushed so many days ago.
    fn image(name: &str, tags: &[&str], days: f64) -> Candidate {
        Candidate {
            digest: digest(name),
            tags: tags.iter().map(|tag| Tag::parse(tag).unwrap()).collect(),
            pushed_at: Timestamp(NOW.0 - (days * DAY_MS as f64) as i64),
            last_pulled_at: None,
            storage: Storage::default(),
            subject: None,
            manifests: Vec::new(),
        }
    }

    fn pulled(days: i64, image: Candidate) -> Candidate {
        Candidate { last_pulled_at: Some(Timestamp(NOW.0 - days * DAY_MS)), ..image }
    }

    fn archived(days: i64, image: Candidate) -> Candidate {
        let archived_at = Some(Timestamp(NOW.0 - days * DAY_MS));
        Candidate { storage: Storage { is_archived: true, archived_at, ..image.storage }, ..image }
    }

    fn restored(days: i64, image: Candidate) -> Candidate {
        let activated_at = Some(Timestamp(NOW.0 - days * DAY_MS));
        Candidate { storage: Storage { activated_at, ..image.storage }, ..image }
    }

    fn index(parts: &[&str], image: Candidate) -> Candidate {
        Candidate { manifests: parts.iter().map(|part| digest(part)).collect(), ..image }
    }

    fn refers(subject: &str, image: Candidate) -> Candidate {
        Candidate { subject: Some(digest(subject)), ..image }
    }

    fn expire(selections: &[Value]) -> LifecyclePolicy {
        let rule = |(priority, selection): (usize, &Value)| {
            json!({
                "rulePriority": priority + 1,
                "selection": selection,
                "action": {"type": "expire"},
            })
        };
        let rules: Vec<_> = selections.iter().enumerate().map(rule).collect();
        parse(&json!({ "rules": rules }).to_string()).unwrap()
    }

    fn more_than(count: u64, mut selection: Value) -> Value {
        selection["countType"] = "imageCountMoreThan".into();
        selection["countNumber"] = count.into();
        selection
    }

    fn since(count_type: &str, days: u64, mut selection: Value) -> Value {
        selection["countType"] = count_type.into();
        selection["countUnit"] = "days".into();
        selection["countNumber"] = days.into();
        selection
    }

    fn patterns(patterns: &[&str]) -> Value {
        json!({"tagStatus": "tagged", "tagPatternList": patterns})
    }

    fn prefixes(prefixes: &[&str]) -> Value {
        json!({"tagStatus": "tagged", "tagPrefixList": prefixes})
    }

    fn any() -> Value {
        json!({"tagStatus": "any"})
    }

    fn untagged() -> Value {
        json!({"tagStatus": "untagged"})
    }

    /// The names of the images that go, each with the rule's priority, the oldest first.
    fn outcome(policy: &LifecyclePolicy, images: &[(&str, Candidate)]) -> Vec<(String, u64)> {
        let candidates: Vec<_> = images.iter().map(|(_, image)| image.clone()).collect();
        evaluate(policy, &candidates, NOW)
            .into_iter()
            .map(|verdict| (images[verdict.place].0.to_owned(), verdict.priority))
            .collect()
    }

    fn assert_goes(
        what: &str,
        rules: &[Value],
        images: &[(&str, Candidate)],
        expected: &[(&str, u64)],
    ) {
        let expected: Vec<_> =
            expected.iter().map(|(name, priority)| ((*name).to_owned(), *priority)).collect();
        assert_eq!(outcome(&expire(rules), images), expected, "{what}");
    }

    /// The examples of the User Guide, "Examples of lifecycle policies", with what it says comes
    /// of them.
    #[test]
    fn documented_examples() {
        let two = || {
            [
                ("A", image("A", &["beta-1", "prod-1"], 10.0)),
                ("B", image("B", &["beta-2", "prod-2"], 9.0)),
                ("C", image("C", &["beta-3"], 8.0)),
            ]
        };
        let prod = || more_than(1, patterns(&["prod*"]));
        let beta = || more_than(1, patterns(&["beta*"]));
        assert_goes("several rules, A", &[prod(), beta()], &two(), &[("A", 1)]);
        assert_goes("several rules, B", &[beta(), prod()], &two(), &[("A", 1), ("B", 1)]);

        let both = ["alpha*", "beta*"];
        assert_goes(
            "several tags in one rule, A",
            &[since("sinceImagePushed", 5, patterns(&both))],
            &[
                ("A", image("A", &["alpha-1"], 12.0)),
                ("B", image("B", &["beta-1"], 11.0)),
                ("C", image("C", &["alpha-2", "beta-2"], 10.0)),
                ("D", image("D", &["alpha-3"], 4.0)),
                ("E", image("E", &["beta-3"], 3.0)),
                ("F", image("F", &["alpha-4", "beta-4"], 2.0)),
            ],
            &[("C", 1)],
        );
        assert_goes(
            "several tags in one rule, B",
            &[more_than(1, patterns(&both))],
            &[
                ("A", image("A", &["alpha-1", "beta-1", "gamma-1"], 10.0)),
                ("B", image("B", &["alpha-2", "beta-2"], 9.0)),
                ("C", image("C", &["alpha-3", "beta-3", "gamma-2"], 8.0)),
            ],
            &[("A", 1), ("B", 1)],
        );
        assert_goes(
            "all images, A",
            &[more_than(1, any())],
            &[
                ("A", image("A", &["alpha-1"], 4.0)),
                ("B", image("B", &["beta-1"], 3.0)),
                ("C", image("C", &[], 2.0)),
                ("D", image("D", &["alpha-2"], 1.0)),
            ],
            &[("A", 1), ("B", 1), ("C", 1)],
        );
        assert_goes(
            "all images, B",
            &[
                more_than(1, patterns(&["alpha*"])),
                since("sinceImagePushed", 1, untagged()),
                more_than(1, any()),
            ],
            &[
                ("A", image("A", &["alpha-1", "beta-1"], 4.0)),
                ("B", image("B", &[], 3.0)),
                ("C", image("C", &["alpha-2"], 2.0)),
                ("D", image("D", &["git_hash"], 1.001)),
                ("E", image("E", &[], 1.0)),
            ],
            &[("A", 1), ("B", 2), ("D", 3)],
        );
    }

    #[test]
    fn ages_and_counts() {
        let images = || {
            [
                ("old", pulled(1, image("old", &["v1"], 30.0))),
                ("idle", pulled(20, image("idle", &["v2"], 25.0))),
                ("never", image("never", &["w1"], 15.0)),
                ("new", image("new", &[], 1.0)),
            ]
        };
        for (what, rules, expected) in [
            ("a day more", &[since("sinceImagePushed", 24, any())][..], &["old", "idle"][..]),
            ("to the day", &[since("sinceImagePushed", 25, any())], &["old"]),
            ("pulled", &[since("sinceImagePulled", 10, any())], &["idle", "never"]),
            ("prefixes", &[more_than(1, prefixes(&["v"]))], &["old"]),
            ("all prefixes", &[more_than(1, prefixes(&["v", "w"]))], &[]),
            ("a pattern is whole", &[more_than(1, patterns(&["v"]))], &[]),
            ("fewer than that", &[more_than(4, any())], &[]),
            ("far too many days", &[since("sinceImagePushed", u64::MAX, any())], &[]),
            ("without a tag", &[more_than(1, untagged())], &[]),
        ] {
            let expected: Vec<_> = expected.iter().map(|name| (*name, 1)).collect();
            assert_goes(what, rules, &images(), &expected);
        }
        let shield = [since("sinceImagePushed", 1000, prefixes(&["v"])), more_than(1, any())];
        assert_goes("a rule that marks nothing shields", &shield, &images(), &[("never", 2)]);
    }

    #[test]
    fn parts_of_an_index_and_what_refers_stay_with_it() {
        let images = [
            ("amd64", image("amd64", &[], 40.0)),
            ("attestation", image("attestation", &[], 40.0)),
            ("index", index(&["amd64", "attestation", "absent"], image("index", &["v1"], 39.0))),
            ("signature", refers("index", image("signature", &[], 38.0))),
            ("of the signature", refers("signature", image("of the signature", &[], 37.0))),
            ("orphan", refers("gone", image("orphan", &[], 36.0))),
            ("single", image("single", &["v2"], 35.0)),
        ];
        assert_goes(
            "untagged",
            &[since("sinceImagePushed", 1, untagged())],
            &images,
            &[("orphan", 1)],
        );
        assert_goes(
            "the index goes, and nothing is counted that is part of something",
            &[more_than(1, any())],
            &images,
            &[("index", 1), ("orphan", 1)],
        );
    }

    #[test]
    fn rules_are_about_one_class() {
        let policy = json!({"rules": [
            {
                "rulePriority": 5,
                "selection": since("sinceImagePushed", 30, patterns(&["prod*"])),
                "action": {"type": "transition", "targetStorageClass": "archive"},
            },
            {
                "rulePriority": 7,
                "selection": since("sinceImageTransitioned", 365, json!({
                    "tagStatus": "any", "storageClass": "archive",
                })),
                "action": {"type": "expire"},
            },
            {
                "rulePriority": 9,
                "selection": since("sinceImagePushed", 10, any()),
                "action": {"type": "expire"},
            },
        ]});
        let policy = parse(&policy.to_string()).unwrap();
        let images = [
            image("old", &["prod-1"], 31.0),
            image("new", &["prod-2"], 29.0),
            image("x", &[], 11.0),
            archived(366, image("archived", &["prod-3"], 400.0)),
            archived(365, image("later", &[], 400.0)),
        ];
        let verdict = |place, priority, action| Verdict { place, priority, action };
        assert_eq!(
            evaluate(&policy, &images, NOW),
            [
                verdict(3, 7, Action::Expire),
                verdict(0, 5, Action::Transition),
                verdict(2, 9, Action::Expire),
            ]
        );
    }

    #[test]
    fn what_was_restored_counts_as_new() {
        let images = || {
            [
                ("idle", restored(20, pulled(30, image("idle", &[], 90.0)))),
                ("back", restored(5, pulled(30, image("back", &[], 80.0)))),
                ("used", restored(20, pulled(1, image("used", &[], 70.0)))),
                ("plain", image("plain", &[], 10.0)),
            ]
        };
        let goes = |rule: Value, expected: &[&str]| {
            let expected: Vec<_> = expected.iter().map(|name| (*name, 1)).collect();
            assert_goes(&rule.to_string(), std::slice::from_ref(&rule), &images(), &expected);
        };
        goes(since("sinceImagePulled", 10, any()), &["idle"]);
        goes(since("sinceImagePushed", 8, any()), &["idle", "used", "plain"]);
        goes(more_than(1, any()), &["idle", "used", "plain"]);
    }

    /// Whatever the images are, a policy says the same of them in any order.
    #[test]
    fn the_order_of_the_images_does_not_matter() {
        let rules = [more_than(2, prefixes(&["v"])), since("sinceImagePushed", 3, any())];
        let mut images: Vec<_> = (0..40)
            .map(|number| {
                let name: &str = Box::leak(format!("i{number}").into_boxed_str());
                let tags: &[&str] = if number % 3 == 0 { &["v1"] } else { &[] };
                (name, image(name, tags, f64::from(number % 7)))
            })
            .collect();
        let expected = outcome(&expire(&rules), &images);
        assert!(!expected.is_empty());
        images.reverse();
        assert_eq!(outcome(&expire(&rules), &images), expected);
        images.rotate_left(13);
        assert_eq!(outcome(&expire(&rules), &images), expected);
    }
}
