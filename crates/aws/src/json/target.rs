//! Which service and which operation a request is for.

/// A service that speaks a JSON protocol here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Amazon ECR.
    Ecr,
    /// AWS Secrets Manager.
    SecretsManager,
    /// AWS Cloud Control API.
    CloudControl,
    /// Cistern's own operations.
    Cistern,
}

impl Service {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Ecr, Self::SecretsManager, Self::CloudControl, Self::Cistern];

    /// What stands before the dot in `X-Amz-Target`.
    pub const fn target_prefix(self) -> &'static str {
        match self {
            Self::Ecr => "AmazonEC2ContainerRegistry_V20150921",
            Self::SecretsManager => "secretsmanager",
            Self::CloudControl => "CloudApiService",
            Self::Cistern => "Cistern_V1",
        }
    }

    /// The service part of the credential scope.
    pub const fn signing_name(self) -> &'static str {
        match self {
            Self::Ecr => "ecr",
            Self::SecretsManager => "secretsmanager",
            Self::CloudControl => "cloudcontrolapi",
            Self::Cistern => "cistern",
        }
    }

    /// The content type of requests and answers.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::CloudControl => "application/x-amz-json-1.0",
            Self::Ecr | Self::SecretsManager | Self::Cistern => "application/x-amz-json-1.1",
        }
    }
}

/// The value of `X-Amz-Target`, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// The service.
    pub service: Service,
    /// The operation's name. The tables of the service's module tell whether AWS has it.
    pub operation: &'a str,
}

/// A target that names no service of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the target {target:?} names no known service")]
pub struct UnknownTarget {
    /// The target as sent.
    pub target: String,
}

impl<'a> Target<'a> {
    /// Takes `<prefix>.<Operation>` apart.
    ///
    /// # Errors
    /// There is no dot, nothing after it, or another prefix.
    pub fn parse(text: &'a str) -> Result<Self, UnknownTarget> {
        let error = || UnknownTarget { target: text.to_owned() };
        let (prefix, operation) = text.split_once('.').ok_or_else(error)?;
        let service = Service::ALL.into_iter().find(|service| service.target_prefix() == prefix);
        match service {
            Some(service) if !operation.is_empty() => Ok(Self { service, operation }),
            _ => Err(error()),
        }
    }
}
