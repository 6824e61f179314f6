//! Tags of roles.

use serde::Serialize;

use crate::exception::Exception;
use crate::query::{Form, Member, missing};

/// A tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value, which may be empty.
    pub value: String,
}

impl Member for Vec<Tag> {
    fn read(form: &Form, name: &str) -> Result<Self, Exception> {
        let tag = |(position, members): (usize, Vec<(&str, &str)>)| {
            let member = |wanted: &str| {
                let found = members.iter().find(|(member, _)| *member == wanted);
                found.map(|(_, value)| (*value).to_owned()).ok_or_else(|| {
                    missing(&format!("tags.{}.member.{}", position + 1, wanted.to_lowercase()))
                })
            };
            Ok(Tag { key: member("Key")?, value: member("Value")? })
        };
        form.structures(name).into_iter().enumerate().map(tag).collect()
    }
}
