//! A model against its schema.

use std::fmt::Write as _;

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::{List, Object, Shape, Text, Violation};

/// How many violations are told: more help nobody.
const TOLD_MAX: usize = 20;

/// Checks a whole model.
pub(super) fn model(
    object: &Object,
    model: &Map<String, Value>,
    is_strict: bool,
) -> Result<(), Vec<Violation>> {
    let mut check = Check { is_strict, place: "#".to_owned(), found: Vec::new() };
    check.object(object, model);
    if check.found.is_empty() { Ok(()) } else { Err(check.found) }
}

/// A walk through a model.
struct Check {
    is_strict: bool,
    /// Where it is.
    place: String,
    found: Vec<Violation>,
}

impl Check {
    fn violation(&mut self, reason: String) {
        if self.found.len() < TOLD_MAX {
            self.found.push(Violation { place: self.place.clone(), reason });
        }
    }

    /// Checks something one step further in.
    fn at(&mut self, step: &dyn std::fmt::Display, check: impl FnOnce(&mut Self)) {
        let length = self.place.len();
        write!(self.place, "/{step}").expect("a String takes everything");
        check(self);
        self.place.truncate(length);
    }

    fn object(&mut self, object: &Object, model: &Map<String, Value>) {
        for name in object.required {
            if !model.contains_key(*name) {
                self.violation(format!("required key [{name}] not found"));
            }
        }
        for name in model.keys() {
            if !object.members.iter().any(|(known, _)| known == name) {
                self.violation(format!("extraneous key [{}] is not permitted", shown(name)));
            }
        }
        for (name, shape) in object.members {
            if let Some(value) = model.get(*name) {
                self.at(name, |check| check.value(shape, value));
            }
        }
    }

    fn value(&mut self, shape: &Shape, value: &Value) {
        match (shape, value) {
            (Shape::Text(text) | Shape::Document(text), Value::String(value)) => {
                self.text(text, value);
            }
            (Shape::Document(text), Value::Object(_)) => {
                let length = value.to_string().chars().count();
                self.length("Length", length, &text.length);
            }
            (Shape::Boolean, Value::Bool(_)) => {}
            (Shape::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => {}
            (Shape::Object(object), Value::Object(model)) => self.object(object, model),
            (Shape::List(list), Value::Array(items)) => self.list(list, items),
            (shape, value) => {
                let (expected, found) = (shape.type_name(), type_name(value));
                self.violation(format!("expected type: {expected}, found: {found}"));
            }
        }
    }

    fn text(&mut self, text: &Text, value: &str) {
        self.length("Length", value.chars().count(), &text.length);
        if text.strict_only && !self.is_strict {
            return;
        }
        if !text.one_of.is_empty() && !text.one_of.contains(&value) {
            let words = text.one_of.join(", ");
            self.violation(format!("{} is not a valid enum value of [{words}]", shown(value)));
        }
        if let Some(pattern) = text.pattern
            && !matches(pattern, value)
        {
            let value = shown(value);
            self.violation(format!("string [{value}] does not match pattern {pattern}"));
        }
    }

    fn list(&mut self, list: &List, items: &[Value]) {
        self.length("Items", items.len(), &list.length);
        if list.is_unique && (1..items.len()).any(|at| items[..at].contains(&items[at])) {
            self.violation("array items are not unique".to_owned());
        }
        for (position, item) in items.iter().enumerate() {
            self.at(&position, |check| check.value(&list.items, item));
        }
    }

    fn length(&mut self, what: &str, actual: usize, bounds: &std::ops::RangeInclusive<usize>) {
        if actual < *bounds.start() {
            self.violation(format!("expected min{what}: {}, actual: {actual}", bounds.start()));
        }
        if actual > *bounds.end() {
            self.violation(format!("expected max{what}: {}, actual: {actual}", bounds.end()));
        }
    }
}

/// Tells whether a text has a match of a pattern of the tables. A pattern there that is none
/// matches nothing, which the test of the tables would see.
fn matches(pattern: &str, text: &str) -> bool {
    Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(text))
}

/// What of a value stands in a message: enough to find it.
fn shown(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 100;
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

impl Shape {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Text(_) => "String",
            Self::Document(_) => "JSONObject or String",
            Self::Boolean => "Boolean",
            Self::Integer => "Integer",
            Self::Object(_) => "JSONObject",
            Self::List(_) => "JSONArray",
        }
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(number) if number.is_f64() => "Number",
        Value::Number(_) => "Integer",
        Value::String(_) => "String",
        Value::Array(_) => "JSONArray",
        Value::Object(_) => "JSONObject",
    }
}
