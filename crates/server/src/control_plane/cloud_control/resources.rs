//! Resources: made, told, changed, removed, listed.

use aws::{
    Exception,
    cloud_control::{
        CreateResourceRequest, DeleteResourceRequest, GetResourceRequest, GetResourceResponse,
        HandlerErrorCode, ListResourcesRequest, ListResourcesResponse, ResourceDescription,
        UpdateResourceRequest, schema::ResourceType,
    },
    exception::CloudControlException,
    json,
};
use metadata::{Page, ResourceOperation};
use registry::{AskedRequest, DoneRequest, FailedRequest, NewResourceRequest};
use serde_json::Value;

use super::{
    Call, Failure, Held, Model, Outcome, Session, constraints, kind, kind::Kind, patch, progress,
    text,
};

/// `CreateResource`.
pub(super) async fn create(call: &Call<'_>, session: Session) -> Outcome {
    let request: CreateResourceRequest = call.cloud_control()?;
    let kind = kind(&request.type_name)?;
    check_members(request.client_token.as_deref(), request.role_arn.as_deref())?;
    let desired = request.desired_state.into_string();
    let asked = AskedRequest {
        type_name: kind.name(),
        operation: ResourceOperation::Create,
        client_token: request.client_token,
        document: desired,
    };
    if let Some(held) = repeated(call, &asked).await? {
        return Ok(held);
    }
    let model = model("desiredState", &asked.document)?;
    let read_only = ResourceType::changed(kind.schema().read_only, &model, &Model::new());
    if !read_only.is_empty() {
        return Err(invalid(format!(
            "Invalid create: readOnlyProperties [{}] cannot be specified",
            pointers(&read_only)
        )));
    }
    check_model(kind, &Model::new(), &model, session.strict_ecr)?;
    let new = NewResourceRequest {
        asked,
        subject: kind.subject(&session, &model),
        identifier: text(&model, kind.schema().identifier),
    };
    carry_out(call, new, async move {
        match kind.create(&session, &model).await {
            Ok(held) => Ok(progress::done(held)),
            Err(failure) => {
                let identifier = identifier_of(&session, kind, &model, &failure).await;
                Err(progress::failed(&session, kind, &failure, identifier))
            }
        }
    })
    .await
}

/// What the resource is named by that is there already: as it is stored, so that a client can go
/// on with it.
async fn identifier_of(
    session: &Session,
    kind: Kind,
    model: &Model,
    failure: &Failure,
) -> Option<String> {
    if HandlerErrorCode::of(&failure.exception) == HandlerErrorCode::AlreadyExists
        && let Some(subject) = kind.subject(session, model)
        && let Ok(held) = kind.read(session, &subject).await
    {
        return Some(held.identifier);
    }
    text(model, kind.schema().identifier)
}

/// `GetResource`.
pub(super) async fn get(call: &Call<'_>, session: &Session) -> Outcome {
    let request: GetResourceRequest = call.cloud_control()?;
    let kind = kind(&request.type_name)?;
    check_members(None, request.role_arn.as_deref())?;
    let identifier = identifier(kind, &request.identifier)?;
    call.registry().admit_resource_call(call.caller(), "cloudformation:GetResource")?;
    let held = read(session, kind, &identifier).await?;
    Ok(json::render(&GetResourceResponse {
        type_name: Some(request.type_name),
        resource_description: Some(description(held)),
    }))
}

/// `UpdateResource`. The patch is applied to the resource as it is; where that changes nothing there
/// is nothing to do, and that succeeds.
pub(super) async fn update(call: &Call<'_>, session: Session) -> Outcome {
    let request: UpdateResourceRequest = call.cloud_control()?;
    let kind = kind(&request.type_name)?;
    check_members(request.client_token.as_deref(), request.role_arn.as_deref())?;
    let identifier = identifier(kind, &request.identifier)?;
    let document = request.patch_document.into_string();
    let asked = AskedRequest {
        type_name: kind.name(),
        operation: ResourceOperation::Update,
        client_token: request.client_token,
        document: format!("{identifier}\n{document}"),
    };
    if let Some(held) = repeated(call, &asked).await? {
        return Ok(held);
    }
    let before = read(&session, kind, &identifier).await?;
    let after = patch::apply(&document, &before.model, kind.schema())?;
    check_change(kind, &before.model, &after, session.strict_ecr)?;
    let new = NewResourceRequest {
        asked,
        subject: kind.subject(&session, &before.model),
        identifier: Some(before.identifier.clone()),
    };
    carry_out(call, new, async move {
        let updated = kind.update(&session, &before, &after).await;
        updated.map(progress::done).map_err(|failure| {
            progress::failed(&session, kind, &failure, Some(before.identifier.clone()))
        })
    })
    .await
}

/// `DeleteResource`. That there is no such resource is known when the request is carried out.
pub(super) async fn delete(call: &Call<'_>, session: Session) -> Outcome {
    let request: DeleteResourceRequest = call.cloud_control()?;
    let kind = kind(&request.type_name)?;
    check_members(request.client_token.as_deref(), request.role_arn.as_deref())?;
    let identifier = identifier(kind, &request.identifier)?;
    let asked = AskedRequest {
        type_name: kind.name(),
        operation: ResourceOperation::Delete,
        client_token: request.client_token,
        document: identifier.clone(),
    };
    if let Some(held) = repeated(call, &asked).await? {
        return Ok(held);
    }
    let held = kind.read(&session, &identifier).await.ok();
    let subject = held.as_ref().and_then(|held| kind.subject(&session, &held.model));
    let new = NewResourceRequest {
        asked,
        subject: subject.or_else(|| Some(identifier.clone())),
        identifier: Some(held.map_or_else(|| identifier.clone(), |held| held.identifier)),
    };
    carry_out(call, new, async move {
        match kind.delete(&session, &identifier).await {
            Ok(()) => Ok(DoneRequest { identifier: None, model: None }),
            Err(failure) => Err(progress::failed(&session, kind, &failure, Some(identifier))),
        }
    })
    .await
}

