//! `AWS::ECR::Repository`.

use aws::{Exception, ecr::ImageTagMutabilityExclusionFilter};
use metadata::{Encryption, Page, PageRequest, Repository, RepositorySettings, TagMutability};
use oci::RepositoryName;
use rand::Rng as _;
use registry::{RepositoryFilter, SettingError};
use serde_json::{Value, json};

use super::{
    Failure, Held, Model, Session, changed_tags, document, error, present, repositories,
    setting_failure::refused, settings, tags, text, told_document, told_tags, validate,
};

const NAME: &str = "RepositoryName";
const ENCRYPTION: &str = "EncryptionConfiguration";
const SCANNING: &str = "ImageScanningConfiguration";
const MUTABILITY: &str = "ImageTagMutability";
const EXCLUSIONS: &str = "ImageTagMutabilityExclusionFilters";
const LIFECYCLE: &str = "LifecyclePolicy";
const POLICY: &str = "RepositoryPolicyText";
const EMPTY_ON_DELETE: &str = "EmptyOnDelete";
/// How long the random end of a name is that was not given.
const NAME_SUFFIX_CHARS: usize = 12;

pub(super) fn subject(model: &Model) -> Option<String> {
    text(model, NAME)
}

/// Tells whether a property that differs says the same: nothing said means AES256.
pub(super) fn is_same_encryption(property: &str, before: &Model, after: &Model) -> bool {
    let read = |model| encryption(model).ok();
    property == ENCRYPTION && read(before) == read(after)
}

/// The settings are checked and set together: a repository comes into being whole or not at all.
pub(super) async fn create(session: &Session, model: &Model) -> Result<Held, Failure> {
    let name = text(model, NAME).unwrap_or_else(drawn_name);
    let name = validate::parse_repository("repositoryName", &name)?;
    let settings = RepositorySettings {
        tag_mutability: mutability(model)?,
        scan_on_push: scan_on_push(model),
        encryption: encryption(model)?,
        repository_policy: document(model, POLICY),
        lifecycle_policy: lifecycle(session, model)?,
        tags: tags(model, "Tags"),
        encryption_is_set: model.contains_key(ENCRYPTION),
        empty_on_delete: empty_on_delete(model),
        ..RepositorySettings::default()
    };
    let created = session.registry.create_repository(&session.caller, &name, settings).await;
    created.map(|created| held(session, &created)).map_err(failure(session))
}

pub(super) async fn read(session: &Session, identifier: &str) -> Result<Held, Failure> {
    Ok(held(session, &find(session, identifier).await?))
}

/// Each step is whole, in the order of ECR's own console.
pub(super) async fn update(
    session: &Session,
    before: &Held,
    after: &Model,
) -> Result<Held, Failure> {
    let (registry, caller) = (&session.registry, &session.caller);
    let name = &validate::parse_repository("repositoryName", &before.identifier)?;
    let differs = |property: &str| before.model.get(property) != after.get(property);
    if differs(MUTABILITY) || differs(EXCLUSIONS) {
        let set = registry.set_tag_mutability(caller, name, mutability(after)?).await;
        set.map_err(failure(session))?;
    }
    if differs(SCANNING) {
        let set = registry.set_scan_on_push(caller, name, scan_on_push(after)).await;
        set.map_err(failure(session))?;
    }
    if differs(EMPTY_ON_DELETE) {
        let set = registry.set_empty_on_delete(caller, name, empty_on_delete(after)).await;
        set.map_err(failure(session))?;
    }
    if differs(LIFECYCLE) {
        let set = match lifecycle(session, after)? {
            Some(text) => registry.set_lifecycle_policy(caller, name, &text).await,
            None => gone(registry.delete_lifecycle_policy(caller, name).await),
        };
        set.map_err(failure(session))?;
    }
    if differs(POLICY) {
        let set = match document(after, POLICY) {
            Some(text) => registry.set_repository_policy(caller, name, &text, false).await,
            None => gone(registry.delete_repository_policy(caller, name).await),
        };
        set.map_err(failure(session))?;
    }
    let (keys, new) = changed_tags(&tags(&before.model, "Tags"), tags(after, "Tags"));
    if !keys.is_empty() {
        registry.untag_repository(caller, name, &keys).await.map_err(failure(session))?;
    }
    if !new.is_empty() {
        registry.tag_repository(caller, name, &new).await.map_err(failure(session))?;
    }
    read(session, &before.identifier).await
}

pub(super) async fn delete(session: &Session, identifier: &str) -> Result<(), Failure> {
    let Repository { name, settings, .. } = find(session, identifier).await?;
    let force = settings.empty_on_delete;
    let deleted = session.registry.delete_repository(&session.caller, &name, force).await;
    deleted.map(drop).map_err(failure(session))
}

pub(super) async fn list(session: &Session, page: &PageRequest) -> Result<Page<Held>, Failure> {
    let filter = RepositoryFilter { names: Vec::new() };
    let found = session.registry.describe_repositories(&session.caller, &filter, page).await;
    let account = session.caller.registry.account.as_str();
    let Page { items, next } = found.map_err(|failed| error::describe(failed, account))?;
    Ok(Page { items: items.iter().map(|item| held(session, item)).collect(), next })
}

