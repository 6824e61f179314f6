//! The one table of exceptions: their names, statuses and modelled texts.
//!
//! Names and texts of modelled exceptions are botocore's (`ecr` 2015-09-21, `secretsmanager`
//! 2017-10-17, `cloudcontrol` 2021-09-30, `iam` 2010-05-08); those every service shares are what
//! AWS's JSON and query front ends answer. A room below the doors never sees these.

mod cistern;
mod cloud_control;
mod common;
mod ecr;
mod iam;
mod secrets_manager;

use std::borrow::Cow;
use std::fmt;

pub use cistern::CisternException;
pub use cloud_control::CloudControlException;
pub use common::CommonException;
pub use ecr::EcrException;
pub use iam::IamException;
pub use secrets_manager::SecretsManagerException;

/// Writes an enum of exceptions together with its table.
macro_rules! exceptions {
    (
        $(#[$attribute:meta])* $kind:ident;
        $($variant:ident $name:literal $status:literal $text:literal)+
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $kind {
            $(#[doc = concat!("`", $name, "`, HTTP ", stringify!($status), ".")] $variant,)+
        }

        impl $kind {
            /// Every one, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name on the wire, without a namespace.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The HTTP status of the JSON protocols.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),+ }
            }

            /// The text when there is nothing more exact to say.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl From<$kind> for $crate::exception::Exception {
            /// The exception with its modelled text.
            fn from(kind: $kind) -> Self {
                Self::new(kind, kind.text())
            }
        }
    };
}
use exceptions;

/// Which exception: a row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExceptionKind {
    /// One that every service raises.
    Common(CommonException),
    /// One of Amazon ECR.
    Ecr(EcrException),
    /// One of AWS Secrets Manager.
    SecretsManager(SecretsManagerException),
    /// One of AWS Cloud Control API.
    CloudControl(CloudControlException),
    /// One of AWS Identity and Access Management.
    Iam(IamException),
    /// One of Cistern.
    Cistern(CisternException),
}

impl ExceptionKind {
    /// The name on the wire, without a namespace.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Common(kind) => kind.name(),
            Self::Ecr(kind) => kind.name(),
            Self::SecretsManager(kind) => kind.name(),
            Self::CloudControl(kind) => kind.name(),
            Self::Iam(kind) => kind.name(),
            Self::Cistern(kind) => kind.name(),
        }
    }

    /// The HTTP status of the JSON protocols.
    pub const fn status(self) -> u16 {
        match self {
            Self::Common(kind) => kind.status(),
            Self::Ecr(kind) => kind.status(),
            Self::SecretsManager(kind) => kind.status(),
            Self::CloudControl(kind) => kind.status(),
            Self::Iam(kind) => kind.status(),
            Self::Cistern(kind) => kind.status(),
        }
    }
}

impl From<CommonException> for ExceptionKind {
    fn from(kind: CommonException) -> Self {
        Self::Common(kind)
    }
}

impl From<EcrException> for ExceptionKind {
    fn from(kind: EcrException) -> Self {
        Self::Ecr(kind)
    }
}

impl From<SecretsManagerException> for ExceptionKind {
    fn from(kind: SecretsManagerException) -> Self {
        Self::SecretsManager(kind)
    }
}

impl From<CloudControlException> for ExceptionKind {
    fn from(kind: CloudControlException) -> Self {
        Self::CloudControl(kind)
    }
}

impl From<IamException> for ExceptionKind {
    fn from(kind: IamException) -> Self {
        Self::Iam(kind)
    }
}

impl From<CisternException> for ExceptionKind {
    fn from(kind: CisternException) -> Self {
        Self::Cistern(kind)
    }
}

/// An exception as a client sees it: which one, a sentence, and what else its shape has.
///
/// [`crate::json::render_exception`] and [`crate::query::render_exception`] write it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    kind: ExceptionKind,
    message: Cow<'static, str>,
    members: Vec<(&'static str, serde_json::Value)>,
}

impl Exception {
    /// An exception with a text of its own. `kind.into()` gives one with the modelled text.
    pub fn new(kind: impl Into<ExceptionKind>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: kind.into(), message: message.into(), members: Vec::new() }
    }

    /// Adds a member that the shape of this exception has beside its message.
    #[must_use]
    pub fn with_member(mut self, name: &'static str, value: impl Into<serde_json::Value>) -> Self {
        self.members.push((name, value.into()));
        self
    }

    /// What its shape has beside the message.
    pub fn members(&self) -> &[(&'static str, serde_json::Value)] {
        &self.members
    }

    /// Which exception.
    pub fn kind(&self) -> ExceptionKind {
        self.kind
    }

    /// The sentence for the client.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The HTTP status of the JSON protocols.
    pub fn status(&self) -> u16 {
        self.kind.status()
    }

    /// The text with which AWS refuses an operation that does not exist here, naming it.
    pub fn unknown_operation(operation: &str) -> Self {
        Self::new(
            CommonException::UnknownOperation,
            format!("The operation {operation} is not available here."),
        )
    }

    /// ECR's refusal of a member, in the frame of its own texts:
    /// `Invalid parameter at '<member>' failed to satisfy constraint: '<constraint>'`.
    pub fn invalid_parameter(member: &str, constraint: &str) -> Self {
        Self::new(
            EcrException::InvalidParameter,
            format!("Invalid parameter at '{member}' failed to satisfy constraint: '{constraint}'"),
        )
    }

    /// AWS's refusal of an action that no policy allows.
    pub fn access_denied(principal: &str, action: &str, resource: &str) -> Self {
        Self::new(
            CommonException::AccessDenied,
            format!(
                "User: {principal} is not authorized to perform: {action} on resource: {resource}"
            ),
        )
    }
}

impl fmt::Display for Exception {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind.name(), self.message)
    }
}

impl std::error::Error for Exception {}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_within_a_table() {
        fn check(names: impl Iterator<Item = &'static str>) {
            let mut seen = HashSet::new();
            for name in names {
                assert!(seen.insert(name), "{name} twice");
            }
            assert!(!seen.is_empty());
        }
        check(CommonException::ALL.iter().map(|kind| kind.name()));
        check(EcrException::ALL.iter().map(|kind| kind.name()));
        check(SecretsManagerException::ALL.iter().map(|kind| kind.name()));
        check(CloudControlException::ALL.iter().map(|kind| kind.name()));
        check(IamException::ALL.iter().map(|kind| kind.name()));
    }

    #[test]
    fn a_kind_becomes_an_exception_with_its_text() {
        let exception = Exception::from(EcrException::PullThroughCacheRuleNotFound);
        assert_eq!(exception.status(), 400);
        assert_eq!(
            exception.to_string(),
            "PullThroughCacheRuleNotFoundException: The pull through cache rule was not found. \
             Specify a valid pull through cache rule and try again."
        );
    }

    #[test]
    fn operations_that_are_not_there_are_named() {
        let exception = Exception::unknown_operation("PutReplicationConfiguration");
        assert!(exception.message().contains("PutReplicationConfiguration"));
        assert_eq!(exception.kind().name(), "UnknownOperationException");
    }
}
