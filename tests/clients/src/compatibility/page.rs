//! `docs/compatibility.md`: operation by operation, client by client.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::{Call, Client};

/// The page, from the root of the source tree.
pub const PATH: &str = "docs/compatibility.md";

const HEAD: &str = "\
# Compatibility

Which operations are offered, and which real, unmodified client was seen to use each of them in the
scenarios of `tests/clients`. **yes**: its calls succeed. **refusal**: the scenarios only show it an
error that must come, and the client understands it. Empty: no scenario has this client call this
operation; most of them would work the same, for what is sent and answered is held against botocore's
own model, member by member.

This page is made of what scenarios that passed have recorded (`tests/run --write-compatibility`). A
test fails when its operations are not those that are offered.
";

/// More operations than these are counted, and not named: most of IAM is far from what we do.
const NAMED_MAX: usize = 50;

/// Which operations one service has.
#[derive(Debug)]
struct Chapter {
    /// As requests are signed for it.
    name: String,
    title: String,
    offered: Vec<String>,
    /// By what they are answered: all that is said after the operation's name.
    refused: BTreeMap<String, Vec<String>>,
}

/// Writes the page. `operations` is what a running product said of itself.
///
/// # Panics
/// When `operations` is not what the scenario of the models writes.
#[must_use]
pub fn write(operations: &Value, calls: &[Call]) -> String {
    let mut page = HEAD.to_owned();
    page.push_str(&clients(calls));
    for service in operations.as_array().expect("a list of services") {
        page.push_str(&section(&Chapter::parse(service), calls));
    }
    page.push_str(&data_plane(calls));
    page
}

/// Reads the record of calls.
#[must_use]
pub fn read(record: &str) -> Vec<Call> {
    record.lines().filter_map(Call::parse).collect()
}

impl Chapter {
    fn parse(value: &Value) -> Self {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let mut service = Self {
            name: text(&value["service"]),
            title: text(&value["title"]),
            offered: Vec::new(),
            refused: BTreeMap::new(),
        };
        for operation in value["operations"].as_array().expect("a list of operations") {
            let name = text(&operation["name"]);
            if operation["offered"] == true {
                service.offered.push(name);
            } else {
                let said = text(&operation["says"]).replacen(&name, "", 1);
                service.refused.entry(said.trim().to_owned()).or_default().push(name);
            }
        }
        service
    }
}

fn clients(calls: &[Call]) -> String {
    let mut versions: BTreeMap<Client, BTreeSet<&str>> = BTreeMap::new();
    for call in calls {
        versions.entry(call.client).or_default().insert(&call.version);
    }
    let mut text = "\nThe clients of this run: ".to_owned();
    let named = versions.iter().map(|(client, versions)| {
        let versions: Vec<_> = versions.iter().copied().filter(|text| !text.is_empty()).collect();
        format!("{} {}", client.name(), versions.join(", ")).trim_end().to_owned()
    });
    text.push_str(&named.collect::<Vec<_>>().join("; "));
    text.push_str(".\n");
    text
}

fn section(service: &Chapter, calls: &[Call]) -> String {
    let refused: usize = service.refused.values().map(Vec::len).sum();
    let mut text = format!(
        "\n## {} (`{}`): {} of {} operations\n",
        service.title,
        service.name,
        service.offered.len(),
        service.offered.len() + refused,
    );
    let calls: Vec<_> = calls.iter().filter(|call| call.service == service.name).collect();
    if !service.offered.is_empty() {
        text.push_str(&table(&service.offered, &calls));
    }
    for (said, names) in &service.refused {
        if names.len() > NAMED_MAX {
            let _ = writeln!(text, "\nRefused, \"{said}\": the other {}.", names.len());
            continue;
        }
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(text, "\nRefused, \"{said}\": {}.", names.join(", "));
    }
    text
}

fn data_plane(calls: &[Call]) -> String {
    let calls: Vec<_> = calls.iter().filter(|call| call.service == "registry").collect();
    let operations: BTreeSet<_> = calls.iter().map(|call| call.operation.clone()).collect();
    if operations.is_empty() {
        return String::new();
    }
    let operations: Vec<_> = operations.into_iter().collect();
    format!("\n## The registry itself (`/v2/`)\n{}", table(&operations, &calls))
}

fn table(operations: &[String], calls: &[&Call]) -> String {
    let columns: BTreeSet<_> = calls.iter().map(|call| call.client).collect();
    let mut text = "\n| operation |".to_owned();
    for client in &columns {
        let _ = write!(text, " {} |", client.name());
    }
    text.push_str("\n|---|");
    text.push_str(&":-:|".repeat(columns.len()));
    text.push('\n');
    for operation in operations {
        let _ = write!(text, "| `{operation}` |");
        for client in &columns {
            let cell = cell(calls, *client, operation);
            let _ = if cell.is_empty() { write!(text, " |") } else { write!(text, " {cell} |") };
        }
        text.push('\n');
    }
    text
}

fn cell(calls: &[&Call], client: Client, operation: &str) -> &'static str {
    let of_both = |call: &&&Call| call.client == client && call.operation == operation;
    let found: Vec<_> = calls.iter().filter(of_both).collect();
    match found.iter().map(|call| call.succeeded).sum::<u64>() {
        0 if found.is_empty() => "",
        0 => "refusal",
        _ => "yes",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_has_a_row_for_each_operation_and_a_column_for_each_client() {
        let operations = json!([{
            "service": "ecr",
            "title": "Amazon ECR",
            "operations": [
                {"name": "DescribeImages", "offered": true, "says": ""},
                {"name": "ListImages", "offered": true, "says": ""},
                {"name": "StartImageScan", "offered": false,
                 "says": "StartImageScan is not offered by this version"},
            ],
        }]);
        let call = |client, service: &str, operation: &str, succeeded, refused| Call {
            test: "it".to_owned(),
            client,
            version: "1.2".to_owned(),
            service: service.to_owned(),
            operation: operation.to_owned(),
            succeeded,
            refused,
        };
        let calls = [
            call(Client::Boto3, "ecr", "DescribeImages", 2, 1),
            call(Client::AwsCli2, "ecr", "ListImages", 0, 1),
            call(Client::Docker, "registry", "GET manifest", 1, 0),
        ];
        let page = write(&operations, &calls);
        let wanted = "\
## Amazon ECR (`ecr`): 2 of 3 operations

| operation | AWS CLI 2 | boto3 |
|---|:-:|:-:|
| `DescribeImages` | | yes |
| `ListImages` | refusal | |

Refused, \"is not offered by this version\": `StartImageScan`.

## The registry itself (`/v2/`)

| operation | docker |
|---|:-:|
| `GET manifest` | yes |
";
        assert!(page.ends_with(wanted), "{page}");
        assert!(page.contains("AWS CLI 2 1.2; boto3 1.2; docker 1.2."), "{page}");
    }
}
