//! `AWS::ECR::RegistryPolicy`: a registry has one or none, named by its account.

use aws::{Exception, exception::CloudControlException};
use metadata::{Page, PageRequest};
use registry::SettingError;

use super::{
    Failure, Held, Model, Session, document, present, setting_failure::refused, told_document,
};

const POLICY: &str = "PolicyText";

pub(super) async fn create(session: &Session, model: &Model) -> Result<Held, Failure> {
    match session.registry.registry_policy(&session.caller).await {
        Ok(_) => Err(Exception::from(CloudControlException::AlreadyExists).into()),
        Err(SettingError::PolicyNotFound { .. }) => set(session, model).await,
        Err(error) => Err(refused(error, session.strict_ecr)),
    }
}

pub(super) async fn read(session: &Session, identifier: &str) -> Result<Held, Failure> {
    if identifier != session.caller.registry.account.as_str() {
        return Err(Exception::from(CloudControlException::ResourceNotFound).into());
    }
    let text = session.registry.registry_policy(&session.caller).await;
    Ok(held(session, text.map_err(|error| refused(error, session.strict_ecr))?))
}

pub(super) async fn update(
    session: &Session,
    before: &Held,
    after: &Model,
) -> Result<Held, Failure> {
    if before.model.get(POLICY) == after.get(POLICY) {
        return Ok(before.clone());
    }
    set(session, after).await
}

pub(super) async fn delete(session: &Session, identifier: &str) -> Result<(), Failure> {
    read(session, identifier).await?;
    let deleted = session.registry.delete_registry_policy(&session.caller).await;
    deleted.map(drop).map_err(|error| refused(error, session.strict_ecr))
}

pub(super) async fn list(session: &Session, _: &PageRequest) -> Result<Page<Held>, Failure> {
    let items = match session.registry.registry_policy(&session.caller).await {
        Ok(text) => vec![held(session, text)],
        Err(SettingError::PolicyNotFound { .. }) => Vec::new(),
        Err(error) => return Err(refused(error, session.strict_ecr)),
    };
    Ok(Page { items, next: None })
}

async fn set(session: &Session, model: &Model) -> Result<Held, Failure> {
    let text = document(model, POLICY).unwrap_or_default();
    let set = session.registry.set_registry_policy(&session.caller, &text).await;
    set.map_err(|error| refused(error, session.strict_ecr))?;
    Ok(held(session, text))
}

fn held(session: &Session, text: String) -> Held {
    let account = session.caller.registry.account.as_str();
    let model =
        present([(POLICY, Some(told_document(text))), ("RegistryId", Some(account.into()))]);
    Held { identifier: account.to_owned(), model }
}
