//! `AWS::ECR::RepositoryCreationTemplate`, by way of the shapes of its own operations.

use aws::ecr::{
    EncryptionConfigurationForRepositoryCreationTemplate, RepositoryCreationTemplate, Tag,
    UpdateRepositoryCreationTemplateRequest,
};
use metadata::{Page, PageRequest, Template};
use registry::TemplateError;
use serde_json::Value;

use super::{
    Failure, Held, Model, Session, error, present,
    repository::{exclusions, told_exclusions},
    tags, templates, text, told_tags,
};

const PREFIX: &str = "Prefix";
const MUTABILITY: &str = "ImageTagMutability";

/// As for the prefix of a rule, a slash is assumed at the end.
pub(super) fn subject(model: &Model) -> Option<String> {
    let prefix = text(model, PREFIX)?;
    Some(prefix.strip_suffix('/').unwrap_or(&prefix).to_owned())
}

pub(super) async fn create(session: &Session, model: &Model) -> Result<Held, Failure> {
    let (prefix, fields) = templates::read(request(model))?;
    let created = session.registry.create_template(&session.caller, &prefix, fields).await;
    created.map(held).map_err(error::template)
}

pub(super) async fn read(session: &Session, identifier: &str) -> Result<Held, Failure> {
    let (prefixes, page) = ([identifier.to_owned()], PageRequest::first(1));
    let found = session.registry.templates(&session.caller, &prefixes, &page).await;
    found.map_err(error::template)?.items.pop().map(held).ok_or_else(|| {
        let (prefix, registry) = (identifier.to_owned(), session.caller.registry.clone());
        error::template(TemplateError::NotFound { prefix, registry })
    })
}

/// What a patch took away is set as ECR sets it where nothing is said.
pub(super) async fn update(
    session: &Session,
    before: &Held,
    after: &Model,
) -> Result<Held, Failure> {
    if before.model == *after {
        return Ok(before.clone());
    }
    let mut request = request(after);
    let absent = |text: Option<String>| Some(text.unwrap_or_default());
    request.description = absent(request.description);
    request.repository_policy = absent(request.repository_policy);
    request.lifecycle_policy = absent(request.lifecycle_policy);
    request.custom_role_arn = absent(request.custom_role_arn);
    request.resource_tags.get_or_insert_default();
    request.image_tag_mutability.get_or_insert_with(|| "MUTABLE".to_owned());
    request.encryption_configuration.get_or_insert_with(|| {
        let encryption_type = "AES256".to_owned();
        EncryptionConfigurationForRepositoryCreationTemplate { encryption_type, kms_key: None }
    });
    let (prefix, fields) = templates::read(request)?;
    let updated = session.registry.update_template(&session.caller, &prefix, fields).await;
    updated.map(held).map_err(error::template)
}

pub(super) async fn delete(session: &Session, identifier: &str) -> Result<(), Failure> {
    let deleted = session.registry.delete_template(&session.caller, identifier).await;
    deleted.map(drop).map_err(error::template)
}

pub(super) async fn list(session: &Session, page: &PageRequest) -> Result<Page<Held>, Failure> {
    let found = session.registry.templates(&session.caller, &[], page).await;
    let Page { items, next } = found.map_err(error::template)?;
    Ok(Page { items: items.into_iter().map(held).collect(), next })
}

fn request(model: &Model) -> UpdateRepositoryCreationTemplateRequest {
    let words = model.get("AppliedFor").and_then(Value::as_array);
    let word = |word: &Value| word.as_str().unwrap_or_default().to_owned();
    let encryption = model.get("EncryptionConfiguration").map(|sent| {
        EncryptionConfigurationForRepositoryCreationTemplate {
            encryption_type: word(&sent["EncryptionType"]),
            kms_key: sent["KmsKey"].as_str().map(str::to_owned),
        }
    });
    let tag = |(key, value)| Tag { key, value };
    let resource_tags = model.contains_key("ResourceTags").then(|| tags(model, "ResourceTags"));
    UpdateRepositoryCreationTemplateRequest {
        prefix: text(model, PREFIX).unwrap_or_default(),
        description: text(model, "Description"),
        encryption_configuration: encryption,
        resource_tags: resource_tags.map(|tags| tags.into_iter().map(tag).collect()),
        image_tag_mutability: text(model, MUTABILITY),
        image_tag_mutability_exclusion_filters: exclusions(model),
        repository_policy: text(model, "RepositoryPolicy"),
        lifecycle_policy: text(model, "LifecyclePolicy"),
        applied_for: words.map(|words| words.iter().map(word).collect()),
        custom_role_arn: text(model, "CustomRoleArn"),
    }
}

fn held(template: Template) -> Held {
    let identifier = template.prefix.to_string();
    let RepositoryCreationTemplate {
        prefix,
        description,
        encryption_configuration,
        resource_tags,
        image_tag_mutability,
        image_tag_mutability_exclusion_filters,
        repository_policy,
        lifecycle_policy,
        applied_for,
        custom_role_arn,
        created_at,
        updated_at,
    } = templates::render(template);
    let encryption = encryption_configuration.map(|told| {
        let parts = [
            ("EncryptionType", Some(told.encryption_type.into())),
            ("KmsKey", told.kms_key.map(Into::into)),
        ];
        Value::Object(present(parts))
    });
    let tags = resource_tags.unwrap_or_default().into_iter().map(|Tag { key, value }| (key, value));
    let model = present([
        (PREFIX, prefix.map(Into::into)),
        ("Description", description.map(Into::into)),
        ("EncryptionConfiguration", encryption),
        ("ResourceTags", told_tags(&tags.collect::<Vec<_>>())),
        (MUTABILITY, image_tag_mutability.map(Into::into)),
        (
            "ImageTagMutabilityExclusionFilters",
            told_exclusions(image_tag_mutability_exclusion_filters),
        ),
        ("RepositoryPolicy", repository_policy.map(Into::into)),
        ("LifecyclePolicy", lifecycle_policy.map(Into::into)),
        ("AppliedFor", applied_for.map(Into::into)),
        ("CustomRoleArn", custom_role_arn.map(Into::into)),
        ("CreatedAt", created_at.map(|at| at.to_extended_format().into())),
        ("UpdatedAt", updated_at.map(|at| at.to_extended_format().into())),
    ]);
    Held { identifier, model }
}
