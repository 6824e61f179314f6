//! The schema of AWS Secrets Manager's type.

use super::{List, Object, ResourceType, Shape, Text};

pub(super) const SECRET: ResourceType = ResourceType {
    name: "AWS::SecretsManager::Secret",
    object: Object {
        members: &[
            ("Description", Shape::Text(Text::of(0..=2048))),
            ("GenerateSecretString", Shape::Object(&GENERATE)),
            ("Id", Shape::Text(Text::ANY)),
            ("KmsKeyId", Shape::Text(Text::of(0..=2048))),
            ("Name", Shape::Text(Text::of(1..=512))),
            (
                "ReplicaRegions",
                Shape::List(&List {
                    items: Shape::Object(&Object {
                        members: &[
                            ("KmsKeyId", Shape::Text(Text::ANY)),
                            ("Region", Shape::Text(Text::ANY)),
                        ],
                        required: &["Region"],
                    }),
                    length: 0..=usize::MAX,
                    is_unique: false,
                }),
            ),
            ("SecretString", Shape::Text(Text::of(1..=65536))),
            (
                "Tags",
                Shape::List(&List {
                    items: Shape::Object(&Object {
                        members: &[
                            ("Key", Shape::Text(Text::of(1..=128))),
                            ("Value", Shape::Text(Text::of(0..=256))),
                        ],
                        required: &["Value", "Key"],
                    }),
                    length: 0..=usize::MAX,
                    is_unique: false,
                }),
            ),
            ("Type", Shape::Text(Text::of(0..=256))),
        ],
        required: &[],
    },
    identifier: "Id",
    read_only: &["Id"],
    write_only: &["SecretString", "GenerateSecretString"],
    create_only: &["Name"],
};

const GENERATE: Object = Object {
    members: &[
        ("ExcludeCharacters", Shape::Text(Text::ANY)),
        ("ExcludeLowercase", Shape::Boolean),
        ("ExcludeNumbers", Shape::Boolean),
        ("ExcludePunctuation", Shape::Boolean),
        ("ExcludeUppercase", Shape::Boolean),
        ("GenerateStringKey", Shape::Text(Text::ANY)),
        ("IncludeSpace", Shape::Boolean),
        ("PasswordLength", Shape::Integer),
        ("RequireEachIncludedType", Shape::Boolean),
        ("SecretStringTemplate", Shape::Text(Text::ANY)),
    ],
    required: &[],
};