async fn find(session: &Session, name: &str) -> Result<Repository, Failure> {
    let registry = session.caller.registry.clone();
    let not_found = |name: &str| {
        let repository = name.to_owned();
        failure(session)(SettingError::RepositoryNotFound { repository, registry })
    };
    if RepositoryName::parse(name).is_err() {
        return Err(not_found(name));
    }
    let filter = RepositoryFilter { names: vec![name.to_owned()] };
    let page = PageRequest::first(1);
    let found = session.registry.describe_repositories(&session.caller, &filter, &page).await;
    let account = session.caller.registry.account.as_str();
    let mut found = found.map_err(|failed| error::describe(failed, account))?;
    found.items.pop().ok_or_else(|| not_found(name))
}

fn failure(session: &Session) -> impl Fn(SettingError) -> Failure {
    let strict_ecr = session.strict_ecr;
    move |error| refused(error, strict_ecr)
}

/// A policy that is to go and is not there is as gone as was asked for.
fn gone<T>(deleted: Result<T, SettingError>) -> Result<(), SettingError> {
    match deleted {
        Ok(_) | Err(SettingError::PolicyNotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn drawn_name() -> String {
    let letters = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut rng = rand::rng();
    let mut letter = || char::from(letters[rng.random_range(0..letters.len())]);
    let suffix: String = (0..NAME_SUFFIX_CHARS).map(|_| letter()).collect();
    format!("repository-{suffix}")
}

pub(super) fn exclusions(model: &Model) -> Option<Vec<ImageTagMutabilityExclusionFilter>> {
    let filters = model.get(EXCLUSIONS)?.as_array()?.iter();
    let part = |filter: &Value, part: &str| {
        filter[format!("ImageTagMutabilityExclusionFilter{part}")]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let filters = filters.map(|filter| ImageTagMutabilityExclusionFilter {
        filter_type: part(filter, "Type"),
        filter: part(filter, "Value"),
    });
    Some(filters.collect())
}

pub(super) fn told_exclusions(
    filters: Option<Vec<ImageTagMutabilityExclusionFilter>>,
) -> Option<Value> {
    let told = |filter: ImageTagMutabilityExclusionFilter| {
        json!({
            "ImageTagMutabilityExclusionFilterType": filter.filter_type,
            "ImageTagMutabilityExclusionFilterValue": filter.filter,
        })
    };
    filters.map(|filters| filters.into_iter().map(told).collect())
}

fn mutability(model: &Model) -> Result<TagMutability, Exception> {
    settings::tag_mutability(text(model, MUTABILITY).as_deref(), exclusions(model))
}

fn encryption(model: &Model) -> Result<Encryption, Exception> {
    let Some(sent) = model.get(ENCRYPTION) else { return Ok(Encryption::default()) };
    let word = sent["EncryptionType"].as_str().unwrap_or_default();
    let key = sent["KmsKey"].as_str().map(str::to_owned);
    settings::encryption("encryptionConfiguration", word, key)
}

fn scan_on_push(model: &Model) -> bool {
    model.get(SCANNING).is_some_and(|scanning| scanning["ScanOnPush"] == true)
}

fn empty_on_delete(model: &Model) -> bool {
    model.get(EMPTY_ON_DELETE).is_some_and(|empty| *empty == true)
}

/// The text of a lifecycle policy, which no other registry may have.
fn lifecycle(session: &Session, model: &Model) -> Result<Option<String>, Exception> {
    let Some(lifecycle) = model.get(LIFECYCLE) else { return Ok(None) };
    let account = session.caller.registry.account.as_str();
    if lifecycle["RegistryId"].as_str().is_some_and(|registry_id| registry_id != account) {
        return Err(validate::violation("registryId", "must be the account of the caller"));
    }
    Ok(lifecycle["LifecyclePolicyText"].as_str().map(str::to_owned))
}

/// A repository's properties. How layers are encrypted is told where its creator said it: a client
/// that compares would otherwise replace the repository for nothing.
fn held(session: &Session, repository: &Repository) -> Held {
    let registry = &session.caller.registry;
    let told = repositories::describe_one(registry, &session.endpoint, repository);
    let set = repository.settings.clone();
    let encryption = told
        .encryption_configuration
        .filter(|_| set.encryption_is_set || set.encryption != Encryption::default());
    let encryption = encryption.map(|told| {
        let parts = [
            ("EncryptionType", Some(told.encryption_type.into())),
            ("KmsKey", told.kms_key.map(Into::into)),
        ];
        Value::Object(present(parts))
    });
    let model = present([
        (NAME, told.repository_name.map(Into::into)),
        ("Arn", told.repository_arn.map(Into::into)),
        ("RepositoryUri", told.repository_uri.map(Into::into)),
        (MUTABILITY, told.image_tag_mutability.map(Into::into)),
        (EXCLUSIONS, told_exclusions(told.image_tag_mutability_exclusion_filters)),
        (SCANNING, Some(json!({"ScanOnPush": set.scan_on_push}))),
        (ENCRYPTION, encryption),
        (LIFECYCLE, set.lifecycle_policy.map(|text| json!({"LifecyclePolicyText": text}))),
        (POLICY, set.repository_policy.map(told_document)),
        (EMPTY_ON_DELETE, set.empty_on_delete.then_some(Value::Bool(true))),
        ("Tags", told_tags(&set.tags)),
    ]);
    Held { identifier: repository.name.to_string(), model }
}
