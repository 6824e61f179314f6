//! RFC 6902 patch documents.

use aws::{Exception, cloud_control::schema::ResourceType};
use json_patch::{AddOperation, PatchOperation, patch};
use serde_json::Value;

use super::{
    Model,
    constraints::{self, DOCUMENT_CHARS_MAX, validation},
};

/// How many operations a document may have. None is documented; each can touch the whole model.
const OPERATIONS_MAX: usize = 1_000;
/// How deep a path may go: no schema here has half of that. Values come with a limit of their own,
/// so that no model gets too deep for the stack.
const DEPTH_MAX: usize = 16;
/// How much of what was sent stands in a message.
const SHOWN_CHARS_MAX: usize = 200;

/// Applies a document to a model, all of it or nothing.
///
/// Properties that are only given and never told are not in `model`: to replace one that is not
/// there is to add it, and to remove it changes nothing.
///
/// # Errors
/// It is not a patch document, or cannot be applied to the model.
pub(super) fn apply(
    document: &str,
    model: &Model,
    schema: &ResourceType,
) -> Result<Model, Exception> {
    constraints::document("patchDocument", document)?;
    let operations: Vec<PatchOperation> = serde_json::from_str(document).map_err(|error| {
        refused(&format!("the patch document is not of RFC 6902: {}", shown(&error.to_string())))
    })?;
    if operations.len() > OPERATIONS_MAX {
        return Err(refused(&format!(
            "the patch document has more than {OPERATIONS_MAX} operations"
        )));
    }
    let mut patched = Value::Object(model.clone());
    for operation in operations {
        check_depth(&operation)?;
        let Some(operation) = on_what_is_told(operation, &patched, schema) else { continue };
        let is_copy = matches!(operation, PatchOperation::Copy(_));
        patch(&mut patched, std::slice::from_ref(&operation)).map_err(|error| {
            let path = operation.path().as_str();
            refused(&format!("operation at '{}': {}", shown(path), error.kind))
        })?;
        // A few hundred copies of copies would fill the memory of any machine.
        if is_copy && size(&patched) > DOCUMENT_CHARS_MAX {
            return Err(refused("the patched model is too large"));
        }
    }
    match patched {
        Value::Object(patched) => Ok(patched),
        _ => Err(refused("the patched model is not an object")),
    }
}

fn check_depth(operation: &PatchOperation) -> Result<(), Exception> {
    let from = match operation {
        PatchOperation::Move(operation) => Some(operation.from.as_str()),
        PatchOperation::Copy(operation) => Some(operation.from.as_str()),
        _ => None,
    };
    for path in from.into_iter().chain([operation.path().as_str()]) {
        if path.matches('/').count() > DEPTH_MAX {
            return Err(refused(&format!("operation at '{}': path is too deep", shown(path))));
        }
    }
    Ok(())
}

/// An operation on a property that is never told, as one that can be applied.
fn on_what_is_told(
    operation: PatchOperation,
    model: &Value,
    schema: &ResourceType,
) -> Option<PatchOperation> {
    let path = operation.path().as_str();
    let property = path.strip_prefix('/').unwrap_or_default();
    if !schema.write_only.contains(&property) || model.get(property).is_some() {
        return Some(operation);
    }
    match operation {
        PatchOperation::Replace(replace) => {
            Some(PatchOperation::Add(AddOperation { path: replace.path, value: replace.value }))
        }
        PatchOperation::Remove(_) => None,
        operation => Some(operation),
    }
}

/// About how many characters a value has as JSON.
fn size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 2,
        Value::Object(members) => {
            members.iter().map(|(name, value)| name.len() + size(value) + 4).sum::<usize>() + 2
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 4,
    }
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

fn refused(reason: &str) -> Exception {
    validation(format!("Invalid patch update: {reason}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret() -> &'static ResourceType {
        ResourceType::parse("AWS::SecretsManager::Secret").unwrap()
    }

    #[track_caller]
    fn patched(document: &Value) -> Result<Value, Exception> {
        let Value::Object(model) = json!({"Name": "token", "Tags": [{"Key": "a", "Value": "1"}]})
        else {
            unreachable!()
        };
        apply(&document.to_string(), &model, secret()).map(Value::Object)
    }

    #[test]
    fn operations_of_the_rfc() {
        for (document, expected) in [
            (json!([]), json!({"Name": "token", "Tags": [{"Key": "a", "Value": "1"}]})),
            (
                json!([{"op": "add", "path": "/Description", "value": "d"},
                       {"op": "remove", "path": "/Tags"}]),
                json!({"Name": "token", "Description": "d"}),
            ),
            (
                json!([{"op": "test", "path": "/Name", "value": "token"},
                       {"op": "replace", "path": "/Tags/0/Value", "value": "2"},
                       {"op": "copy", "from": "/Tags/0", "path": "/Tags/-"},
                       {"op": "move", "from": "/Name", "path": "/Description"}]),
                json!({"Description": "token",
                       "Tags": [{"Key": "a", "Value": "2"}, {"Key": "a", "Value": "2"}]}),
            ),
            (
                json!([{"op": "replace", "path": "/SecretString", "value": "s"}]),
                json!({"Name": "token", "SecretString": "s",
                       "Tags": [{"Key": "a", "Value": "1"}]}),
            ),
            (
                json!([{"op": "remove", "path": "/SecretString"}, {"op": "remove", "path": "/Tags"}]),
                json!({"Name": "token"}),
            ),
        ] {
            assert_eq!(patched(&document).unwrap(), expected, "{document}");
        }
    }

    #[test]
    fn documents_that_cannot_be_applied_say_why() {
        for (document, reason) in [
            (json!({}), "is not of RFC 6902"),
            (json!([{"op": "put", "path": "/Name", "value": "x"}]), "is not of RFC 6902"),
            (json!([{"op": "add", "path": "Name", "value": "x"}]), "is not of RFC 6902"),
            (json!([{"op": "replace", "path": "/Description", "value": "x"}]), "'/Description'"),
            (json!([{"op": "test", "path": "/Name", "value": "x"}]), "value did not match"),
            (json!([{"op": "replace", "path": "", "value": 7}]), "not an object"),
            (json!([{"op": "add", "path": "/a".repeat(17), "value": 7}]), "too deep"),
            (
                json!(vec![json!({"op": "test", "path": "/Name", "value": "token"}); 1_001]),
                "more than 1000",
            ),
        ] {
            let refused = patched(&document).unwrap_err();
            assert!(refused.message().starts_with("Invalid patch update: "), "{refused}");
            assert!(refused.message().contains(reason), "{document}: {refused}");
        }
    }

    #[test]
    fn copies_of_copies_end_soon() {
        let double = json!({"op": "copy", "from": "/Tags", "path": "/Tags/-"});
        let refused = patched(&json!(vec![double; 900])).unwrap_err();
        assert!(refused.message().contains("too large"), "{refused}");
    }
}
