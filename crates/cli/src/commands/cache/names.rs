//! Images as people name them, one by one or in files.

use std::{collections::HashSet, fmt, io::Read as _, path::Path};

use aws::cistern::CacheImage;
use oci::{Digest, Reference, RepositoryName, Tag};

use crate::error::Error;

/// The longest list of images that is read, in bytes.
const LIST_BYTES_MAX: u64 = 16 << 20;

/// An image of this registry: a repository, and a tag or digest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Name {
    pub(crate) repository: RepositoryName,
    pub(crate) reference: Reference,
}

/// Parses `REPOSITORY:TAG` or `REPOSITORY@DIGEST`.
pub(crate) fn parse(text: &str) -> Result<Name, String> {
    const EXPECTED: &str = "expected REPOSITORY:TAG or REPOSITORY@DIGEST";
    let (repository, reference) = if let Some((repository, digest)) = text.split_once('@') {
        let digest = Digest::parse(digest).map_err(|error| error.to_string())?;
        (repository, Reference::Digest(digest))
    } else {
        let (repository, tag) =
            text.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).ok_or(EXPECTED)?;
        let tag = Tag::parse(tag).map_err(|error| format!("the tag {tag:?}: {error}"))?;
        (repository, Reference::Tag(tag))
    };
    let repository = RepositoryName::parse(repository)
        .map_err(|error| format!("the repository {repository:?}: {error}; {EXPECTED}"))?;
    Ok(Name { repository, reference })
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let between = match self.reference {
            Reference::Tag(_) => ':',
            Reference::Digest(_) => '@',
        };
        write!(f, "{}{between}{}", self.repository, self.reference)
    }
}

impl Name {
    /// The image in the API's words.
    pub(crate) fn to_shape(&self) -> CacheImage {
        let text = Some(self.reference.to_string());
        let (image_tag, image_digest) = match self.reference {
            Reference::Tag(_) => (text, None),
            Reference::Digest(_) => (None, text),
        };
        CacheImage { repository_name: self.repository.to_string(), image_tag, image_digest }
    }
}

/// Images, each once, in the order they were named.
#[derive(Debug, Default)]
pub(crate) struct Names(pub(crate) Vec<Name>);

impl Names {
    /// Reads what was given: images, files of them, `-` for standard input.
    pub(crate) fn read(arguments: &[String]) -> Result<Self, Error> {
        let (mut names, mut seen) = (Vec::new(), HashSet::new());
        let mut add = |name: Name| {
            if seen.insert(name.clone()) {
                names.push(name);
            }
        };
        for argument in arguments {
            match parse(argument) {
                Ok(name) => add(name),
                Err(reason) => list(argument, &reason)?.into_iter().for_each(&mut add),
            }
        }
        if names.is_empty() {
            return Err(Error::Missing {
                what: "IMAGE",
                way_out: "the list names no image".to_owned(),
            });
        }
        Ok(Self(names))
    }
}

/// Reads a file of images. `reason` is why its name is no image.
fn list(argument: &str, reason: &str) -> Result<Vec<Name>, Error> {
    let path = Path::new(argument);
    let unreadable = |source| Error::File { path: path.to_owned(), source };
    let mut text = String::new();
    let read = if argument == "-" {
        std::io::stdin().take(LIST_BYTES_MAX + 1).read_to_string(&mut text)
    } else {
        match std::fs::File::open(path) {
            Ok(file) => file.take(LIST_BYTES_MAX + 1).read_to_string(&mut text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(Error::Misused {
                    argument: "IMAGE|FILE",
                    text: argument.to_owned(),
                    reason: format!("there is no such file, and as an image: {reason}"),
                });
            }
            Err(error) => Err(error),
        }
    };
    if read.map_err(unreadable)? as u64 > LIST_BYTES_MAX {
        return Err(Error::Misused {
            argument: "IMAGE|FILE",
            text: argument.to_owned(),
            reason: format!("it has more than {LIST_BYTES_MAX} bytes: is it a list of images?"),
        });
    }
    parse_list(argument, &text)
}

fn parse_list(file: &str, text: &str) -> Result<Vec<Name>, Error> {
    let mut names = Vec::new();
    for (at, line) in text.lines().enumerate() {
        // Neither a repository nor a tag has a # in it.
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        names.push(parse(line).map_err(|reason| Error::Misused {
            argument: "IMAGE|FILE",
            text: line.to_owned(),
            reason: format!("{file}, line {}: {reason}", at + 1),
        })?);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn images_are_named_as_docker_does() {
        for text in ["hub/library/alpine:3.20", "ab:1", &format!("hub/alpine@{D}")] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        for text in ["alpine", "Hub:1", "a:", "a@sha256:0", "127.0.0.1:5000/a", "./list:1", ""] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn lists_have_comments_and_say_which_line_is_wrong() {
        let text = "# site one\n\nhub/alpine:3.20  # small\n  hub/debian:12\n";
        let names = parse_list("images.txt", text).unwrap();
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["hub/alpine:3.20", "hub/debian:12"]);
        let error = parse_list("images.txt", "hub/alpine:1\nnginx\n").unwrap_err().to_string();
        assert!(error.contains("images.txt, line 2"), "{error}");
    }

    #[test]
    fn what_is_neither_image_nor_file_says_both() {
        let error = Names::read(&["no-such-list".to_owned()]).unwrap_err();
        assert!(error.is_misuse());
        let text = error.to_string();
        assert!(text.contains("no such file") && text.contains("REPOSITORY:TAG"), "{text}");
    }
}
