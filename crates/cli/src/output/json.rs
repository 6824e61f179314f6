//! Shapes as JSON for programs: the API's own names, times as texts.

use aws::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// How the names of members end that hold a moment, in both APIs.
const MOMENTS: [&str; 3] = ["At", "Date", "Time"];

/// Writes a shape, indented, with a line feed at its end.
pub(super) fn text(shape: &impl Serialize) -> String {
    let mut value = serde_json::to_value(shape).expect("shapes have string keys");
    write_moments(&mut value);
    let text = serde_json::to_string_pretty(&value).expect("a value is JSON");
    format!("{text}\n")
}

/// On the wire a moment is a number of seconds; people and `jq` fare better with ISO 8601.
fn write_moments(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::Number(_) if MOMENTS.iter().any(|end| name.ends_with(end)) => {
                        if let Ok(moment) = serde_json::from_value::<Timestamp>(member.clone()) {
                            *member = Value::String(moment.to_string());
                        }
                    }
                    member => write_moments(member),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(write_moments),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_become_texts() {
        let shape = serde_json::json!({
            "images": [{ "imagePushedAt": 1_440_938_160.5, "imageSizeInBytes": 7 }],
            "CreatedDate": 0,
            "name": "At",
        });
        assert_eq!(
            text(&shape).split_whitespace().collect::<String>(),
            r#"{"CreatedDate":"1970-01-01T00:00:00.000Z","images":[{"imagePushedAt":"2015-08-30T12:36:00.500Z","imageSizeInBytes":7}],"name":"At"}"#
        );
    }
}
