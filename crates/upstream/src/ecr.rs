//! Private registries of Amazon ECR: their host names, the services behind them, and logging in.
//!
//! Amazon ECR user guide, "Amazon ECR endpoints" and "Getting started with making requests over
//! IPv6"; the host names of the services are those of botocore's endpoint rules. What a login is
//! made of stays below this module: nothing else knows where AWS credentials come from.

mod call;
mod chain;
mod fetch;
mod login;
mod profile;
mod session;

pub(crate) use login::EcrLogin;

use crate::known::is_label;

/// The host of a private registry, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EcrHost<'a> {
    account: Option<&'a str>,
    region: &'a str,
    suffixes: Suffixes,
    is_dual_stack: bool,
    is_fips: bool,
}

/// How the hosts of a partition of AWS end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Suffixes {
    /// Registries and services over IPv4.
    classic: &'static str,
    /// Registries over IPv6 too.
    registry: &'static str,
    /// Services over IPv6 too.
    api: &'static str,
}

const PARTITIONS: [Suffixes; 3] = [
    Suffixes { classic: "amazonaws.com", registry: "on.aws", api: "api.aws" },
    Suffixes {
        classic: "amazonaws.com.cn",
        registry: "on.amazonwebservices.com.cn",
        api: "api.amazonwebservices.com.cn",
    },
    Suffixes {
        classic: "amazonaws.eu",
        registry: "on.amazonwebservices.eu",
        api: "api.amazonwebservices.eu",
    },
];

impl<'a> EcrHost<'a> {
    /// Takes a host in lower case apart, without port: `<account>.dkr.ecr.<region>.amazonaws.com`,
    /// with `-fips`, or `<account>.dkr-ecr.<region>.on.aws`; without the account too. `None` where
    /// it is none of them.
    pub fn parse(host: &'a str) -> Option<Self> {
        PARTITIONS.into_iter().find_map(|suffixes| {
            let cut = |suffix: &str| host.strip_suffix(suffix)?.strip_suffix('.');
            let (rest, marker, is_dual_stack) = match cut(suffixes.classic) {
                Some(rest) => (rest, "dkr.ecr", false),
                None => (cut(suffixes.registry)?, "dkr-ecr", true),
            };
            let (account, rest) = match rest.split_once('.') {
                Some((account, after)) if is_account(account) => (Some(account), after),
                _ => (None, rest),
            };
            let rest = rest.strip_prefix(marker)?;
            let (is_fips, rest) = match rest.strip_prefix("-fips") {
                Some(rest) => (true, rest),
                None => (false, rest),
            };
            let region = rest.strip_prefix('.').filter(|region| is_label(region))?;
            Some(Self { account, region, suffixes, is_dual_stack, is_fips })
        })
    }

    /// Returns the account; `None` means the caller's own.
    pub fn account(&self) -> Option<&'a str> {
        self.account
    }

    /// Returns the region.
    pub fn region(&self) -> &'a str {
        self.region
    }

    /// Tells whether ECR takes the host for a rule: neither FIPS nor IPv6, nor Europe's own cloud.
    pub(crate) fn is_plain(&self) -> bool {
        !self.is_fips && !self.is_dual_stack && self.suffixes.classic != "amazonaws.eu"
    }

    /// Returns the host of ECR's API for the registry.
    pub(crate) fn api_host(&self) -> String {
        let region = self.region;
        match (self.is_dual_stack, self.is_fips) {
            (false, false) => format!("api.ecr.{region}.{}", self.suffixes.classic),
            (false, true) => format!("api.ecr-fips.{region}.{}", self.suffixes.classic),
            (true, false) => format!("ecr.{region}.{}", self.suffixes.api),
            (true, true) => format!("ecr-fips.{region}.{}", self.suffixes.api),
        }
    }

    /// Returns the host of STS in the same region.
    pub(crate) fn sts_host(&self) -> String {
        let product = if self.is_fips { "sts-fips" } else { "sts" };
        let suffix = if self.is_dual_stack { self.suffixes.api } else { self.suffixes.classic };
        format!("{product}.{}.{suffix}", self.region)
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_the_services_behind_them() {
        let account = Some("111122223333");
        for (host, account, plain, api, sts) in [
            (
                "111122223333.dkr.ecr.eu-west-1.amazonaws.com",
                account,
                true,
                "api.ecr.eu-west-1.amazonaws.com",
                "sts.eu-west-1.amazonaws.com",
            ),
            (
                "dkr.ecr.us-east-1.amazonaws.com",
                None,
                true,
                "api.ecr.us-east-1.amazonaws.com",
                "sts.us-east-1.amazonaws.com",
            ),
            (
                "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn",
                account,
                true,
                "api.ecr.cn-north-1.amazonaws.com.cn",
                "sts.cn-north-1.amazonaws.com.cn",
            ),
            (
                "111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                account,
                false,
                "api.ecr-fips.us-gov-west-1.amazonaws.com",
                "sts-fips.us-gov-west-1.amazonaws.com",
            ),
            (
                "111122223333.dkr-ecr.eu-west-1.on.aws",
                account,
                false,
                "ecr.eu-west-1.api.aws",
                "sts.eu-west-1.api.aws",
            ),
            (
                "111122223333.dkr-ecr-fips.us-east-1.on.aws",
                account,
                false,
                "ecr-fips.us-east-1.api.aws",
                "sts-fips.us-east-1.api.aws",
            ),
        ] {
            let found = EcrHost::parse(host).unwrap_or_else(|| panic!("{host}"));
            assert_eq!((found.account(), found.is_plain()), (account, plain), "{host}");
            assert_eq!((found.api_host().as_str(), found.sts_host().as_str()), (api, sts));
        }
        for host in [
            "1111.dkr.ecr.eu-west-1.amazonaws.com",
            "11112222333x.dkr.ecr.eu-west-1.amazonaws.com",
            "dkr.ecr.amazonaws.com",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
            "111122223333.dkr.ecr.eu-west-1.evilamazonaws.com",
            "111122223333.dkr-ecr.eu-west-1.amazonaws.com",
            "111122223333.dkr.ecr.eu-west-1.on.aws",
            "111122223333.dkr.ecrfips.eu-west-1.amazonaws.com",
            "x.111122223333.dkr.ecr.eu-west-1.amazonaws.com",
            "public.ecr.aws",
            "",
        ] {
            assert_eq!(EcrHost::parse(host), None, "{host}");
        }
    }
}
