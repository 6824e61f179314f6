//! Repository creation templates: made, listed, changed, removed.
//!
//! ECR API reference, `CreateRepositoryCreationTemplate` and its siblings. What a template does to
//! a repository that comes into being is in `creation`.

use metadata::{
    AppliedFor, Encryption, Page, PageRequest, PrefixError, RegistryId, RepositorySettings,
    TagMutability, Template, TemplatePrefix,
};

use crate::{Action, Caller, Registry, Resource, registry::Inner};

mod constraints;
mod creation;
mod error;

pub use error::{CreationError, TemplateError, TemplateFault};

/// How often an update that meets another one starts over.
const ATTEMPTS_MAX: usize = 8;

/// The members of a template that a call sets; one that is `None` is left as it is, or as ECR sets
/// it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TemplateFields {
    /// `description`; none where empty.
    pub description: Option<String>,
    /// `appliedFor`.
    pub applied_for: Option<Vec<AppliedFor>>,
    /// `imageTagMutability` and `imageTagMutabilityExclusionFilters`.
    pub tag_mutability: Option<TagMutability>,
    /// `encryptionConfiguration`.
    pub encryption: Option<Encryption>,
    /// `resourceTags`, all of them.
    pub tags: Option<Vec<(String, String)>>,
    /// `repositoryPolicy`; none where empty.
    pub repository_policy: Option<String>,
    /// `lifecyclePolicy`; none where empty.
    pub lifecycle_policy: Option<String>,
    /// `customRoleArn`; none where empty.
    pub custom_role_arn: Option<String>,
}

impl Registry {
    /// Makes a template. It is applied to repositories that come into being from then on.
    ///
    /// # Errors
    /// [`TemplateError::Invalid`] that names the field; [`TemplateError::AlreadyExists`],
    /// [`TemplateError::LimitExceeded`].
    pub async fn create_template(
        &self,
        caller: &Caller,
        prefix: &str,
        fields: TemplateFields,
    ) -> Result<Template, TemplateError> {
        let action = Action::Operation("ecr:CreateRepositoryCreationTemplate");
        self.inner.authorize(caller, action, Resource::Registry)?;
        let (inner, registry) = (&self.inner, &caller.registry);
        let prefix = parse_prefix(prefix)?;
        constraints::check(&fields, registry, &inner.settings)?;
        let now = inner.clock.now();
        let mut template = Template {
            prefix,
            description: None,
            applied_for: Vec::new(),
            settings: RepositorySettings::default(),
            custom_role_arn: None,
            created_at: now,
            updated_at: now,
        };
        fields.set_in(&mut template);
        let limit = inner.settings.templates_max;
        let created = inner.metadata.create_template(registry, &template, limit).await;
        created.map_err(|error| match error {
            metadata::Error::AlreadyExists => TemplateError::AlreadyExists {
                prefix: template.prefix.to_string(),
                registry: registry.clone(),
            },
            metadata::Error::LimitExceeded { limit } => TemplateError::LimitExceeded { limit },
            error => error.into(),
        })?;
        Ok(template)
    }

    /// Lists templates by prefix: those of `prefixes` that exist, or all where it is empty.
    ///
    /// # Errors
    /// [`TemplateError::Denied`], and the store's.
    pub async fn templates(
        &self,
        caller: &Caller,
        prefixes: &[String],
        page: &PageRequest,
    ) -> Result<Page<Template>, TemplateError> {
        let action = Action::Operation("ecr:DescribeRepositoryCreationTemplates");
        self.inner.authorize(caller, action, Resource::Registry)?;
        let keys: Vec<&str> = prefixes.iter().map(|prefix| key_of(prefix)).collect();
        let templates = self.inner.metadata.templates(&caller.registry).await?;
        let mut rest = templates.into_iter().filter(|template| {
            let key = template.prefix.key();
            (keys.is_empty() || keys.contains(&key))
                && page.after.as_deref().is_none_or(|after| key > after)
        });
        let items: Vec<Template> = rest.by_ref().take(page.limit).collect();
        let more = rest.next().is_some();
        let next = items.last().filter(|_| more).map(|last| last.prefix.key().to_owned());
        Ok(Page { items, next })
    }

