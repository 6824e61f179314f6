//! Repository creation templates. None of the operations takes a `registryId`.

use aws::{
    Exception, Timestamp,
    ecr::{
        CreateRepositoryCreationTemplateRequest, CreateRepositoryCreationTemplateResponse,
        DeleteRepositoryCreationTemplateRequest, DeleteRepositoryCreationTemplateResponse,
        DescribeRepositoryCreationTemplatesRequest, DescribeRepositoryCreationTemplatesResponse,
        EncryptionConfigurationForRepositoryCreationTemplate, RepositoryCreationTemplate,
        UpdateRepositoryCreationTemplateRequest, UpdateRepositoryCreationTemplateResponse,
    },
    json,
};
use metadata::{AppliedFor, Encryption, RepositorySettings, Template};
use registry::TemplateFields;

use super::{Call, Outcome, error, settings, validate};

/// `CreateRepositoryCreationTemplate`.
pub(super) async fn create(call: &Call<'_>) -> Outcome {
    let request: CreateRepositoryCreationTemplateRequest = call.ecr()?;
    // The two requests differ in that this one must say what it is applied for.
    let (prefix, fields) = read(UpdateRepositoryCreationTemplateRequest {
        prefix: request.prefix,
        description: request.description,
        encryption_configuration: request.encryption_configuration,
        resource_tags: request.resource_tags,
        image_tag_mutability: request.image_tag_mutability,
        image_tag_mutability_exclusion_filters: request.image_tag_mutability_exclusion_filters,
        repository_policy: request.repository_policy,
        lifecycle_policy: request.lifecycle_policy,
        applied_for: Some(request.applied_for),
        custom_role_arn: request.custom_role_arn,
    })?;
    let created = call.registry().create_template(call.caller(), &prefix, fields).await;
    Ok(json::render(&CreateRepositoryCreationTemplateResponse {
        registry_id: registry_id(call),
        repository_creation_template: Some(render(created.map_err(error::template)?)),
    }))
}

/// `DescribeRepositoryCreationTemplates`. A prefix that no template has is no error.
pub(super) async fn describe(call: &Call<'_>) -> Outcome {
    let request: DescribeRepositoryCreationTemplatesRequest = call.ecr()?;
    let prefixes = request.prefixes.unwrap_or_default();
    for prefix in &prefixes {
        validate::template_prefix("prefixes", prefix)?;
    }
    let page = validate::page(request.next_token.as_deref(), request.max_results)?;
    let found = call.registry().templates(call.caller(), &prefixes, &page).await;
    let found = found.map_err(error::template)?;
    Ok(json::render(&DescribeRepositoryCreationTemplatesResponse {
        registry_id: registry_id(call),
        repository_creation_templates: found.items.into_iter().map(render).collect(),
        next_token: validate::next_token(found.next),
    }))
}

/// `UpdateRepositoryCreationTemplate`.
pub(super) async fn update(call: &Call<'_>) -> Outcome {
    let (prefix, fields) = read(call.ecr()?)?;
    let updated = call.registry().update_template(call.caller(), &prefix, fields).await;
    Ok(json::render(&UpdateRepositoryCreationTemplateResponse {
        registry_id: registry_id(call),
        repository_creation_template: Some(render(updated.map_err(error::template)?)),
    }))
}

/// `DeleteRepositoryCreationTemplate`.
pub(super) async fn delete(call: &Call<'_>) -> Outcome {
    let request: DeleteRepositoryCreationTemplateRequest = call.ecr()?;
    validate::template_prefix("prefix", &request.prefix)?;
    let deleted = call.registry().delete_template(call.caller(), &request.prefix).await;
    Ok(json::render(&DeleteRepositoryCreationTemplateResponse {
        registry_id: registry_id(call),
        repository_creation_template: Some(render(deleted.map_err(error::template)?)),
    }))
}

/// Reads what a request sets; the registry checks the rest.
pub(super) fn read(
    request: UpdateRepositoryCreationTemplateRequest,
) -> Result<(String, TemplateFields), Exception> {
    validate::template_prefix("prefix", &request.prefix)?;
    let (word, filters) =
        (request.image_tag_mutability, request.image_tag_mutability_exclusion_filters);
    let tag_mutability = match (word.as_deref(), filters) {
        (None, None) => None,
        (word, filters) => Some(settings::tag_mutability(word, filters)?),
    };
    let applied_for = request.applied_for.as_deref().map(applied_for).transpose()?;
    let fields = TemplateFields {
        description: request.description,
        applied_for,
        tag_mutability,
        encryption: request.encryption_configuration.map(encryption).transpose()?,
        tags: request.resource_tags.map(settings::pairs),
        repository_policy: request.repository_policy,
        lifecycle_policy: request.lifecycle_policy,
        custom_role_arn: request.custom_role_arn,
    };
    Ok((request.prefix, fields))
}

fn applied_for(words: &[String]) -> Result<Vec<AppliedFor>, Exception> {
    let known = AppliedFor::ALL.map(AppliedFor::as_str);
    let parse = |word: &String| {
        validate::one_of("appliedFor", word, &known)?;
        Ok(AppliedFor::parse(word).expect("it is one of them"))
    };
    words.iter().map(parse).collect()
}

fn encryption(
    sent: EncryptionConfigurationForRepositoryCreationTemplate,
) -> Result<Encryption, Exception> {
    // The model lets the key be empty here; it means the account's own key for ECR.
    let key = sent.kms_key.filter(|key| !key.is_empty());
    settings::encryption("encryptionConfiguration", &sent.encryption_type, key)
}

fn registry_id(call: &Call<'_>) -> Option<String> {
    Some(call.registry_id().account.to_string())
}

/// Writes a template: what its creator did not set is absent, but for the two settings that ECR
/// sets itself.
pub(super) fn render(template: Template) -> RepositoryCreationTemplate {
    let words = template.applied_for.into_iter().map(|occasion| occasion.as_str().to_owned());
    let RepositorySettings {
        tag_mutability,
        encryption,
        tags,
        repository_policy,
        lifecycle_policy,
        ..
    } = template.settings;
    RepositoryCreationTemplate {
        prefix: Some(template.prefix.to_string()),
        description: template.description,
        encryption_configuration: Some(EncryptionConfigurationForRepositoryCreationTemplate {
            encryption_type: encryption.as_str().to_owned(),
            kms_key: encryption.kms_key().map(str::to_owned),
        }),
        resource_tags: (!tags.is_empty()).then(|| settings::tags(tags)),
        image_tag_mutability: Some(tag_mutability.as_str().to_owned()),
        image_tag_mutability_exclusion_filters: settings::exclusion_filters(&tag_mutability),
        repository_policy,
        lifecycle_policy,
        applied_for: Some(words.collect()),
        custom_role_arn: template.custom_role_arn,
        created_at: Some(Timestamp::from_milliseconds(template.created_at.0)),
        updated_at: Some(Timestamp::from_milliseconds(template.updated_at.0)),
    }
}