/// `ListResources`.
pub(super) async fn list(call: &Call<'_>, session: &Session) -> Outcome {
    let request: ListResourcesRequest = call.cloud_control()?;
    let kind = kind(&request.type_name)?;
    check_members(None, request.role_arn.as_deref())?;
    let page = constraints::page(request.next_token.as_deref(), request.max_results)?;
    let wanted = request.resource_model.map(|wanted| model("resourceModel", wanted.as_str()));
    let wanted = wanted.transpose()?.unwrap_or_default();
    call.registry().admit_resource_call(call.caller(), "cloudformation:ListResources")?;
    let found = kind.list(session, &page).await;
    let Page { items, next } = found.map_err(|failure| progress::refused(kind, None, failure))?;
    let is_wanted = |held: &Held| wanted.iter().all(|(name, it)| held.model.get(name) == Some(it));
    Ok(json::render(&ListResourcesResponse {
        type_name: Some(request.type_name),
        resource_descriptions: items.into_iter().filter(is_wanted).map(description).collect(),
        next_token: constraints::next_token(next),
    }))
}

/// The answer to a request that was made before.
async fn repeated(call: &Call<'_>, asked: &AskedRequest) -> Result<Option<Vec<u8>>, Failure> {
    let held = call.registry().repeated_request(call.caller(), asked).await;
    Ok(held.map_err(progress::no_event)?.map(|held| progress::render(held, call.now())))
}

/// Has a request carried out, and tells how far it has come.
async fn carry_out(
    call: &Call<'_>,
    new: NewResourceRequest,
    work: impl Future<Output = Result<DoneRequest, FailedRequest>> + Send + 'static,
) -> Outcome {
    let request = call.registry().carry_out(call.caller(), new, work).await;
    Ok(progress::render(request.map_err(progress::no_event)?, call.now()))
}

async fn read(session: &Session, kind: Kind, identifier: &str) -> Result<Held, Failure> {
    let held = kind.read(session, identifier).await;
    held.map_err(|failure| progress::refused(kind, Some(identifier), failure))
}

fn check_members(client_token: Option<&str>, role_arn: Option<&str>) -> Result<(), Exception> {
    client_token.map_or(Ok(()), |token| constraints::token("clientToken", token))?;
    constraints::role_arn(role_arn)
}

/// "Primary identifiers can be specified as a string or JSON" (API reference of GetResource).
fn identifier(kind: Kind, identifier: &str) -> Result<String, Exception> {
    constraints::identifier(identifier)?;
    let property = kind.schema().identifier;
    if !identifier.starts_with('{') {
        return Ok(identifier.to_owned());
    }
    let model: Option<Model> = serde_json::from_str(identifier).ok();
    let named = model.filter(|model| model.len() == 1).and_then(|model| text(&model, property));
    named.ok_or_else(|| {
        let text = format!("must be the value of {property}, or an object with that property");
        constraints::violation("identifier", &text)
    })
}

/// Reads a document that holds properties.
fn model(member: &str, document: &str) -> Result<Model, Exception> {
    constraints::document(member, document)?;
    match serde_json::from_str(document) {
        Ok(Value::Object(model)) => Ok(model),
        Ok(_) => Err(constraints::violation(member, "must be a JSON object")),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let text = format!("must be valid JSON: it is not at line {line}, column {column}");
            Err(constraints::violation(member, &text))
        }
    }
}

/// Holds what is new in a model against its schema: what is there already came through other doors,
/// or when other constraints held.
fn check_model(kind: Kind, before: &Model, model: &Model, is_strict: bool) -> Result<(), Failure> {
    let Err(mut violations) = kind.schema().check(model, is_strict) else { return Ok(()) };
    violations.retain(|violation| {
        let property = violation.place.split('/').nth(1).unwrap_or_default();
        !before.contains_key(property) || before.get(property) != model.get(property)
    });
    if violations.is_empty() {
        return Ok(());
    }
    let violations: Vec<String> = violations.iter().map(ToString::to_string).collect();
    Err(invalid(format!("Model validation failed ({})", violations.join("\n"))))
}

/// Checks that a patch changes only what can be changed, and into what the schema allows.
fn check_change(kind: Kind, before: &Model, after: &Model, is_strict: bool) -> Result<(), Failure> {
    let read_only = ResourceType::changed(kind.schema().read_only, before, after);
    if !read_only.is_empty() {
        return Err(invalid(format!(
            "Invalid patch update: readOnlyProperties [{}] cannot be updated",
            pointers(&read_only)
        )));
    }
    check_model(kind, before, after, is_strict)?;
    let create_only = kind.not_updatable(before, after, is_strict);
    if create_only.is_empty() {
        return Ok(());
    }
    let text = format!(
        "Invalid patch update: createOnlyProperties [{}] cannot be updated",
        pointers(&create_only)
    );
    Err(Exception::new(CloudControlException::NotUpdatable, text).into())
}

fn pointers(properties: &[&str]) -> String {
    let pointers: Vec<_> = properties.iter().map(|name| format!("/properties/{name}")).collect();
    pointers.join(", ")
}

fn invalid(text: String) -> Failure {
    constraints::validation(text).into()
}

fn description(held: Held) -> ResourceDescription {
    ResourceDescription {
        identifier: Some(held.identifier),
        properties: Some(Value::Object(held.model).to_string().into()),
    }
}
