//! The clients of the page, and how each is known.

/// A program or library that people use against ECR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Client {
    /// The AWS CLI, version 1.
    AwsCli1,
    /// The AWS CLI, version 2.
    AwsCli2,
    /// The AWS SDK for Python.
    Boto3,
    /// The AWS SDK for Rust.
    RustSdk,
    /// The AWS SDK for JavaScript, version 3.
    JavaScriptSdk,
    /// Terraform with its AWS provider.
    Terraform,
    /// CDKTF programs, applied by Terraform.
    Cdktf,
    /// Pulumi programs in Python.
    PulumiPython,
    /// Pulumi programs in TypeScript.
    PulumiTypeScript,
    /// Alchemy.
    Alchemy,
    /// `docker-credential-ecr-login`.
    CredentialHelper,
    /// The commands of `cistern` itself.
    Cistern,
    /// Docker.
    Docker,
    /// containerd.
    Containerd,
    /// skopeo.
    Skopeo,
    /// Podman.
    Podman,
    /// Buildah.
    Buildah,
    /// crane.
    Crane,
}

/// The words of a `User-Agent` that give a client away, and what its version begins with. The
/// first row that matches decides: libraries name themselves beside the program they are part of.
const WORDS: &[(&str, &str, Client)] = &[
    ("aws-cli", "1.", Client::AwsCli1),
    ("aws-cli", "2.", Client::AwsCli2),
    ("Boto3", "", Client::Boto3),
    ("Terraform", "", Client::Terraform),
    ("amazon-ecr-credential-helper", "", Client::CredentialHelper),
    ("aws-sdk-rust", "", Client::RustSdk),
    ("aws-sdk-js", "", Client::JavaScriptSdk),
    ("cistern", "", Client::Cistern),
    ("docker", "", Client::Docker),
    ("containerd", "", Client::Containerd),
    ("skopeo", "", Client::Skopeo),
    ("libpod", "", Client::Podman),
    ("podman", "", Client::Podman),
    ("Buildah", "", Client::Buildah),
    ("crane", "", Client::Crane),
];

impl Client {
    /// Every one, in the order of the page's columns.
    pub const ALL: [Self; 18] = [
        Self::AwsCli1,
        Self::AwsCli2,
        Self::Boto3,
        Self::RustSdk,
        Self::JavaScriptSdk,
        Self::Terraform,
        Self::Cdktf,
        Self::PulumiPython,
        Self::PulumiTypeScript,
        Self::Alchemy,
        Self::CredentialHelper,
        Self::Cistern,
        Self::Docker,
        Self::Containerd,
        Self::Skopeo,
        Self::Podman,
        Self::Buildah,
        Self::Crane,
    ];

    /// The name on the page.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AwsCli1 => "AWS CLI 1",
            Self::AwsCli2 => "AWS CLI 2",
            Self::Boto3 => "boto3",
            Self::RustSdk => "SDK for Rust",
            Self::JavaScriptSdk => "SDK for JavaScript",
            Self::Terraform => "Terraform",
            Self::Cdktf => "CDKTF",
            Self::PulumiPython => "Pulumi (Python)",
            Self::PulumiTypeScript => "Pulumi (TypeScript)",
            Self::Alchemy => "Alchemy",
            Self::CredentialHelper => "docker-credential-ecr-login",
            Self::Cistern => "cistern",
            Self::Docker => "docker",
            Self::Containerd => "containerd",
            Self::Skopeo => "skopeo",
            Self::Podman => "podman",
            Self::Buildah => "buildah",
            Self::Crane => "crane",
        }
    }

    /// The client of that name on the page.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|client| client.name() == name)
    }

    /// Who sends this `User-Agent`, and in which version; none where it is nobody of ours.
    #[must_use]
    pub fn of(user_agent: &str) -> Option<(Self, String)> {
        // Alchemy signs with aws4fetch and sends what Node.js sends.
        if user_agent == "node" {
            return Some((Self::Alchemy, String::new()));
        }
        // Debian's docker-credential-ecr-login names only the SDK that it is made of.
        if user_agent.starts_with("aws-sdk-go-v2/") && user_agent.contains(" api/ecr/") {
            return Some((Self::CredentialHelper, String::new()));
        }
        // podman names only the library that it pulls with.
        if user_agent.starts_with("containers/") {
            return Some((Self::Podman, String::new()));
        }
        let products: Vec<_> = user_agent
            .split([' ', '(', ')', ';'])
            .filter_map(|word| word.split_once('/'))
            .collect();
        WORDS.iter().find_map(|(word, start, client)| {
            let found = products
                .iter()
                .find(|(name, version)| name == word && version.starts_with(start))?;
            Some((*client, found.1.to_owned()))
        })
    }

    /// Whether a scenario also uses it to look at what another client did.
    #[must_use]
    pub fn is_onlooker(self) -> bool {
        matches!(self, Self::AwsCli1 | Self::AwsCli2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_known_by_what_they_send() {
        for (user_agent, client, version) in [
            ("aws-cli/1.46.3 md/Botocore#1.44.5 ua/2.1 os/linux", Client::AwsCli1, "1.46.3"),
            ("aws-cli/2.9.19 Python/3.11.2 Linux/6.1 source/x86_64", Client::AwsCli2, "2.9.19"),
            ("Boto3/1.44.3 md/Botocore#1.44.5 ua/2.1", Client::Boto3, "1.44.3"),
            (
                "APN/1.0 HashiCorp/1.0 Terraform/1.11.4 (+https://www.terraform.io) \
                 terraform-provider-aws/5.100.0 aws-sdk-go-v2/1.36.3",
                Client::Terraform,
                "1.11.4",
            ),
            ("docker/20.10.24 go/go1.19.8 git-commit/5d6db84", Client::Docker, "20.10.24"),
            ("node", Client::Alchemy, ""),
            ("Buildah/1.28.2", Client::Buildah, "1.28.2"),
            ("containers/5.23.1 (github.com/containers/image)", Client::Podman, ""),
            (
                "aws-sdk-go-v2/1.17.1 os/linux lang/go/1.19.8 md/GOOS/linux api/ecr/1.17.20",
                Client::CredentialHelper,
                "",
            ),
        ] {
            assert_eq!(Client::of(user_agent), Some((client, version.to_owned())), "{user_agent}");
        }
        assert_eq!(Client::of("curl/8.0"), None);
        assert_eq!(Client::of(""), None);
    }

    #[test]
    fn names_are_unique() {
        for client in Client::ALL {
            assert_eq!(Client::named(client.name()), Some(client));
        }
    }
}
