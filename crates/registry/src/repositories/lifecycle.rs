//! The grammar of lifecycle policies (User Guide, "Lifecycle policy properties in Amazon ECR").
//!
//! What is known of ECR's own words for what is wrong is kept; the rest names the place.

use metadata::matches_wildcard;
use oci::Tag;
use serde_json::{Map, Value};

use crate::{PolicyKind, SettingError};

/// `LifecyclePolicyText`: so many characters, and the rules of one policy.
const CHARS: std::ops::RangeInclusive<usize> = 100..=30_720;
const RULES_MAX: usize = 50;
/// Stars in one tag pattern.
const STARS_MAX: usize = 4;
/// How long an image is archived before a policy may delete it (User Guide, "Archiving an image").
const ARCHIVED_DAYS_MIN: u64 = 90;

type Object = Map<String, Value>;

/// A lifecycle policy, its rules in the order of their priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LifecyclePolicy {
    pub(crate) rules: Vec<Rule>,
}

/// A rule: which images, from when on, and what becomes of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) priority: u64,
    pub(crate) tags: TagSelection,
    /// Whether it selects images that are archived, instead of those that are not.
    pub(crate) is_archive: bool,
    pub(crate) count: Count,
    pub(crate) action: Action,
}

/// Which images a rule selects by their tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TagSelection {
    Any,
    Untagged,
    /// Each of these is the beginning of one of the image's tags.
    Prefixes(Vec<String>),
    /// Each of these matches one of the image's tags.
    Patterns(Vec<String>),
}

/// Which of the selected images a rule marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Count {
    /// All but the newest.
    MoreThan(u64),
    /// Those pushed more than so many days ago.
    PushedDays(u64),
    /// Those last pulled more than so many days ago.
    PulledDays(u64),
    /// Those archived more than so many days ago.
    ArchivedDays(u64),
}

/// What becomes of an image that a rule marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Expire,
    /// To the archive, the only class there is to move to.
    Transition,
}

impl TagSelection {
    /// Tells whether it selects an image with these tags.
    pub(crate) fn selects(&self, tags: &[Tag]) -> bool {
        match self {
            Self::Any => true,
            Self::Untagged => tags.is_empty(),
            Self::Prefixes(prefixes) => prefixes
                .iter()
                .all(|prefix| tags.iter().any(|tag| tag.as_str().starts_with(prefix.as_str()))),
            Self::Patterns(patterns) => patterns
                .iter()
                .all(|pattern| tags.iter().any(|tag| matches_wildcard(pattern, tag.as_str()))),
        }
    }
}

/// Checks a lifecycle policy.
pub(crate) fn check(text: &str) -> Result<(), SettingError> {
    let chars = text.chars().count();
    for (is_broken, bound) in [
        (chars < *CHARS.start(), format!("greater than or equal to {}", CHARS.start())),
        (chars > *CHARS.end(), format!("less than or equal to {}", CHARS.end())),
    ] {
        if is_broken {
            let reason = format!("must have length {bound}");
            return Err(SettingError::Invalid { field: "lifecyclePolicyText", reason });
        }
    }
    check_grammar(text)
}

/// Checks the grammar of a lifecycle policy, whatever its length.
pub(crate) fn check_grammar(text: &str) -> Result<(), SettingError> {
    parse(text).map(drop)
}

/// Reads a lifecycle policy, whatever its length.
pub(crate) fn parse(text: &str) -> Result<LifecyclePolicy, SettingError> {
    let rules = read_rules(text)
        .map_err(|reason| SettingError::MalformedPolicy { kind: PolicyKind::Lifecycle, reason })?;
    Ok(LifecyclePolicy { rules })
}

fn read_rules(text: &str) -> Result<Vec<Rule>, String> {
    let policy: Value = serde_json::from_str(text)
        .map_err(|_| "Could not map policyString into LifecyclePolicy.".to_owned())?;
    let policy = object(&policy, "policy")?;
    only(policy, "policy", &["rules"])?;
    let Some(Value::Array(rules)) = policy.get("rules") else {
        return Err("rules must be a list".to_owned());
    };
    if rules.is_empty() || rules.len() > RULES_MAX {
        return Err(format!("rules must have 1 to {RULES_MAX} elements"));
    }
    let places = (0..).map(|position| format!("rules[{position}]"));
    let mut rules: Vec<Rule> = rules
        .iter()
        .zip(places)
        .map(|(rule, at)| read_rule(rule, &at))
        .collect::<Result<_, _>>()?;
    check_together(&rules)?;
    rules.sort_by_key(|rule| rule.priority);
    Ok(rules)
}

