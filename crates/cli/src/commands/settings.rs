//! What repositories and the templates for them have in common: mutability, encryption, tags.

use aws::ecr::{ImageTagMutabilityExclusionFilter, Tag};
use clap::ValueEnum;

use crate::{commands::secret::read_file, error::Error};

/// Whether a tag may be moved, in ECR's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Mutability {
    /// Tags may be moved
    Mutable,
    /// Tags stay where they are
    Immutable,
}

/// How layers are encrypted at rest, in ECR's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Encryption {
    /// With a key of the registry
    Aes256,
    /// With a key of KMS
    Kms,
    /// With a key of KMS, twice
    KmsDsse,
}

impl Encryption {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::Kms => "KMS",
            Self::KmsDsse => "KMS_DSSE",
        }
    }
}

/// What a repository is, or what a template makes it.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct SettingArgs {
    /// Whether tags may be moved
    #[arg(long, value_enum, value_name = "mutable|immutable", hide_possible_values = true)]
    image_tag_mutability: Option<Mutability>,
    /// Tags to which the opposite applies, such as latest or dev-*; may be repeated
    #[arg(long, value_name = "PATTERN", requires = "image_tag_mutability")]
    exclude_tag: Vec<String>,
    /// How layers are encrypted at rest
    #[arg(long, value_enum, value_name = "aes256|kms|kms-dsse", hide_possible_values = true)]
    pub(super) encryption: Option<Encryption>,
    /// Key of KMS for --encryption
    #[arg(long, value_name = "KEY", requires = "encryption")]
    pub(super) kms_key: Option<String>,
    /// Tag of the resource; may be repeated
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = parse_tag)]
    tags: Vec<(String, String)>,
    /// File with the repository policy, JSON; - is stdin
    #[arg(long, value_name = "FILE")]
    policy_file: Option<String>,
    /// File with the lifecycle policy, JSON; - is stdin
    #[arg(long, value_name = "FILE")]
    lifecycle_policy_file: Option<String>,
}

impl SettingArgs {
    /// `imageTagMutability` and its exclusions.
    pub(super) fn mutability(
        &self,
    ) -> (Option<String>, Option<Vec<ImageTagMutabilityExclusionFilter>>) {
        let Some(mutability) = self.image_tag_mutability else { return (None, None) };
        let word = match mutability {
            Mutability::Mutable => "MUTABLE",
            Mutability::Immutable => "IMMUTABLE",
        };
        if self.exclude_tag.is_empty() {
            return (Some(word.to_owned()), None);
        }
        let filter = |pattern: &String| ImageTagMutabilityExclusionFilter {
            filter_type: "WILDCARD".to_owned(),
            filter: pattern.clone(),
        };
        let filters = self.exclude_tag.iter().map(filter).collect();
        (Some(format!("{word}_WITH_EXCLUSION")), Some(filters))
    }

    /// The tags, where there are any.
    pub(super) fn tags(&self) -> Option<Vec<Tag>> {
        let tag = |(key, value): &(String, String)| Tag { key: key.clone(), value: value.clone() };
        (!self.tags.is_empty()).then(|| self.tags.iter().map(tag).collect())
    }

    /// The text of the repository policy.
    pub(super) fn policy(&self) -> Result<Option<String>, Error> {
        read(self.policy_file.as_deref())
    }

    /// The text of the lifecycle policy.
    pub(super) fn lifecycle_policy(&self) -> Result<Option<String>, Error> {
        read(self.lifecycle_policy_file.as_deref())
    }
}

fn read(file: Option<&str>) -> Result<Option<String>, Error> {
    file.map(|file| read_file(file).map(aws::Sensitive::into_string)).transpose()
}

fn parse_tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

/// Mutability in a cell: the word, and what is excluded from it.
pub(super) fn mutability_words(
    word: Option<&str>,
    filters: Option<&Vec<ImageTagMutabilityExclusionFilter>>,
) -> String {
    let word = word.unwrap_or_default();
    let plain = word.strip_suffix("_WITH_EXCLUSION").unwrap_or(word).to_ascii_lowercase();
    let patterns: Vec<&str> =
        filters.into_iter().flatten().map(|filter| filter.filter.as_str()).collect();
    if patterns.is_empty() { plain } else { format!("{plain} but {}", patterns.join(", ")) }
}

/// Tags, one a line.
pub(super) fn tag_lines(tags: Option<&Vec<Tag>>) -> Option<String> {
    let tags = tags.filter(|tags| !tags.is_empty())?;
    let lines: Vec<String> = tags.iter().map(|tag| format!("{}={}", tag.key, tag.value)).collect();
    Some(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutability_is_said_in_ecrs_words() {
        let mut args = SettingArgs::default();
        assert_eq!(args.mutability(), (None, None));
        args.image_tag_mutability = Some(Mutability::Immutable);
        assert_eq!(args.mutability(), (Some("IMMUTABLE".to_owned()), None));
        args.exclude_tag = vec!["dev-*".to_owned()];
        let (word, filters) = args.mutability();
        assert_eq!(word.as_deref(), Some("IMMUTABLE_WITH_EXCLUSION"));
        assert_eq!(mutability_words(word.as_deref(), filters.as_ref()), "immutable but dev-*");
    }

    #[test]
    fn tags_have_a_key() {
        assert_eq!(parse_tag("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
        assert_eq!(parse_tag("a=").unwrap(), ("a".to_owned(), String::new()));
        assert!(parse_tag("a").is_err() && parse_tag("=b").is_err());
    }
}
