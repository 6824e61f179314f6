//! The schemas that AWS publishes of its resource types, against the tables that hold their facts
//! here. `cfn-lint` ships the schemas.

use std::fs;

use aws::cloud_control::schema::{List, Object, ResourceType, Shape, Text};
use clients::skip::tools_directory;
use clients::{Missing, or_skip};
use serde_json::{Value, json};

/// Every published schema of the types that are offered; one of a type may differ by region.
fn published() -> Result<Vec<Value>, Missing> {
    let directory = tools_directory().join("cfn-lint/cfnlint/data/schemas/resources");
    let missing = || Missing::new("cfn-lint's schemas", "tests/setup installs them, with python3");
    let files = fs::read_dir(directory).map_err(|_| missing())?;
    let names = ResourceType::ALL.iter().map(|kind| format!("\"typeName\": \"{}\"", kind.name));
    let names: Vec<String> = names.collect();
    let read = |path| {
        let text = fs::read_to_string(path).expect("a file of ours");
        let is_wanted = names.iter().any(|name| text.contains(name));
        is_wanted.then(|| serde_json::from_str(&text).expect("a schema is JSON"))
    };
    Ok(files.filter_map(|file| read(file.expect("an entry").path())).collect())
}

/// The facts of the tables in the form of a schema: only what the tables hold.
fn object(object: &Object) -> Value {
    let members = object.members.iter().map(|(name, shape)| ((*name).to_owned(), of(shape)));
    let mut required = object.required.to_vec();
    required.sort_unstable();
    json!({"type": "object", "properties": members.collect::<Value>(), "required": required})
}

fn of(shape: &Shape) -> Value {
    match shape {
        Shape::Text(text) => of_text(&json!("string"), text),
        Shape::Document(text) => of_text(&json!(["object", "string"]), text),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::Integer => json!({"type": "integer"}),
        Shape::Object(members) => object(members),
        Shape::List(List { items, length, is_unique }) => {
            let mut list = json!({"type": "array", "items": of(items), "uniqueItems": is_unique});
            bound(&mut list, "minItems", *length.start(), 0);
            bound(&mut list, "maxItems", *length.end(), usize::MAX);
            list
        }
    }
}

fn of_text(kind: &Value, text: &Text) -> Value {
    let mut said = json!({"type": kind});
    bound(&mut said, "minLength", *text.length.start(), 0);
    bound(&mut said, "maxLength", *text.length.end(), usize::MAX);
    if let Some(pattern) = text.pattern {
        said["pattern"] = json!(pattern);
    }
    if !text.one_of.is_empty() {
        let mut words = text.one_of.to_vec();
        words.sort_unstable();
        said["enum"] = json!(words);
    }
    said
}

fn bound(said: &mut Value, name: &str, value: usize, none: usize) {
    if value != none {
        said[name] = json!(value);
    }
}

/// A published schema with its references resolved, and without what the tables do not hold.
fn resolved(schema: &Value, root: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#'));
        return resolved(target.expect("a definition"), root);
    }
    let mut kept = json!({"type": schema["type"]});
    for fact in ["minLength", "maxLength", "minItems", "maxItems"] {
        // Zero is no bound from below.
        if schema[fact].as_u64().is_some_and(|bound| bound > 0 || fact.starts_with("max")) {
            kept[fact] = schema[fact].clone();
        }
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        // The look-ahead says the lengths again.
        kept["pattern"] = json!(pattern.replace("(?=.{2,256}$)", ""));
    }
    if schema["enum"].is_array() {
        kept["enum"] = sorted(&schema["enum"]);
    }
    if let Some(properties) = schema["properties"].as_object() {
        assert_eq!(schema["additionalProperties"], false, "{schema}");
        let members = properties.iter().map(|(name, it)| (name.clone(), resolved(it, root)));
        kept["properties"] = members.collect();
        kept["required"] = sorted(&schema["required"]);
    }
    if schema["type"] == "array" {
        kept["items"] = resolved(&schema["items"], root);
        kept["uniqueItems"] = json!(schema["uniqueItems"] == true);
    }
    kept
}

fn sorted(words: &Value) -> Value {
    let mut words: Vec<&str> =
        words.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    words.sort_unstable();
    json!(words)
}

/// The properties that a list of pointers names; a part of one counts as the whole.
fn named(pointers: &Value) -> Vec<String> {
    let pointers = pointers.as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut names: Vec<String> =
        pointers.filter_map(|pointer| pointer.split('/').nth(2).map(str::to_owned)).collect();
    names.sort();
    names.dedup();
    names
}

fn own(names: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_tables_hold_the_facts_of_the_published_schemas() {
    let published = or_skip!(published());
    for kind in ResourceType::ALL {
        let of_kind: Vec<&Value> =
            published.iter().filter(|schema| schema["typeName"] == kind.name).collect();
        assert!(!of_kind.is_empty(), "{}", kind.name);
        let facts = object(&kind.object);
        let found: Vec<Value> = of_kind
            .iter()
            .map(|schema| {
                let mut schema = (*schema).clone();
                schema["type"] = json!("object");
                resolved(&schema, &schema)
            })
            .collect();
        assert!(found.contains(&facts), "{}\n{facts:#}\n{:#}", kind.name, found[0]);
        for schema in of_kind {
            assert_eq!(named(&schema["primaryIdentifier"]), [kind.identifier], "{}", kind.name);
            assert_eq!(named(&schema["readOnlyProperties"]), own(kind.read_only));
            assert_eq!(named(&schema["writeOnlyProperties"]), own(kind.write_only));
            assert_eq!(named(&schema["createOnlyProperties"]), own(kind.create_only));
        }
    }
}
