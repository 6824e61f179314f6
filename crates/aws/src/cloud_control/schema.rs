//! Resource schemas: which properties a type has, and what a model of it must hold to.
//!
//! The facts are those of the schemas that AWS publishes in the CloudFormation registry, as far as
//! they say something about a model. Texts of violations follow Cloud Control's own, as its users
//! quote them: `Model validation failed (#/Name: expected type: String, found: Integer)`.

mod check;
mod ecr;
mod secrets_manager;

use std::{fmt, ops::RangeInclusive};

use serde_json::{Map, Value};

/// A resource type.
#[derive(Debug)]
pub struct ResourceType {
    /// Its name, such as `AWS::ECR::PullThroughCacheRule`.
    pub name: &'static str,
    /// The properties, and which of them must be there.
    pub object: Object,
    /// The property that identifies a resource (`primaryIdentifier`).
    pub identifier: &'static str,
    /// Properties that are never given, only told (`readOnlyProperties`).
    pub read_only: &'static [&'static str],
    /// Properties that are only given, never told (`writeOnlyProperties`).
    pub write_only: &'static [&'static str],
    /// Properties that never change (`createOnlyProperties`); a part of one counts as the whole.
    pub create_only: &'static [&'static str],
}

/// A JSON object without other members than these.
#[derive(Debug)]
pub struct Object {
    /// Its members.
    pub members: &'static [(&'static str, Shape)],
    /// Those that must be there.
    pub required: &'static [&'static str],
}

/// What a value must look like.
#[derive(Debug)]
pub enum Shape {
    /// A string.
    Text(Text),
    /// A JSON document: an object, or its text.
    Document(Text),
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// An object.
    Object(&'static Object),
    /// An array.
    List(&'static List),
}

/// Constraints of a string. Lengths are in characters.
#[derive(Debug)]
pub struct Text {
    /// `minLength` and `maxLength`.
    pub length: RangeInclusive<usize>,
    /// A regular expression that it must match somewhere.
    pub pattern: Option<&'static str>,
    /// The words it must be one of; any where there are none.
    pub one_of: &'static [&'static str],
    /// Whether pattern and words bind only under `--strict-ecr`.
    pub strict_only: bool,
}

/// Constraints of an array.
#[derive(Debug)]
pub struct List {
    /// What each item must look like.
    pub items: Shape,
    /// `minItems` and `maxItems`.
    pub length: RangeInclusive<usize>,
    /// Whether no two items may be equal.
    pub is_unique: bool,
}

/// Where and how a model breaks its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// A JSON pointer as a fragment: `#/Tags/0`.
    pub place: String,
    /// What is wrong.
    pub reason: String,
}

impl Text {
    /// Any string.
    const ANY: Self = Self::of(0..=usize::MAX);

    const fn of(length: RangeInclusive<usize>) -> Self {
        Self { length, pattern: None, one_of: &[], strict_only: false }
    }

    const fn like(self, pattern: &'static str) -> Self {
        Self { pattern: Some(pattern), ..self }
    }

    const fn among(one_of: &'static [&'static str]) -> Self {
        Self { one_of, ..Self::ANY }
    }

    const fn in_strict_mode(self) -> Self {
        Self { strict_only: true, ..self }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.reason)
    }
}

impl ResourceType {
    /// Every type that is offered here.
    pub const ALL: &[&Self] = &[
        &ecr::PULL_THROUGH_CACHE_RULE,
        &ecr::REGISTRY_POLICY,
        &ecr::REPOSITORY,
        &ecr::REPOSITORY_CREATION_TEMPLATE,
        &secrets_manager::SECRET,
    ];

    /// The type of that name.
    pub fn parse(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().copied().find(|kind| kind.name == name)
    }

    /// Holds a model against the schema; `is_strict` under `--strict-ecr`.
    ///
    /// # Errors
    /// Every violation, in the order of the properties.
    pub fn check(&self, model: &Map<String, Value>, is_strict: bool) -> Result<(), Vec<Violation>> {
        check::model(&self.object, model, is_strict)
    }

    /// The properties among `names` that differ between two models.
    pub fn changed(
        names: &[&'static str],
        one: &Map<String, Value>,
        other: &Map<String, Value>,
    ) -> Vec<&'static str> {
        names.iter().copied().filter(|name| one.get(*name) != other.get(*name)).collect()
    }
}

#[cfg(test)]
mod tests;