/// Checks what rules may not be beside one another.
fn check_together(rules: &[Rule]) -> Result<(), String> {
    for (position, rule) in rules.iter().enumerate() {
        if rules[..position].iter().any(|earlier| earlier.priority == rule.priority) {
            return Err(format!("rules must have unique rulePriority, {} is not", rule.priority));
        }
        let mut same_class = rules.iter().filter(|other| other.is_archive == rule.is_archive);
        match rule.tags {
            TagSelection::Any if same_class.any(|other| other.priority > rule.priority) => {
                let text = "Rule for tagStatus=ANY must have the lowest priority per storage class";
                return Err(text.to_owned());
            }
            TagSelection::Untagged
                if same_class.filter(|it| it.tags == TagSelection::Untagged).count() > 1 =>
            {
                return Err("Only one rule can select Untagged images per storage class".to_owned());
            }
            _ => {}
        }
    }
    Ok(())
}

fn read_rule(rule: &Value, at: &str) -> Result<Rule, String> {
    let rule = object(rule, at)?;
    only(rule, at, &["rulePriority", "description", "selection", "action"])?;
    let priority = positive(rule, at, "rulePriority")?;
    if rule.get("description").is_some_and(|description| !description.is_string()) {
        return Err(format!("{at}.description must be a string"));
    }
    let action = read_action(rule, &format!("{at}.action"))?;
    let at = format!("{at}.selection");
    let selection = rule.get("selection").ok_or_else(|| format!("{at} is missing"))?;
    let selection = object(selection, &at)?;
    only(
        selection,
        &at,
        &[
            "tagStatus",
            "tagPatternList",
            "tagPrefixList",
            "storageClass",
            "countType",
            "countUnit",
            "countNumber",
        ],
    )?;
    let tags = read_tag_selection(selection, &at)?;
    let is_archive = selection.contains_key("storageClass")
        && word(selection, &at, "storageClass", &["standard", "archive"])? == "archive";
    let count = read_count(selection, &at, is_archive)?;
    if action == Action::Transition && is_archive {
        return Err(format!("{at}.storageClass of a transition must be standard"));
    }
    Ok(Rule { priority, tags, is_archive, count, action })
}

fn read_action(rule: &Object, at: &str) -> Result<Action, String> {
    let action = object(rule.get("action").ok_or_else(|| format!("{at} is missing"))?, at)?;
    only(action, at, &["type", "targetStorageClass"])?;
    let target = action.contains_key("targetStorageClass");
    match word(action, at, "type", &["expire", "transition"])? {
        "expire" if target => {
            Err(format!("{at}.targetStorageClass is only for the type transition"))
        }
        "expire" => Ok(Action::Expire),
        _ => {
            word(action, at, "targetStorageClass", &["archive"])?;
            Ok(Action::Transition)
        }
    }
}

fn read_tag_selection(selection: &Object, at: &str) -> Result<TagSelection, String> {
    let lists = ["tagPatternList", "tagPrefixList"];
    let sent: Vec<&str> = lists.into_iter().filter(|list| selection.contains_key(*list)).collect();
    let tag_status = word(selection, at, "tagStatus", &["tagged", "untagged", "any"])?;
    match (tag_status, sent.as_slice()) {
        ("tagged", ["tagPatternList"]) => {
            read_tags(selection, at, "tagPatternList").map(TagSelection::Patterns)
        }
        ("tagged", [list]) => read_tags(selection, at, list).map(TagSelection::Prefixes),
        ("tagged", []) => {
            let text = "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.";
            Err(text.to_owned())
        }
        ("tagged", _) => Err(format!("{at} has both tagPrefixList and tagPatternList")),
        (_, [list, ..]) => Err(format!("{at}.{list} is only for the tagStatus tagged")),
        ("untagged", []) => Ok(TagSelection::Untagged),
        (_, []) => Ok(TagSelection::Any),
    }
}

