//! Amazon Resource Names.

use std::fmt;
use std::str::FromStr;

/// An ARN taken apart: `arn:partition:service:region:account:resource`.
///
/// Region and account may be empty; the resource may hold colons. Nothing is checked beyond that
/// form, so that an ARN of another vendor's cloud or of a service not known here passes through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// `ecr`, `secretsmanager`, `iam`.
    pub service: String,
    /// `us-east-1`, or empty for a global service.
    pub region: String,
    /// Twelve digits, or empty.
    pub account_id: String,
    /// All that follows, `repository/team/app`.
    pub resource: String,
}

/// A text that is not an ARN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an ARN")]
pub struct ArnError {
    /// The text.
    pub text: String,
}

impl Arn {
    /// The ARN of an ECR repository.
    pub fn repository(region: &str, account_id: &str, name: &str) -> Self {
        Self::aws("ecr", region, account_id, format!("repository/{name}"))
    }

    /// The ARN of a secret, with the suffix of six characters that Secrets Manager appends.
    pub fn secret(region: &str, account_id: &str, name: &str, suffix: &str) -> Self {
        Self::aws("secretsmanager", region, account_id, format!("secret:{name}-{suffix}"))
    }

    /// The ARN of an account's root user.
    pub fn root(account_id: &str) -> Self {
        Self::aws("iam", "", account_id, "root".to_owned())
    }

    fn aws(service: &str, region: &str, account_id: &str, resource: String) -> Self {
        Self {
            partition: "aws".to_owned(),
            service: service.to_owned(),
            region: region.to_owned(),
            account_id: account_id.to_owned(),
            resource,
        }
    }

    /// The name in a secret's ARN, with the suffix if the ARN has one; none for other resources.
    pub fn secret_name(&self) -> Option<&str> {
        let secret = self.service == "secretsmanager";
        self.resource.strip_prefix("secret:").filter(|_| secret)
    }

    /// The name in a repository's ARN; none for other resources.
    pub fn repository_name(&self) -> Option<&str> {
        self.resource.strip_prefix("repository/").filter(|_| self.service == "ecr")
    }
}

impl FromStr for Arn {
    type Err = ArnError;

    fn from_str(text: &str) -> Result<Self, ArnError> {
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().map(str::to_owned);
        let parsed = match (next().as_deref(), next(), next(), next(), next(), next()) {
            (
                Some("arn"),
                Some(partition),
                Some(service),
                Some(region),
                Some(account_id),
                Some(resource),
            ) => Self { partition, service, region, account_id, resource },
            _ => return Err(ArnError { text: text.to_owned() }),
        };
        let whole = ![&parsed.partition, &parsed.service, &parsed.resource]
            .iter()
            .any(|part| part.is_empty());
        if whole { Ok(parsed) } else { Err(ArnError { text: text.to_owned() }) }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, service, region, account_id, resource } = self;
        write!(formatter, "arn:{partition}:{service}:{region}:{account_id}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_arns_we_emit() {
        assert_eq!(
            Arn::repository("us-east-1", "123456789012", "docker-hub/library/nginx").to_string(),
            "arn:aws:ecr:us-east-1:123456789012:repository/docker-hub/library/nginx"
        );
        assert_eq!(
            Arn::secret("us-west-2", "123456789012", "ecr-pullthroughcache/hub", "Ab12Cd")
                .to_string(),
            "arn:aws:secretsmanager:us-west-2:123456789012:secret:ecr-pullthroughcache/hub-Ab12Cd"
        );
        assert_eq!(Arn::root("000000000000").to_string(), "arn:aws:iam::000000000000:root");
    }

    #[test]
    fn names_in_arns() {
        let arn: Arn = "arn:aws:secretsmanager:us-east-1:1:secret:a/b:c".parse().unwrap();
        assert_eq!((arn.secret_name(), arn.repository_name()), (Some("a/b:c"), None));
        let arn: Arn = "arn:aws:ecr:us-east-1:1:repository/a/b".parse().unwrap();
        assert_eq!((arn.secret_name(), arn.repository_name()), (None, Some("a/b")));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "arn",
            "arn:aws:ecr:us-east-1:123456789012",
            "arn:aws:ecr:us-east-1:123456789012:",
            "arn::ecr:us-east-1:123456789012:repository/a",
            "ARN:aws:ecr:us-east-1:123456789012:repository/a",
            "urn:aws:ecr:us-east-1:123456789012:repository/a",
        ] {
            assert!(text.parse::<Arn>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(text in "arn:[a-z-]{1,9}:[a-z]{1,9}:[a-z0-9-]{0,9}:[0-9]{0,12}:[a-z:/]{1,9}") {
            prop_assert_eq!(text.parse::<Arn>().unwrap().to_string(), text);
        }
    }
}
