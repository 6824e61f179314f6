//! The resource types, and which functions each comes down to.

use aws::cloud_control::schema::ResourceType;
use metadata::{Page, PageRequest};

use super::{Failure, Held, Model, Session, policy, repository, rule, secret, template};

/// A resource type that is offered here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `AWS::ECR::PullThroughCacheRule`.
    Rule,
    /// `AWS::ECR::RegistryPolicy`.
    RegistryPolicy,
    /// `AWS::ECR::Repository`.
    Repository,
    /// `AWS::ECR::RepositoryCreationTemplate`.
    Template,
    /// `AWS::SecretsManager::Secret`.
    Secret,
}

impl Kind {
    const ALL: [Self; 5] =
        [Self::Rule, Self::RegistryPolicy, Self::Repository, Self::Template, Self::Secret];

    /// The type of that name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rule => "AWS::ECR::PullThroughCacheRule",
            Self::RegistryPolicy => "AWS::ECR::RegistryPolicy",
            Self::Repository => "AWS::ECR::Repository",
            Self::Template => "AWS::ECR::RepositoryCreationTemplate",
            Self::Secret => "AWS::SecretsManager::Secret",
        }
    }

    /// What is published about it.
    pub(super) fn schema(self) -> &'static ResourceType {
        ResourceType::parse(self.name()).expect("every type that is offered has a schema")
    }

    /// What names a resource of this model, however its identifier is spelled.
    pub(super) fn subject(self, session: &Session, model: &Model) -> Option<String> {
        match self {
            Self::Rule => rule::subject(model),
            // There is one, whatever it says.
            Self::RegistryPolicy => Some(session.caller.registry.account.to_string()),
            Self::Repository => repository::subject(model),
            Self::Template => template::subject(model),
            Self::Secret => secret::subject(model),
        }
    }

    /// The properties that an update changes although they never change.
    pub(super) fn not_updatable(
        self,
        before: &Model,
        after: &Model,
        is_strict: bool,
    ) -> Vec<&'static str> {
        let mut changed = ResourceType::changed(self.schema().create_only, before, after);
        match self {
            Self::Rule if !is_strict => {
                changed.retain(|property| !rule::is_updatable(property, after));
            }
            Self::Repository => {
                let is_same = |it| repository::is_same_encryption(it, before, after);
                changed.retain(|property| !is_same(property));
            }
            _ => {}
        }
        changed
    }

    /// Makes a resource.
    pub(super) async fn create(self, session: &Session, model: &Model) -> Result<Held, Failure> {
        match self {
            Self::Rule => rule::create(session, model).await,
            Self::RegistryPolicy => policy::create(session, model).await,
            Self::Repository => repository::create(session, model).await,
            Self::Template => template::create(session, model).await,
            Self::Secret => secret::create(session, model).await,
        }
    }

    /// Finds a resource.
    pub(super) async fn read(self, session: &Session, identifier: &str) -> Result<Held, Failure> {
        match self {
            Self::Rule => rule::read(session, identifier).await,
            Self::RegistryPolicy => policy::read(session, identifier).await,
            Self::Repository => repository::read(session, identifier).await,
            Self::Template => template::read(session, identifier).await,
            Self::Secret => secret::read(session, identifier).await,
        }
    }

    /// Makes a resource what `after` says, and nothing where that is what it is.
    pub(super) async fn update(
        self,
        session: &Session,
        before: &Held,
        after: &Model,
    ) -> Result<Held, Failure> {
        match self {
            Self::Rule => rule::update(session, before, after).await,
            Self::RegistryPolicy => policy::update(session, before, after).await,
            Self::Repository => repository::update(session, before, after).await,
            Self::Template => template::update(session, before, after).await,
            Self::Secret => secret::update(session, before, after).await,
        }
    }

    /// Removes a resource.
    pub(super) async fn delete(self, session: &Session, identifier: &str) -> Result<(), Failure> {
        match self {
            Self::Rule => rule::delete(session, identifier).await,
            Self::RegistryPolicy => policy::delete(session, identifier).await,
            Self::Repository => repository::delete(session, identifier).await,
            Self::Template => template::delete(session, identifier).await,
            Self::Secret => secret::delete(session, identifier).await,
        }
    }

    /// Lists resources.
    pub(super) async fn list(
        self,
        session: &Session,
        page: &PageRequest,
    ) -> Result<Page<Held>, Failure> {
        match self {
            Self::Rule => rule::list(session, page).await,
            Self::RegistryPolicy => policy::list(session, page).await,
            Self::Repository => repository::list(session, page).await,
            Self::Template => template::list(session, page).await,
            Self::Secret => secret::list(session, page).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_schema() {
        for kind in Kind::ALL {
            assert_eq!(kind.schema().name, kind.name());
            assert_eq!(Kind::parse(kind.name()), Some(kind));
        }
    }
}
