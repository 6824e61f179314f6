//! What an API refused, and what to do about it.

use std::fmt;

/// A refusal of the API.
#[derive(Debug)]
pub struct Refusal {
    /// The operation that was asked for.
    pub operation: &'static str,
    /// The class, without a namespace: `RepositoryNotFoundException`.
    pub class: String,
    /// The API's own sentence; may be empty.
    pub message: String,
    /// What was asked, where, and as whom.
    pub asked: Asked,
}

/// Where a request went, and as whom.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The endpoint.
    pub endpoint: String,
    /// The region.
    pub region: String,
    /// The access key.
    pub access_key_id: String,
    /// Where that came from: `profile x`, `AWS_ACCESS_KEY_ID`.
    pub key_origin: String,
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.message.trim_end().trim_end_matches('.');
        if message.is_empty() {
            write!(f, "{} refused {}", self.asked.endpoint, self.operation)?;
        } else {
            f.write_str(message)?;
        }
        write!(f, " ({})", self.class)?;
        match self.way_out() {
            Some(way_out) => write!(f, ": {way_out}"),
            None => Ok(()),
        }
    }
}

impl Refusal {
    /// What to do next, where there is something to say that the API did not.
    fn way_out(&self) -> Option<String> {
        self.of_authentication().or_else(|| self.of_resource().map(str::to_owned))
    }

    fn of_authentication(&self) -> Option<String> {
        let Asked { endpoint, access_key_id, key_origin, .. } = &self.asked;
        Some(match self.class.as_str() {
            "InvalidSignatureException" | "SignatureDoesNotMatch" if self.is_of_clocks() => {
                format!("the clocks of this machine and of {endpoint} differ: set them right")
            }
            "InvalidSignatureException" | "SignatureDoesNotMatch" => format!(
                "the secret of access key {access_key_id} (from {key_origin}) is not the one that \
                 {endpoint} knows: check it, or name another with --profile or --data-dir"
            ),
            "UnrecognizedClientException" | "InvalidClientTokenId" => format!(
                "{endpoint} does not know the access key {access_key_id} (from {key_origin}): use \
                 its own, by --data-dir for a Cistern of this machine or by --profile"
            ),
            "ExpiredTokenException" | "ExpiredToken" => {
                format!("get new temporary credentials ({key_origin})")
            }
            "AccessDeniedException" => format!(
                "the access key {access_key_id} (from {key_origin}) may not do this: use another \
                 with --profile, or let a policy allow it"
            ),
            "ThrottlingException" | "ServiceUnavailableException" => {
                "try again in a moment".to_owned()
            }
            "ServerException" | "InternalFailure" | "InternalServiceError" => {
                format!("try again; the log of {endpoint} says why")
            }
            "UnknownOperationException" if self.is_of_cistern() => format!(
                "{endpoint} is no Cistern, or one that is older than this command: name yours \
                 with --endpoint-url"
            ),
            "UnknownOperationException" if !self.message.contains(self.operation) => {
                format!("{endpoint} does not offer {}", self.operation)
            }
            _ => return None,
        })
    }

    /// Whether it is Cistern's own, which AWS does not have.
    fn is_of_cistern(&self) -> bool {
        aws::cistern::Operation::parse(self.operation).is_some()
    }

    fn is_of_clocks(&self) -> bool {
        ["expired", "not yet current", "Signature expired"]
            .iter()
            .any(|words| self.message.contains(words))
    }

    fn of_resource(&self) -> Option<&'static str> {
        Some(match self.class.as_str() {
            "PullThroughCacheRuleAlreadyExistsException" => {
                "see it with `cistern rule show`, change it with `cistern rule update`, or choose \
                 another prefix"
            }
            "PullThroughCacheRuleNotFoundException" => {
                "`cistern rule list` shows the rules of this region (--region)"
            }
            "UnsupportedUpstreamRegistryException"
                if self.message.contains("requires authentication") =>
            {
                "give --username, or a secret with --secret"
            }
            "UnsupportedUpstreamRegistryException" => {
                "`cistern rule add --help` lists the registries that ECR knows; a Cistern without \
                 --strict-ecr takes any"
            }
            "SecretNotFoundException" => "`cistern secret list` shows those that are there",
            "UnableToAccessSecretException" => {
                "look at it with `cistern secret show`; it needs a name such as \
                 ecr-pullthroughcache/NAME, a username and an accessToken"
            }
            "ResourceExistsException" if self.operation == "CreateSecret" => {
                "use it with --secret, or change its value with `cistern secret update`"
            }
            "ResourceNotFoundException" => "`cistern secret list --all` shows those that are there",
            "InvalidRequestException" if self.message.contains("marked for deletion") => {
                "bring it back with `cistern secret restore`, or end it with `cistern secret \
                 remove --force`"
            }
            "InvalidRequestException" if self.message.contains("scheduled for deletion") => {
                "bring it back with `cistern secret restore`, or wait until it is gone"
            }
            "RepositoryAlreadyExistsException" => "see it with `cistern repository show`",
            "RepositoryNotFoundException" => {
                "`cistern repository list` shows those of this region; a cache repository comes \
                 into being with its first pull"
            }
            "RepositoryNotEmptyException" => "--force removes it with its images",
            "ImageNotFoundException" => "`cistern image list` shows those that are there",
            "TemplateAlreadyExistsException" => "change it with `cistern template update`",
            "TemplateNotFoundException" => "`cistern template list` shows those that are there",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(class: &str, message: &str) -> String {
        Refusal {
            operation: "CreateSecret",
            class: class.to_owned(),
            message: message.to_owned(),
            asked: Asked {
                endpoint: "http://127.0.0.1:5000".to_owned(),
                region: "us-east-1".to_owned(),
                access_key_id: "AKIA1".to_owned(),
                key_origin: "AWS_ACCESS_KEY_ID".to_owned(),
            },
        }
        .to_string()
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        assert_eq!(
            said("RepositoryNotEmptyException", "It still contains images."),
            "It still contains images (RepositoryNotEmptyException): --force removes it with its \
             images"
        );
        assert_eq!(
            said("InvalidSignatureException", "Signature expired: x is now earlier than y"),
            "Signature expired: x is now earlier than y (InvalidSignatureException): the clocks \
             of this machine and of http://127.0.0.1:5000 differ: set them right"
        );
        assert!(said("UnrecognizedClientException", "x.").contains("AKIA1 (from AWS_ACCESS_KEY_"));
        assert_eq!(
            said("OddException", ""),
            "http://127.0.0.1:5000 refused CreateSecret (OddException)"
        );
    }
}