fn read_tags(selection: &Object, at: &str, list: &str) -> Result<Vec<String>, String> {
    let malformed = || format!("{at}.{list} must be a list of strings that are not empty");
    let texts = selection.get(list).and_then(Value::as_array).ok_or_else(malformed)?;
    if texts.is_empty() {
        return Err(malformed());
    }
    let read = |text: &Value| {
        let text = text.as_str().filter(|text| !text.is_empty()).ok_or_else(malformed)?;
        if list == "tagPatternList" && text.matches('*').count() > STARS_MAX {
            return Err(format!("{at}.{list} has a pattern of more than {STARS_MAX} wildcards"));
        }
        Ok(text.to_owned())
    };
    texts.iter().map(read).collect()
}

fn read_count(selection: &Object, at: &str, is_archive: bool) -> Result<Count, String> {
    const TYPES: &[&str] =
        &["imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"];
    let count_type = word(selection, at, "countType", TYPES)?;
    let number = positive(selection, at, "countNumber")?;
    if count_type == "imageCountMoreThan" && selection.contains_key("countUnit") {
        return Err(format!("{at}.countUnit is not for the countType imageCountMoreThan"));
    }
    if count_type != "imageCountMoreThan" {
        word(selection, at, "countUnit", &["days"])?;
    }
    // "The only supported value" for either (User Guide, "Storage class").
    let wanted = if count_type == "sinceImageTransitioned" { "archive" } else { "standard" };
    if is_archive != (wanted == "archive") {
        return Err(format!("{at}.storageClass must be {wanted} for {count_type}"));
    }
    match count_type {
        "imageCountMoreThan" => Ok(Count::MoreThan(number)),
        "sinceImagePushed" => Ok(Count::PushedDays(number)),
        "sinceImagePulled" => Ok(Count::PulledDays(number)),
        _ if number < ARCHIVED_DAYS_MIN => {
            Err(format!("{at}.countNumber must be at least {ARCHIVED_DAYS_MIN} for {count_type}"))
        }
        _ => Ok(Count::ArchivedDays(number)),
    }
}

fn object<'a>(value: &'a Value, at: &str) -> Result<&'a Object, String> {
    value.as_object().ok_or_else(|| format!("{at} must be an object"))
}

/// Checks that an object has no other members.
fn only(object: &Object, at: &str, members: &[&str]) -> Result<(), String> {
    match object.keys().find(|member| !members.contains(&member.as_str())) {
        Some(member) => Err(format!("{at} has a member {member:?} that is not known")),
        None => Ok(()),
    }
}

fn word<'a>(object: &'a Object, at: &str, member: &str, words: &[&str]) -> Result<&'a str, String> {
    let word = object.get(member).and_then(Value::as_str).filter(|word| words.contains(word));
    word.ok_or_else(|| format!("{at}.{member} must be one of [{}]", words.join(", ")))
}

