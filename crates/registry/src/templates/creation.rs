//! What a repository is set to when it comes into being on a caller's behalf: the template it falls
//! under, or ECR's defaults.
//!
//! ECR user guide, "Repository creation templates": of the templates for the occasion the one with
//! the longest prefix is applied, in whole path components; then `ROOT`. A template for another
//! occasion does not stand in the way of a shorter one. Changes of a template never touch a
//! repository that is there.

use metadata::{AppliedFor, Encryption, RegistryId, RepositorySettings, Template};
use oci::RepositoryName;

use super::{CreationError, TemplateFault};
use crate::{PullError, matching, registry::Inner};

impl Inner {
    /// Returns what the template for `occasion` sets in a repository of this name; `None` where no
    /// template is for it. A pull then takes ECR's defaults; a push by ECR's rules makes nothing.
    ///
    /// # Errors
    /// [`CreationError::Template`] where the template cannot be applied.
    pub(crate) async fn template_settings(
        &self,
        registry: &RegistryId,
        name: &RepositoryName,
        occasion: AppliedFor,
    ) -> Result<Option<RepositorySettings>, CreationError> {
        let templates = self.metadata.templates(registry).await?;
        let Some(template) = find(&templates, name, occasion) else { return Ok(None) };
        if self.settings.strict_ecr
            && template.custom_role_arn.is_none()
            && let Some(fault) = needs_role(template)
        {
            let prefix = template.prefix.to_string();
            return Err(CreationError::Template { prefix, fault });
        }
        Ok(Some(template.settings.clone()))
    }

    /// Returns what a pull through a rule sets in a repository where it is missing; what it
    /// returns for one that is there is not used.
    ///
    /// # Errors
    /// [`PullError::Template`] where its template cannot be applied.
    pub(crate) async fn settings_for_pull(
        &self,
        registry: &RegistryId,
        repository: &RepositoryName,
    ) -> Result<RepositorySettings, PullError> {
        if self.has_repository(registry, repository).await? {
            return Ok(RepositorySettings::default());
        }
        let found = self.template_settings(registry, repository, AppliedFor::PullThroughCache);
        match found.await {
            Ok(settings) => Ok(settings.unwrap_or_default()),
            Err(CreationError::Storage(error)) => Err(error.into()),
            Err(CreationError::Template { prefix, fault }) => Err(PullError::Template {
                registry: registry.clone(),
                repository: repository.clone(),
                prefix,
                fault,
            }),
        }
    }
}

/// Finds the template that a repository of this name falls under.
fn find<'a>(
    templates: &'a [Template],
    name: &RepositoryName,
    occasion: AppliedFor,
) -> Option<&'a Template> {
    matching::prefixes(name).find_map(|(key, _)| {
        let mut applied =
            templates.iter().filter(|template| template.applied_for.contains(&occasion));
        applied.find(|template| template.prefix.key() == key)
    })
}

fn needs_role(template: &Template) -> Option<TemplateFault> {
    let RepositorySettings { tags, encryption, .. } = &template.settings;
    match encryption {
        _ if !tags.is_empty() => Some(TemplateFault::TagsNeedRole),
        Encryption::Kms { .. } | Encryption::KmsDsse { .. } => Some(TemplateFault::KmsNeedsRole),
        Encryption::Aes256 => None,
    }
}

#[cfg(test)]
mod tests {
    use metadata::{TemplatePrefix, Timestamp};

    use super::*;

    fn template(prefix: &str, applied_for: &[AppliedFor]) -> Template {
        Template {
            prefix: TemplatePrefix::parse(prefix).unwrap(),
            description: None,
            applied_for: applied_for.to_vec(),
            settings: RepositorySettings::default(),
            custom_role_arn: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    #[test]
    fn the_longest_of_those_for_the_occasion() {
        use AppliedFor::{CreateOnPush, PullThroughCache, Replication};
        let templates = [
            template("ROOT", &[PullThroughCache]),
            template("prod", &[PullThroughCache, CreateOnPush]),
            template("prod/team/", &[PullThroughCache]),
            template("prod/team/push", &[CreateOnPush]),
            template("prod/none", &[]),
        ];
        for (name, occasion, expected) in [
            ("prod/team/app", PullThroughCache, Some("prod/team/")),
            ("prod/team/a/b/c", PullThroughCache, Some("prod/team/")),
            ("prod/team", PullThroughCache, Some("prod")),
            ("prod/teams/app", PullThroughCache, Some("prod")),
            ("production/app", PullThroughCache, Some("ROOT")),
            ("prod", PullThroughCache, Some("ROOT")),
            // One for another occasion, or for none, does not shadow.
            ("prod/team/push/app", PullThroughCache, Some("prod/team/")),
            ("prod/none/app", PullThroughCache, Some("prod")),
            ("prod/team/push/app", CreateOnPush, Some("prod/team/push")),
            ("prod/team/app", CreateOnPush, Some("prod")),
            ("other/app", CreateOnPush, None),
            ("prod/team/app", Replication, None),
        ] {
            let name = RepositoryName::parse(name).unwrap();
            let found = find(&templates, &name, occasion).map(|found| found.prefix.as_str());
            assert_eq!(found, expected, "{name} {occasion:?}");
        }
    }
}