    /// Sets the members of a template that are given and leaves the others. Repositories that it
    /// made stay as they are.
    ///
    /// # Errors
    /// [`TemplateError::Invalid`] that names the field; [`TemplateError::NotFound`].
    pub async fn update_template(
        &self,
        caller: &Caller,
        prefix: &str,
        fields: TemplateFields,
    ) -> Result<Template, TemplateError> {
        let action = Action::Operation("ecr:UpdateRepositoryCreationTemplate");
        self.inner.authorize(caller, action, Resource::Registry)?;
        let (inner, registry) = (&self.inner, &caller.registry);
        parse_prefix(prefix)?;
        constraints::check(&fields, registry, &inner.settings)?;
        for _ in 0..ATTEMPTS_MAX {
            let held = inner.template(registry, prefix).await?;
            let mut changed = Template { updated_at: inner.clock.now(), ..held.clone() };
            fields.clone().set_in(&mut changed);
            match inner.metadata.replace_template(registry, &held, &changed).await {
                Ok(()) => return Ok(changed),
                // It changed in the meantime, or is gone: the next look tells.
                Err(metadata::Error::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(TemplateError::Contended { prefix: prefix.to_owned() })
    }

    /// Removes a template and returns it. Repositories that it made stay as they are.
    ///
    /// # Errors
    /// [`TemplateError::NotFound`].
    pub async fn delete_template(
        &self,
        caller: &Caller,
        prefix: &str,
    ) -> Result<Template, TemplateError> {
        let action = Action::Operation("ecr:DeleteRepositoryCreationTemplate");
        self.inner.authorize(caller, action, Resource::Registry)?;
        parse_prefix(prefix)?;
        let registry = &caller.registry;
        let deleted = self.inner.metadata.delete_template(registry, key_of(prefix)).await;
        deleted.map_err(|error| match error {
            metadata::Error::NotFound => not_found(prefix, registry),
            error => error.into(),
        })
    }
}

impl Inner {
    async fn template(
        &self,
        registry: &RegistryId,
        prefix: &str,
    ) -> Result<Template, TemplateError> {
        let templates = self.metadata.templates(registry).await?;
        let found = templates.into_iter().find(|held| held.prefix.key() == key_of(prefix));
        found.ok_or_else(|| not_found(prefix, registry))
    }
}

impl TemplateFields {
    fn set_in(self, template: &mut Template) {
        let Template { description, applied_for, settings, custom_role_arn, .. } = template;
        set_text(description, self.description);
        set(applied_for, self.applied_for);
        set(&mut settings.tag_mutability, self.tag_mutability);
        set(&mut settings.encryption, self.encryption);
        set(&mut settings.tags, self.tags);
        set_text(&mut settings.repository_policy, self.repository_policy);
        set_text(&mut settings.lifecycle_policy, self.lifecycle_policy);
        set_text(custom_role_arn, self.custom_role_arn);
    }
}

fn set<T>(held: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *held = given;
    }
}

/// An empty text takes away what is there: it is how Terraform says that a member was removed.
fn set_text(held: &mut Option<String>, given: Option<String>) {
    if let Some(given) = given {
        *held = Some(given).filter(|given| !given.is_empty());
    }
}

fn parse_prefix(text: &str) -> Result<TemplatePrefix, TemplateError> {
    TemplatePrefix::parse(text).map_err(|error: PrefixError| TemplateError::Invalid {
        field: "prefix",
        reason: error.to_string(),
    })
}

fn key_of(prefix: &str) -> &str {
    prefix.strip_suffix('/').unwrap_or(prefix)
}

fn not_found(prefix: &str, registry: &RegistryId) -> TemplateError {
    TemplateError::NotFound { prefix: prefix.to_owned(), registry: registry.clone() }
}
