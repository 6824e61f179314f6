//! Platforms: which machines a manifest of an index is for.
//!
//! OCI image-spec, "Image Index", `platform`; written as clients take it, `os/architecture` with an
//! optional variant.

use std::fmt;

use serde::Deserialize;

/// An operating system on an architecture.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    /// The operating system, such as `linux`.
    pub os: String,
    /// The architecture, as Go names it, such as `amd64`.
    pub architecture: String,
    /// The variant of the architecture, such as `v7`.
    pub variant: Option<String>,
}

/// A text is not `os/architecture` or `os/architecture/variant`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a platform is written os/architecture or os/architecture/variant, such as linux/amd64")]
pub struct PlatformError;

impl Platform {
    /// Parses `os/architecture[/variant]`.
    ///
    /// # Errors
    /// [`PlatformError`] where it has another form.
    pub fn parse(text: &str) -> Result<Self, PlatformError> {
        let is_word = |word: &&str| {
            (1..=64).contains(&word.len())
                && word
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        let words: Vec<&str> = text.split('/').collect();
        match words.as_slice() {
            [os, architecture, variant @ ..] if variant.len() <= 1 && words.iter().all(is_word) => {
                Ok(Self {
                    os: (*os).to_owned(),
                    architecture: (*architecture).to_owned(),
                    variant: variant.first().map(|variant| (*variant).to_owned()),
                })
            }
            _ => Err(PlatformError),
        }
    }

    /// Tells whether who asks for this platform means `held`: without a variant, every one; arm64
    /// is v8 where nobody says so, as clients have it.
    pub fn covers(&self, held: &Self) -> bool {
        let usual = (self.architecture == "arm64").then_some("v8");
        self.os == held.os
            && self.architecture == held.architecture
            && self.variant.as_deref().is_none_or(|variant| {
                held.variant.as_deref().or(usual).is_some_and(|held| held == variant)
            })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    platform: Option<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    variant: Option<String>,
}

/// Reads the platforms of the manifests of an index, in document order; none where a manifest is for
/// no platform.
///
/// # Errors
/// Not JSON, or a member of the wrong type.
pub fn platforms_of(index: &[u8]) -> Result<Vec<Option<Platform>>, serde_json::Error> {
    let index: Index = serde_json::from_slice(index)?;
    let read = |raw: Raw| {
        let variant = raw.variant.filter(|variant| !variant.is_empty());
        Platform { os: raw.os, architecture: raw.architecture, variant }
    };
    Ok(index.manifests.into_iter().map(|entry| entry.platform.map(read)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(text: &str) -> Platform {
        Platform::parse(text).unwrap()
    }

    #[test]
    fn platforms_are_read_and_written() {
        for text in ["linux/amd64", "linux/arm/v7", "windows/amd64"] {
            assert_eq!(platform(text).to_string(), text);
        }
        for text in ["", "linux", "linux/", "/amd64", "a/b/c/d", "linux/amd 64", "linux/amd64,x/y"]
        {
            assert_eq!(Platform::parse(text), Err(PlatformError), "{text}");
        }
    }

    #[test]
    fn what_is_asked_for_covers_what_is_held() {
        for (asked, held, covers) in [
            ("linux/amd64", "linux/amd64", true),
            ("linux/amd64", "linux/arm64", false),
            ("linux/amd64", "windows/amd64", false),
            ("linux/arm", "linux/arm/v6", true),
            ("linux/arm/v7", "linux/arm/v6", false),
            ("linux/arm64", "linux/arm64/v8", true),
            ("linux/arm64/v8", "linux/arm64", true),
            ("linux/arm/v7", "linux/arm", false),
        ] {
            assert_eq!(platform(asked).covers(&platform(held)), covers, "{asked} {held}");
        }
    }

    #[test]
    fn an_index_tells_platforms_in_its_order() {
        let index =
            br#"{"manifests":[{"platform":{"os":"linux","architecture":"arm","variant":"v7"}},
            {},{"platform":{"os":"linux","architecture":"amd64","variant":""}}]}"#;
        let found = platforms_of(index).unwrap();
        assert_eq!(found, [Some(platform("linux/arm/v7")), None, Some(platform("linux/amd64"))]);
        assert!(platforms_of(b"[1").is_err());
    }
}
