//! Settings of repositories as they travel: what the shapes hold as plain strings, in types.

use aws::{
    Exception,
    ecr::{ImageTagMutabilityExclusionFilter, Tag},
};
use metadata::{Encryption, TagMutability};

use super::validate::{length, one_of, violation};

/// The words of `ImageTagMutability`, the default one first.
const MUTABILITIES: &[&str] =
    &["MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"];

/// Reads which tags may move.
///
/// # Errors
/// The word is none of ECR's, filters come without a word that excludes, or not with one.
pub(super) fn tag_mutability(
    word: Option<&str>,
    filters: Option<Vec<ImageTagMutabilityExclusionFilter>>,
) -> Result<TagMutability, Exception> {
    const FILTERS: &str = "imageTagMutabilityExclusionFilters";
    let word = word.unwrap_or(MUTABILITIES[0]);
    one_of("imageTagMutability", word, MUTABILITIES)?;
    if let Some(filters) = &filters {
        length(FILTERS, filters.len(), 1..=5)?;
        for filter in filters {
            one_of(&format!("{FILTERS}.filterType"), &filter.filter_type, &["WILDCARD"])?;
        }
        if !word.ends_with("_WITH_EXCLUSION") {
            let text = format!("must be absent where imageTagMutability is {word}");
            return Err(violation(FILTERS, &text));
        }
    }
    let filters = filters.into_iter().flatten().map(|filter| filter.filter).collect();
    TagMutability::from_parts(word, filters)
        .ok_or_else(|| violation("imageTagMutability", "must satisfy enum value set"))
}

/// Writes the filters that exclude tags; absent where there are none.
pub(super) fn exclusion_filters(
    mutability: &TagMutability,
) -> Option<Vec<ImageTagMutabilityExclusionFilter>> {
    let filters = mutability.filters().iter().map(|filter| ImageTagMutabilityExclusionFilter {
        filter_type: "WILDCARD".to_owned(),
        filter: filter.clone(),
    });
    let filters: Vec<_> = filters.collect();
    (!filters.is_empty()).then_some(filters)
}

/// Reads how layers are to be encrypted.
///
/// # Errors
/// The word is none of ECR's, or a key comes with one that takes none.
pub(super) fn encryption(
    member: &str,
    word: &str,
    kms_key: Option<String>,
) -> Result<Encryption, Exception> {
    const WORDS: &[&str] = &["AES256", "KMS", "KMS_DSSE"];
    let at = format!("{member}.encryptionType");
    one_of(&at, word, WORDS)?;
    if word == WORDS[0] && kms_key.is_some() {
        let text = "must be absent where encryptionType is AES256";
        return Err(violation(&format!("{member}.kmsKey"), text));
    }
    Encryption::from_parts(word, kms_key)
        .ok_or_else(|| violation(&at, "must satisfy enum value set"))
}

/// Reads tags of a resource.
pub(super) fn pairs(tags: Vec<Tag>) -> Vec<(String, String)> {
    tags.into_iter().map(|Tag { key, value }| (key, value)).collect()
}

/// Writes tags of a resource.
pub(super) fn tags(pairs: Vec<(String, String)>) -> Vec<Tag> {
    pairs.into_iter().map(|(key, value)| Tag { key, value }).collect()
}
