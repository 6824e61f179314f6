//! Strings that do not print.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A string of the wire that must not reach a log: secret values and tokens.
///
/// It travels as a plain JSON string; its `Debug` form is a placeholder, so a shape that holds one
/// can be printed. It is not erased from memory: whoever keeps the text owns that.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sensitive(String);

impl Sensitive {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives the text away.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl From<String> for Sensitive {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Sensitive {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("\"…\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_hides_the_text() {
        assert_eq!(format!("{:?}", Some(Sensitive::from("hunter2"))), "Some(\"…\")");
    }

    #[test]
    fn json_shows_the_text() {
        let json = serde_json::to_string(&Sensitive::from("hunter2")).unwrap();
        assert_eq!(json, "\"hunter2\"");
        let back: Sensitive = serde_json::from_str(&json).unwrap();
        assert_eq!(back.as_str(), "hunter2");
    }
}
