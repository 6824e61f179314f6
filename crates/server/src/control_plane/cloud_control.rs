//! AWS Cloud Control API: the resources of ECR and Secrets Manager by one set of operations.
//!
//! A thin layer. A resource type is a schema (`aws::cloud_control::schema`) and five functions that
//! come down to the same calls of the registry as the operations of its own service, and to the same
//! errors. What is asked is checked at once; what is then done is a request of the registry, which
//! is recorded before it begins and can be asked after for seven days.

mod constraints;
mod kind;
mod patch;
mod policy;
mod progress;
mod repository;
mod requests;
mod resources;
mod rule;
mod secret;
mod template;

use aws::{Exception, cloud_control::Operation, exception::CloudControlException};
use registry::{Caller, Registry};
use serde_json::{Map, Value, json};

use super::{
    Call, Exchange, Failure, Outcome, error, repositories, setting_failure, settings, templates,
    validate,
};
use crate::doors::RequestId;
use kind::Kind;

/// The properties of a resource.
type Model = Map<String, Value>;

/// A resource as it is.
#[derive(Clone, Debug)]
struct Held {
    /// What it is named by, as it is stored.
    identifier: String,
    /// What its creator set, and what is told besides.
    model: Model,
}

/// What the operations of a type need: it outlives the call that asked for them.
#[derive(Clone)]
struct Session {
    registry: Registry,
    caller: Caller,
    strict_ecr: bool,
    /// The address that clients reach the registry by.
    endpoint: String,
    /// The request whose log lines are written.
    request_id: RequestId,
}

/// Answers an operation.
pub(super) async fn answer(call: &Call<'_>, name: &str, exchange: &mut Exchange) -> Outcome {
    let operation = Operation::parse(name).ok_or_else(|| error::no_such_operation(name))?;
    exchange.operation = Some(operation.name());
    let session = Session {
        registry: call.registry().clone(),
        caller: call.caller().clone(),
        strict_ecr: call.doors.settings.strict_ecr,
        endpoint: call.endpoint(call.registry_id()),
        request_id: exchange.request_id,
    };
    match operation {
        Operation::CreateResource => resources::create(call, session).await,
        Operation::GetResource => resources::get(call, &session).await,
        Operation::UpdateResource => resources::update(call, session).await,
        Operation::DeleteResource => resources::delete(call, session).await,
        Operation::ListResources => resources::list(call, &session).await,
        Operation::GetResourceRequestStatus => requests::status(call).await,
        Operation::ListResourceRequests => requests::list(call).await,
        Operation::CancelResourceRequest => requests::cancel(call).await,
    }
}

/// The type of that name.
fn kind(type_name: &str) -> Result<Kind, Exception> {
    constraints::type_name(type_name)?;
    Kind::parse(type_name).ok_or_else(|| {
        let text = format!("The type '{type_name}' cannot be found.");
        Exception::new(CloudControlException::TypeNotFound, text)
    })
}

/// A property that is text, where there is one.
fn text(model: &Model, property: &str) -> Option<String> {
    model.get(property).and_then(Value::as_str).map(str::to_owned)
}

/// Tags as a property has them.
fn tags(model: &Model, property: &str) -> Vec<(String, String)> {
    let tags = model.get(property).and_then(Value::as_array).into_iter().flatten();
    let part = |tag: &Value, part: &str| tag[part].as_str().unwrap_or_default().to_owned();
    tags.map(|tag| (part(tag, "Key"), part(tag, "Value"))).collect()
}

/// The property that tells of tags; absent where there are none.
fn told_tags(tags: &[(String, String)]) -> Option<Value> {
    let told = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
    (!tags.is_empty()).then(|| told.collect())
}

/// Keys of tags that are to go, and tags that are to be set.
fn changed_tags(
    held: &[(String, String)],
    wanted: Vec<(String, String)>,
) -> (Vec<String>, Vec<(String, String)>) {
    let is_wanted = |key: &String| wanted.iter().any(|(wanted, _)| wanted == key);
    let keys = held.iter().map(|(key, _)| key);
    let gone = keys.filter(|key| !is_wanted(key)).cloned().collect();
    (gone, wanted.into_iter().filter(|tag| !held.contains(tag)).collect())
}

/// A document that a model has as an object or as its text, as text.
fn document(model: &Model, property: &str) -> Option<String> {
    match model.get(property)? {
        Value::String(text) => Some(text.clone()),
        document => Some(document.to_string()),
    }
}

/// A document as it is told: an object, where it is one.
fn told_document(text: String) -> Value {
    match serde_json::from_str(&text) {
        Ok(document @ Value::Object(_)) => document,
        _ => Value::String(text),
    }
}

/// Properties without those that are absent.
fn present<const N: usize>(properties: [(&str, Option<Value>); N]) -> Model {
    let present =
        properties.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    present.collect()
}
