//! The schemas of Amazon ECR's types.

use super::{List, Object, ResourceType, Shape, Text};

const PREFIX: &str =
    r"^([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\/?|ROOT)$";
/// Without the look-ahead of the published pattern: it says the lengths again.
const NAME: &str = r"^([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*)$";
const CREDENTIAL_ARN: &str =
    r"^arn:aws:secretsmanager:[a-zA-Z0-9-:]+:secret:ecr\-pullthroughcache\/[a-zA-Z0-9\/_+=.@-]+$";
const ROLE_ARN: &str = r"^arn:aws[-a-z0-9]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,-.@_]*$";
const MUTABILITY: &[&str] =
    &["MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION"];

pub(super) const PULL_THROUGH_CACHE_RULE: ResourceType = ResourceType {
    name: "AWS::ECR::PullThroughCacheRule",
    object: Object {
        members: &[
            (
                "CredentialArn",
                Shape::Text(Text::of(50..=612).like(CREDENTIAL_ARN).in_strict_mode()),
            ),
            ("CustomRoleArn", Shape::Text(Text::of(0..=2048))),
            ("EcrRepositoryPrefix", Shape::Text(Text::of(2..=30).like(PREFIX))),
            ("UpstreamRegistry", Shape::Text(Text::among(UPSTREAM_REGISTRIES).in_strict_mode())),
            ("UpstreamRegistryUrl", Shape::Text(Text::ANY)),
            ("UpstreamRepositoryPrefix", Shape::Text(Text::of(2..=30).like(PREFIX))),
        ],
        required: &[],
    },
    identifier: "EcrRepositoryPrefix",
    read_only: &[],
    write_only: &["CredentialArn", "UpstreamRegistry", "CustomRoleArn"],
    create_only: &[
        "EcrRepositoryPrefix",
        "UpstreamRegistryUrl",
        "CredentialArn",
        "UpstreamRegistry",
        "CustomRoleArn",
        "UpstreamRepositoryPrefix",
    ],
};

const UPSTREAM_REGISTRIES: &[&str] = &[
    "azure-container-registry",
    "chainguard",
    "docker-hub",
    "ecr",
    "ecr-public",
    "github-container-registry",
    "gitlab-container-registry",
    "k8s",
    "quay",
];

pub(super) const REGISTRY_POLICY: ResourceType = ResourceType {
    name: "AWS::ECR::RegistryPolicy",
    object: Object {
        members: &[
            ("PolicyText", Shape::Document(Text::of(0..=10240))),
            ("RegistryId", Shape::Text(Text::of(12..=12).like("^[0-9]{12}$"))),
        ],
        required: &["PolicyText"],
    },
    identifier: "RegistryId",
    read_only: &["RegistryId"],
    write_only: &[],
    create_only: &[],
};

const ENCRYPTION: Object = Object {
    members: &[
        ("EncryptionType", Shape::Text(Text::among(&["AES256", "KMS", "KMS_DSSE"]))),
        ("KmsKey", Shape::Text(Text::of(1..=2048))),
    ],
    required: &["EncryptionType"],
};

const EXCLUSIONS: List = List {
    items: Shape::Object(&Object {
        members: &[
            ("ImageTagMutabilityExclusionFilterType", Shape::Text(Text::among(&["WILDCARD"]))),
            (
                "ImageTagMutabilityExclusionFilterValue",
                Shape::Text(Text::of(1..=128).like(r"^[0-9a-zA-Z._*-]{1,128}")),
            ),
        ],
        required: &[
            "ImageTagMutabilityExclusionFilterType",
            "ImageTagMutabilityExclusionFilterValue",
        ],
    }),
    length: 1..=5,
    is_unique: false,
};

pub(super) const REPOSITORY: ResourceType = ResourceType {
    name: "AWS::ECR::Repository",
    object: Object {
        members: &[
            ("Arn", Shape::Text(Text::ANY)),
            ("EmptyOnDelete", Shape::Boolean),
            ("EncryptionConfiguration", Shape::Object(&ENCRYPTION)),
            (
                "ImageScanningConfiguration",
                Shape::Object(&Object {
                    members: &[("ScanOnPush", Shape::Boolean)],
                    required: &[],
                }),
            ),
            ("ImageTagMutability", Shape::Text(Text::among(MUTABILITY))),
            ("ImageTagMutabilityExclusionFilters", Shape::List(&EXCLUSIONS)),
            (
                "LifecyclePolicy",
                Shape::Object(&Object {
                    members: &[
                        ("LifecyclePolicyText", Shape::Text(Text::of(100..=30720))),
                        ("RegistryId", Shape::Text(Text::of(12..=12).like("^[0-9]{12}$"))),
                    ],
                    required: &[],
                }),
            ),
            ("RepositoryName", Shape::Text(Text::of(2..=256).like(NAME))),
            ("RepositoryPolicyText", Shape::Document(Text::ANY)),
            ("RepositoryUri", Shape::Text(Text::ANY)),
            (
                "Tags",
                Shape::List(&List {
                    items: Shape::Object(&Object {
                        members: &[
                            ("Key", Shape::Text(Text::of(1..=127))),
                            ("Value", Shape::Text(Text::of(1..=255))),
                        ],
                        required: &["Value", "Key"],
                    }),
                    length: 0..=50,
                    is_unique: true,
                }),
            ),
        ],
        required: &[],
    },
    identifier: "RepositoryName",
    read_only: &["Arn", "RepositoryUri"],
    write_only: &["EmptyOnDelete"],
    create_only: &["RepositoryName", "EncryptionConfiguration"],
};

pub(super) const REPOSITORY_CREATION_TEMPLATE: ResourceType = ResourceType {
    name: "AWS::ECR::RepositoryCreationTemplate",
    object: Object {
        members: &[
            (
                "AppliedFor",
                Shape::List(&List {
                    items: Shape::Text(Text::among(&[
                        "REPLICATION",
                        "PULL_THROUGH_CACHE",
                        "CREATE_ON_PUSH",
                    ])),
                    length: 0..=usize::MAX,
                    is_unique: true,
                }),
            ),
            ("CreatedAt", Shape::Text(Text::ANY)),
            ("CustomRoleArn", Shape::Text(Text::of(0..=2048).like(ROLE_ARN))),
            ("Description", Shape::Text(Text::of(0..=256))),
            ("EncryptionConfiguration", Shape::Object(&ENCRYPTION)),
            ("ImageTagMutability", Shape::Text(Text::among(MUTABILITY))),
            ("ImageTagMutabilityExclusionFilters", Shape::List(&EXCLUSIONS)),
            ("LifecyclePolicy", Shape::Text(Text::of(100..=30720))),
            ("Prefix", Shape::Text(Text::of(1..=256).like(PREFIX))),
            ("RepositoryPolicy", Shape::Text(Text::of(0..=10240))),
            (
                "ResourceTags",
                Shape::List(&List {
                    items: Shape::Object(&Object {
                        members: &[
                            ("Key", Shape::Text(Text::of(1..=128))),
                            ("Value", Shape::Text(Text::of(0..=256))),
                        ],
                        required: &["Key", "Value"],
                    }),
                    length: 0..=50,
                    is_unique: true,
                }),
            ),
            ("UpdatedAt", Shape::Text(Text::ANY)),
        ],
        required: &["Prefix", "AppliedFor"],
    },
    identifier: "Prefix",
    read_only: &["CreatedAt", "UpdatedAt"],
    write_only: &[],
    create_only: &["Prefix"],
};
