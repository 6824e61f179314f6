//! The JSON protocols 1.0 and 1.1: targets, bodies, exceptions.
//!
//! A request is `POST /` with `X-Amz-Target: <prefix>.<Operation>` and a JSON object. Members that
//! a shape does not know are ignored, and `null` means absent, as AWS's services have it.

mod shape;
mod target;

pub use shape::{BodyError, parse};
pub use target::{Service, Target, UnknownTarget};

use serde::Serialize;

use crate::exception::{CommonException, Exception, ExceptionKind};

/// Writes a response shape.
pub fn render<T: Serialize>(shape: &T) -> Vec<u8> {
    serde_json::to_vec(shape).expect("shapes have string keys and plain members")
}

/// Writes the body of an exception as `service` does.
///
/// ECR and the front ends call the sentence `message`, Secrets Manager and Cloud Control
/// `Message`, and so does every `AccessDeniedException`. Cloud Control qualifies its types with
/// their namespace.
pub fn render_exception(exception: &Exception, service: Service) -> Vec<u8> {
    let kind = exception.kind();
    let member = match kind {
        ExceptionKind::SecretsManager(_)
        | ExceptionKind::CloudControl(_)
        | ExceptionKind::Common(CommonException::AccessDenied) => "Message",
        ExceptionKind::Common(_)
        | ExceptionKind::Ecr(_)
        | ExceptionKind::Iam(_)
        | ExceptionKind::Cistern(_) => "message",
    };
    let name = match service {
        Service::CloudControl => format!("{}#{}", namespace(kind), kind.name()),
        Service::Ecr | Service::SecretsManager | Service::Cistern => kind.name().to_owned(),
    };
    let string = |text: &str| serde_json::Value::from(text).to_string();
    let mut body =
        format!(r#"{{"__type":{},"{member}":{}"#, string(&name), string(exception.message()));
    for (member, value) in exception.members() {
        body.push_str(&format!(r#","{member}":{value}"#));
    }
    body.push('}');
    body.into_bytes()
}

/// The namespace Cloud Control puts before a type. Its clients compare the whole
/// (Alchemy's `error.ts`).
fn namespace(kind: ExceptionKind) -> &'static str {
    match kind {
        ExceptionKind::Common(CommonException::Throttling) => "com.amazon.coral.availability",
        ExceptionKind::Common(CommonException::Validation) => "com.amazon.coral.validate",
        ExceptionKind::Common(_) => "com.amazon.coral.service",
        ExceptionKind::Ecr(_)
        | ExceptionKind::SecretsManager(_)
        | ExceptionKind::CloudControl(_)
        | ExceptionKind::Iam(_)
        | ExceptionKind::Cistern(_) => "com.amazon.cloudapiservice",
    }
}

#[cfg(test)]
mod tests;