fn positive(object: &Object, at: &str, member: &str) -> Result<u64, String> {
    let number = object.get(member).and_then(Value::as_u64).filter(|number| *number > 0);
    number.ok_or_else(|| format!("{at}.{member} must be an integer from 1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(priority: u64, selection: &Value) -> Value {
        json!({
            "rulePriority": priority, "description": "x", "selection": selection,
            "action": {"type": "expire"},
        })
    }

    fn selection(tag_status: &str) -> Value {
        json!({"tagStatus": tag_status, "countType": "imageCountMoreThan", "countNumber": 1})
    }

    /// Changes a member of a selection that is good otherwise; null takes it away.
    fn with(tag_status: &str, changes: &Value) -> Value {
        let mut selection = selection(tag_status);
        for (member, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(selection.as_object_mut().unwrap().remove(member)),
                value => selection[member] = value.clone(),
            }
        }
        selection
    }

    fn outcome(rules: &[Value]) -> Result<(), String> {
        read_rules(&json!({ "rules": rules }).to_string()).map(drop)
    }

    #[test]
    fn good_policies() {
        let days = json!({"countType": "sinceImagePushed", "countUnit": "days"});
        let archive = json!({
            "countType": "sinceImageTransitioned", "countUnit": "days", "storageClass": "archive",
            "countNumber": 90,
        });
        let mut transition = rule(1, &with("any", &days));
        transition["action"] = json!({"type": "transition", "targetStorageClass": "archive"});
        for rules in [
            &[rule(1, &selection("any"))][..],
            &[rule(7, &with("untagged", &days)), rule(9, &selection("any"))],
            &[rule(1, &with("tagged", &json!({"tagPrefixList": ["v", "release-"]})))],
            &[rule(1, &with("tagged", &json!({"tagPatternList": ["*test*1*2*3"]})))],
            &[transition, rule(2, &with("any", &archive))],
        ] {
            assert_eq!(outcome(rules), Ok(()), "{rules:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let any = || rule(1, &selection("any"));
        let without = |member: &str| {
            let mut rule = any();
            rule.as_object_mut().unwrap().remove(member);
            vec![rule]
        };
        let action = |action: Value| {
            let mut rule = any();
            rule["action"] = action;
            vec![rule]
        };
        let one = |tag_status: &str, changes: &Value| vec![rule(1, &with(tag_status, changes))];
        for (rules, words) in [
            (vec![], "rules must have 1 to 50 elements"),
            (vec![any(); 51], "rules must have 1 to 50 elements"),
            (vec![json!(1)], "rules[0] must be an object"),
            (without("rulePriority"), "rules[0].rulePriority"),
            (without("selection"), "rules[0].selection is missing"),
            (without("action"), "rules[0].action is missing"),
            (vec![rule(0, &selection("any"))], "rules[0].rulePriority"),
            (vec![any(), any()], "unique rulePriority"),
            (vec![any(), rule(2, &selection("untagged"))], "tagStatus=ANY"),
            (
                vec![rule(1, &selection("untagged")), rule(2, &selection("untagged"))],
                "Only one rule can select Untagged",
            ),
            (one("all", &json!({})), "selection.tagStatus must be one of"),
            (one("tagged", &json!({})), "Must specify tagPrefixList or tagPatternList"),
            (one("tagged", &json!({"tagPrefixList": []})), "tagPrefixList must be a list"),
            (one("tagged", &json!({"tagPatternList": [1]})), "tagPatternList must be a list"),
            (one("tagged", &json!({"tagPatternList": ["a*b*c*d*e*"]})), "wildcards"),
            (
                one("tagged", &json!({"tagPatternList": ["a"], "tagPrefixList": ["a"]})),
                "both tagPrefixList and tagPatternList",
            ),
            (one("any", &json!({"tagPrefixList": ["a"]})), "only for the tagStatus tagged"),
            (one("any", &json!({"countType": "sinceForever"})), "countType must be one of"),
            (one("any", &json!({"countNumber": 0})), "countNumber"),
            (one("any", &json!({"countNumber": "1"})), "countNumber"),
            (one("any", &json!({"countUnit": "days"})), "countUnit is not for"),
            (one("any", &json!({"countType": "sinceImagePushed"})), "countUnit must be one of"),
            (
                one("any", &json!({"countType": "sinceImagePulled", "countUnit": "weeks"})),
                "countUnit must be one of",
            ),
            (
                one("any", &json!({"countType": "sinceImageTransitioned", "countUnit": "days"})),
                "storageClass must be archive",
            ),
            (
                one(
                    "any",
                    &json!({
                        "countType": "sinceImageTransitioned", "countUnit": "days",
                        "storageClass": "archive", "countNumber": 89,
                    }),
                ),
                "countNumber must be at least 90",
            ),
            (one("any", &json!({"storageClass": "archive"})), "storageClass must be standard"),
            (one("any", &json!({"storageClass": "cold"})), "storageClass must be one of"),
            (one("any", &json!({"extra": 1})), "\"extra\""),
            (action(json!({"type": "delete"})), "action.type must be one of"),
            (action(json!({"type": "transition"})), "action.targetStorageClass"),
            (
                action(json!({"type": "expire", "targetStorageClass": "archive"})),
                "only for the type transition",
            ),
        ] {
            let reason = outcome(&rules).unwrap_err();
            assert!(reason.contains(words), "{rules:?}: {reason}");
        }
        for text in ["{", "[]", "{}", r#"{"rules":1}"#, r#"{"rules":[],"x":1}"#] {
            assert!(read_rules(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lengths() {
        let text = json!({"rules": [rule(1, &selection("any"))]}).to_string();
        assert!(check(&text).is_ok());
        for text in [text[..99].to_owned(), format!("{text}{}", " ".repeat(30_720))] {
            let error = check(&text).unwrap_err().to_string();
            assert!(error.contains("lifecyclePolicyText"), "{error}");
        }
    }
}
