//! The form of a call: its action, its version, and its parameters by name and by number.

use std::collections::BTreeMap;

use super::pairs;

/// What stands between the name of a list and the number of an element: `Tags.member.1.Key`.
const MEMBER: &str = ".member.";

/// A call of the query protocol, of whichever service.
///
/// Bytes that are not UTF-8 become U+FFFD, which no member of the services here may hold. Of a
/// name that is there twice the first counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    action: String,
    parameters: Vec<(String, String)>,
}

impl Form {
    /// Reads a call from a form body, or from the query of a presigned request, whose body is
    /// empty. None where neither has an `Action`.
    pub fn parse(raw_query: &str, body: &[u8]) -> Option<Self> {
        let form = if body.is_empty() { raw_query.as_bytes() } else { body };
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let parameters: Vec<(String, String)> =
            pairs(form).map(|(name, value)| (text(name), text(value))).collect();
        let action = parameters.iter().find(|(name, _)| name == "Action")?.1.clone();
        Some(Self { action, parameters })
    }

    /// `Action`, the operation's name.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// `Version`, the version of the API; empty when absent.
    pub fn version(&self) -> &str {
        self.get("Version").unwrap_or_default()
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
    }

    /// The elements of a list of texts, `<name>.member.<n>`, by their numbers.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        let elements = self.elements(name).into_values();
        let text =
            elements.map(|members| members.into_iter().find(|(member, _)| member.is_empty()));
        text.flatten().map(|(_, text)| text).collect()
    }

    /// The elements of a list of structures by their numbers: what `<name>.member.<n>.<member>`
    /// says, by member.
    pub fn structures(&self, name: &str) -> Vec<Vec<(&str, &str)>> {
        self.elements(name).into_values().collect()
    }

    /// Numbers come from the caller: nothing is allocated by them.
    fn elements(&self, list: &str) -> BTreeMap<u32, Vec<(&str, &str)>> {
        let mut elements: BTreeMap<u32, Vec<(&str, &str)>> = BTreeMap::new();
        for (name, value) in &self.parameters {
            let numbered = name.strip_prefix(list).and_then(|rest| rest.strip_prefix(MEMBER));
            let Some(numbered) = numbered else { continue };
            let (number, member) = numbered.split_once('.').unwrap_or((numbered, ""));
            if let Ok(number) = number.parse() {
                elements.entry(number).or_default().push((member, value));
            }
        }
        elements
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_read_from_the_body_or_the_query() {
        let form = "Action=GetCallerIdentity&Version=2011-06-15";
        for call in [Form::parse("", form.as_bytes()), Form::parse(form, b"")] {
            let call = call.unwrap();
            assert_eq!((call.action(), call.version()), ("GetCallerIdentity", "2011-06-15"));
        }
        assert_eq!(Form::parse("", b"Version=2011-06-15"), None);
        assert_eq!(Form::parse("", b"{\"a\":\"Action=x\"}"), None);
        assert_eq!(Form::parse("", b"Action=A&Action=B").unwrap().action(), "A");
    }

    #[test]
    fn lists_are_in_the_order_of_their_numbers() {
        let form = "Action=TagRole&Tags.member.10.Key=c&Tags.member.2.Value=2&Tags.member.2.Key=b\
                    &Tags.member.x.Key=no&Tags.member.4294967296.Key=no&Tagss.member.1.Key=no\
                    &TagKeys.member.2=two&TagKeys.member.1=one&TagKeys.member.3.Key=no";
        let form = Form::parse("", form.as_bytes()).unwrap();
        assert_eq!(
            form.structures("Tags"),
            [vec![("Value", "2"), ("Key", "b")], vec![("Key", "c")]]
        );
        assert_eq!(form.texts("TagKeys"), ["one", "two"]);
        assert!(form.texts("PolicyNames").is_empty());
    }
}
