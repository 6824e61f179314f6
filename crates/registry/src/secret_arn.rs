//! ARNs of secrets.

use metadata::RegistryId;

/// The ARN of a secret: `arn:aws:secretsmanager:<region>:<account>:secret:<name>[-<suffix>]`.
///
/// Secrets Manager API reference, "SecretId": the suffix of six random characters may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretArn {
    /// Account, as written.
    pub account: String,
    /// Region, as written.
    pub region: String,
    /// Name, with the suffix if there is one: only the store can tell them apart.
    pub name: String,
}

/// How many characters the random suffix has.
pub(crate) const SUFFIX_CHARS: usize = 6;

impl SecretArn {
    /// Reads an ARN; `None` where the text is none, or not of a secret.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(7, ':');
        let fixed = [parts.next()?, parts.next()?, parts.next()?];
        let is_secret = fixed[0] == "arn"
            && (fixed[1] == "aws" || fixed[1].starts_with("aws-"))
            && fixed[2] == "secretsmanager";
        let (region, account) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let is_secret = is_secret && parts.next()? == "secret";
        let name = parts.next()?.to_owned();
        let complete = is_secret && !region.is_empty() && !account.is_empty() && !name.is_empty();
        complete.then_some(Self { account, region, name })
    }

    /// Tells whether the secret belongs to `registry`.
    pub fn is_of(&self, registry: &RegistryId) -> bool {
        self.account == registry.account.as_str() && self.region == registry.region.as_str()
    }

    /// Writes the full ARN of a secret.
    pub fn format(registry: &RegistryId, name: &str, suffix: &str) -> String {
        let RegistryId { account, region } = registry;
        format!("arn:aws:secretsmanager:{region}:{account}:secret:{name}-{suffix}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_the_documents() {
        let text = "arn:aws:secretsmanager:us-east-2:111122223333:secret:ecr-pullthroughcache/ex1";
        let arn = SecretArn::parse(text).unwrap();
        assert_eq!((arn.region.as_str(), arn.account.as_str()), ("us-east-2", "111122223333"));
        assert_eq!(arn.name, "ecr-pullthroughcache/ex1");
        for text in [
            "",
            "ecr-pullthroughcache/x",
            "arn:aws:iam::111122223333:role/x",
            "arn:aws:secretsmanager:us-east-2:111122223333:secret:",
            "arn:gcp:secretsmanager:us-east-2:111122223333:secret:x",
        ] {
            assert_eq!(SecretArn::parse(text), None, "{text}");
        }
    }
}
