//! Reading a body into a shape, by the rules of AWS's services rather than of plain serde.
//!
//! The differences: `null` is the same as absent, a structure is an object and never an array,
//! and an error names the member and the type it should have, but never a value, which may be a
//! secret.

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use super::Service;
use crate::exception::{CommonException, Exception};

/// Why a body is not the shape it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The bytes are not UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// The text is not one JSON value.
    #[error("the body is not JSON at line {line}, column {column}")]
    NotJson {
        /// Where, from 1.
        line: usize,
        /// Where, from 0 or 1.
        column: usize,
    },
    /// Objects and arrays lie in one another deeper than anybody reads.
    #[error("the body is nested too deeply")]
    TooDeep,
    /// A member has another type or a number is out of range.
    #[error("the member {member:?} is not a {expected}")]
    WrongType {
        /// The path of the member, `filter.tagStatus`; empty for the body as a whole.
        member: String,
        /// The type it should have, in AWS's words: String, Integer, List ...
        expected: String,
    },
    /// A member that must be there is not.
    #[error("the member {member:?} is missing")]
    Missing {
        /// The path of the member.
        member: String,
    },
    /// A member that a document does not have. Most shapes ignore such members.
    #[error("the member {member:?} is not known")]
    Unknown {
        /// The path of the member.
        member: String,
        /// Those that the document has.
        known: &'static [&'static str],
    },
}

impl BodyError {
    /// The exception `service` raises: `SerializationException`, but for a missing or an unknown
    /// member what the service calls an invalid parameter.
    pub fn to_exception(&self, service: Service) -> Exception {
        let text = match self {
            Self::NotUtf8 => "The request body is not valid UTF-8.".to_owned(),
            Self::NotJson { line, column } => {
                format!("The request body is not valid JSON at line {line}, column {column}.")
            }
            Self::TooDeep => "The request body is nested too deeply.".to_owned(),
            Self::WrongType { member, expected } if member.is_empty() => {
                format!("The request body must be a {expected}.")
            }
            Self::WrongType { member, expected } => {
                format!("The member '{member}' must be a {expected}.")
            }
            Self::Missing { member } => return missing(member, service),
            Self::Unknown { member, known } => {
                let constraint = format!("must be one of {}", known.join(", "));
                return Exception::invalid_parameter(member, &constraint);
            }
        };
        Exception::new(CommonException::Serialization, text)
    }
}

fn missing(member: &str, service: Service) -> Exception {
    match service {
        Service::Ecr | Service::Cistern => Exception::invalid_parameter(member, "must not be null"),
        Service::SecretsManager | Service::CloudControl => Exception::new(
            CommonException::Validation,
            format!(
                "1 validation error detected: Value null at '{member}' failed to satisfy \
                 constraint: Member must not be null"
            ),
        ),
    }
}

/// Reads `body` into a shape. An empty body is an empty object.
///
/// # Errors
/// The body is not one JSON object in UTF-8, or a member is missing or has the wrong type.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, BodyError> {
    let text = std::str::from_utf8(body).map_err(|_| BodyError::NotUtf8)?;
    let text = if text.is_empty() { "{}" } else { text };
    let value: Value = serde_json::from_str(text).map_err(|error| {
        // serde_json gives the limit of 128 levels no category of its own.
        if error.to_string().starts_with("recursion limit exceeded") {
            BodyError::TooDeep
        } else {
            BodyError::NotJson { line: error.line(), column: error.column() }
        }
    })?;
    if !value.is_object() {
        let expected = "Structure".to_owned();
        return Err(BodyError::WrongType { member: String::new(), expected });
    }
    serde_path_to_error::deserialize(Member(&value)).map_err(|error| {
        let path = match error.path().to_string() {
            path if path == "." => String::new(),
            path => path,
        };
        match error.into_inner() {
            Mismatch::Missing(member) if path.is_empty() => {
                BodyError::Missing { member: member.to_owned() }
            }
            Mismatch::Missing(member) => BodyError::Missing { member: format!("{path}.{member}") },
            // The path has the member already.
            Mismatch::Unknown(known) => BodyError::Unknown { member: path, known },
            Mismatch::Type(expected) => BodyError::WrongType { member: path, expected },
        }
    })
}

/// What serde found wrong, without the value it found.
#[derive(Debug)]
enum Mismatch {
    Missing(&'static str),
    Unknown(&'static [&'static str]),
    Type(String),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(member) => write!(formatter, "{member} is missing"),
            Self::Unknown(_) => formatter.write_str("not a known member"),
            Self::Type(expected) => write!(formatter, "not a {expected}"),
        }
    }
}

impl std::error::Error for Mismatch {}

impl de::Error for Mismatch {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Type(message.to_string())
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Type(aws_type(&expected.to_string()).to_owned())
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Type(aws_type(&expected.to_string()).to_owned())
    }

    fn missing_field(member: &'static str) -> Self {
        Self::Missing(member)
    }

    fn unknown_field(_: &str, known: &'static [&'static str]) -> Self {
        Self::Unknown(known)
    }
}

/// AWS's word for what a serde visitor expects.
fn aws_type(expected: &str) -> &str {
    match expected {
        "a string" => "String",
        "a boolean" => "Boolean",
        "i32" | "u32" => "Integer",
        "i64" | "u64" => "Long",
        "a timestamp" => "Timestamp",
        "a sequence" => "List",
        "a map" => "Map",
        other if other.starts_with("struct ") => "Structure",
        other => other,
    }
}

/// A member of the body, ready to be read.
#[derive(Clone, Copy)]
struct Member<'v>(&'v Value);

impl<'v> IntoDeserializer<'v, Mismatch> for Member<'v> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> de::Deserializer<'de> for Member<'de> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_i64(number),
                (None, Some(number), _) => visitor.visit_u64(number),
                (None, None, Some(number)) => visitor.visit_f64(number),
                (None, None, None) => Err(Mismatch::Type("Number".to_owned())),
            },
            Value::Array(elements) => {
                visitor.visit_seq(SeqDeserializer::new(elements.iter().map(Member)))
            }
            Value::Object(members) => {
                let present = members.iter().filter(|(_, member)| !member.is_null());
                visitor.visit_map(MapDeserializer::new(
                    present.map(|(name, member)| (Name(name), Member(member))),
                ))
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        // serde's own structs also read arrays, by position.
        if self.0.is_object() {
            self.deserialize_any(visitor)
        } else {
            Err(Mismatch::Type("Structure".to_owned()))
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The name of a member.
struct Name<'v>(&'v str);

impl<'v> IntoDeserializer<'v, Mismatch> for Name<'v> {
    type Deserializer = StrDeserializer<'v, Mismatch>;

    fn into_deserializer(self) -> Self::Deserializer {
        self.0.into_deserializer()
    }
}
