//! The query protocol: a form with an `Action` and a `Version`, answered in XML (AWS STS and IAM).
//!
//! Every service has one path and one content type; which one is asked stands in the credential
//! scope of the signature, and in the version of its API.

mod answer;
mod client;
mod encoding;
mod form;
mod request;

pub use answer::{CONTENT_TYPE, Members, envelope, render_exception, result};
pub use client::{FORM_CONTENT_TYPE, Refused, form, read_exception};
pub(crate) use encoding::{encode_into, pairs};
pub use form::Form;
pub(crate) use request::{Member, missing, requests};

/// A service that speaks the query protocol here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QueryService {
    /// AWS Security Token Service.
    Sts,
    /// AWS Identity and Access Management.
    Iam,
}

impl QueryService {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Sts, Self::Iam];

    /// The service part of the credential scope.
    pub const fn signing_name(self) -> &'static str {
        match self {
            Self::Sts => crate::sts::SIGNING_NAME,
            Self::Iam => crate::iam::SIGNING_NAME,
        }
    }

    /// The version of the API.
    pub const fn version(self) -> &'static str {
        match self {
            Self::Sts => crate::sts::VERSION,
            Self::Iam => crate::iam::VERSION,
        }
    }

    /// The namespace of answers.
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::Sts => "https://sts.amazonaws.com/doc/2011-06-15/",
            Self::Iam => "https://iam.amazonaws.com/doc/2010-05-08/",
        }
    }

    /// The service that a credential scope names, where it speaks this protocol.
    pub fn of_signing_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.signing_name() == name)
    }

    /// The service whose API has this version.
    pub fn of_version(version: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.version() == version)
    }
}
