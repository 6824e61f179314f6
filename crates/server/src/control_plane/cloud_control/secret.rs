//! `AWS::SecretsManager::Secret`. Its value is only ever given, never told.

use aws::{Exception, exception::SecretsManagerException};
use metadata::{Page, PageRequest};
use rand::Rng as _;
use registry::{
    CreateSecret, DeleteSecret, ListSecrets, SecretError, SecretOrder, SecretSelector, SecretValue,
    SecretView, UpdateSecret,
};
use secrecy::SecretString;

use super::{Failure, Held, Model, Session, changed_tags, error, present, tags, text, told_tags};

/// Properties whose meaning is not kept here: to accept them would be to lose them.
const NOT_OFFERED: [&str; 3] = ["GenerateSecretString", "ReplicaRegions", "Type"];
/// The key that a secret without one of its own is under.
const DEFAULT_KEY: &str = "alias/aws/secretsmanager";
/// How long the random end of a name is that was not given.
const NAME_SUFFIX_CHARS: usize = 12;

/// Two requests meet where they are for one name: the ARN is not known before the secret exists.
pub(super) fn subject(model: &Model) -> Option<String> {
    text(model, "Name")
}

pub(super) async fn create(session: &Session, model: &Model) -> Result<Held, Failure> {
    refuse_unoffered(model)?;
    let new = CreateSecret {
        name: text(model, "Name").unwrap_or_else(drawn_name),
        description: text(model, "Description"),
        kms_key_id: text(model, "KmsKeyId"),
        tags: tags(model, "Tags"),
        client_request_token: None,
        value: value(model),
    };
    let created = session.registry.create_secret(&session.caller, new).await;
    created.map(held).map_err(error::secret)
}

pub(super) async fn read(session: &Session, identifier: &str) -> Result<Held, Failure> {
    let found = session.registry.describe_secret(&session.caller, identifier).await;
    let view = found.map_err(error::secret)?;
    if view.secret.delete_after.is_some() {
        // One that is scheduled for deletion is no resource any more.
        return Err(error::secret(SecretError::NotFound { id: identifier.to_owned() }));
    }
    Ok(held(view))
}

/// Description and key first, with the value, then tags: each step is whole.
pub(super) async fn update(
    session: &Session,
    before: &Held,
    after: &Model,
) -> Result<Held, Failure> {
    refuse_unoffered(after)?;
    let (registry, caller, id) = (&session.registry, &session.caller, before.identifier.as_str());
    let changed = |property: &str, without: &str| {
        let differs = before.model.get(property) != after.get(property);
        differs.then(|| text(after, property).unwrap_or_else(|| without.to_owned()))
    };
    let update = UpdateSecret {
        client_request_token: None,
        description: changed("Description", ""),
        kms_key_id: changed("KmsKeyId", DEFAULT_KEY),
        value: new_value(session, id, after).await?,
    };
    if update.description.is_some() || update.kms_key_id.is_some() || update.value.is_some() {
        registry.update_secret(caller, id, update).await.map_err(error::secret)?;
    }
    let (gone, new) = changed_tags(&tags(&before.model, "Tags"), tags(after, "Tags"));
    if !gone.is_empty() {
        registry.untag_secret(caller, id, &gone).await.map_err(error::secret)?;
    }
    if !new.is_empty() {
        registry.tag_secret(caller, id, &new).await.map_err(error::secret)?;
    }
    read(session, id).await
}

/// CloudFormation removes a secret at once, so that its name is free for the next of it.
pub(super) async fn delete(session: &Session, identifier: &str) -> Result<(), Failure> {
    let delete = DeleteSecret { force: true, recovery_window_days: None };
    let deleted = session.registry.delete_secret(&session.caller, identifier, delete).await;
    deleted.map(drop).map_err(error::secret)
}

pub(super) async fn list(session: &Session, page: &PageRequest) -> Result<Page<Held>, Failure> {
    let list = ListSecrets { order: SecretOrder::Name, ..ListSecrets::default() };
    let found = session.registry.secrets(&session.caller, &list, page).await;
    let Page { items, next } = found.map_err(error::secret)?;
    Ok(Page { items: items.into_iter().map(held).collect(), next })
}

/// The value of `after`, where it is another than the secret has: a patch that says the same again
/// makes no version.
async fn new_value(
    session: &Session,
    id: &str,
    after: &Model,
) -> Result<Option<SecretValue>, Failure> {
    let Some(value) = value(after) else { return Ok(None) };
    let selector = SecretSelector::default();
    match session.registry.secret_value(&session.caller, id, &selector).await {
        Ok((_, _, held)) if held.as_text() == value.as_text() => Ok(None),
        Ok(_) | Err(SecretError::VersionNotFound { .. }) => Ok(Some(value)),
        Err(error) => Err(error::secret(error)),
    }
}

fn refuse_unoffered(model: &Model) -> Result<(), Exception> {
    match NOT_OFFERED.into_iter().find(|property| model.contains_key(*property)) {
        Some(property) => Err(Exception::new(
            SecretsManagerException::InvalidParameter,
            format!("{property} is not offered by this version"),
        )),
        None => Ok(()),
    }
}

fn drawn_name() -> String {
    let letters = rand::rng().sample_iter(rand::distr::Alphanumeric);
    let suffix: String = letters.take(NAME_SUFFIX_CHARS).map(char::from).collect();
    format!("Secret-{suffix}")
}

fn value(model: &Model) -> Option<SecretValue> {
    text(model, "SecretString").map(|text| SecretValue::Text(SecretString::from(text)))
}

fn held(view: SecretView) -> Held {
    let secret = view.secret;
    let model = present([
        ("Id", Some(view.arn.as_str().into())),
        ("Name", Some(secret.name.into())),
        ("Description", secret.description.map(Into::into)),
        ("KmsKeyId", secret.kms_key_id.map(Into::into)),
        ("Tags", told_tags(&secret.tags)),
    ]);
    Held { identifier: view.arn, model }
}
