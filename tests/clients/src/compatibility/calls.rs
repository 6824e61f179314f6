//! From the access log of a product to the calls of its clients.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;

use serde_json::{Value, json};

use super::{CALLS, Client, directory};

/// What one client called in one scenario, and how often it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The scenario, as cargo names it.
    pub test: String,
    /// Who called.
    pub client: Client,
    /// The version that it says; empty where it says none.
    pub version: String,
    /// The signing name of the service; `registry` on the data plane.
    pub service: String,
    /// The operation; on the data plane a method and what it asks for.
    pub operation: String,
    /// How many calls succeeded.
    pub succeeded: u64,
    /// How many were refused: in a scenario that passed, because they should be.
    pub refused: u64,
}

impl Call {
    /// Reads one line of the record.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Some(Self {
            test: text("test")?,
            client: Client::named(value["client"].as_str()?)?,
            version: text("version")?,
            service: text("service")?,
            operation: text("operation")?,
            succeeded: value["succeeded"].as_u64()?,
            refused: value["refused"].as_u64()?,
        })
    }

    fn line(&self) -> String {
        let Self { test, client, version, service, operation, succeeded, refused } = self;
        let value = json!({
            "test": test, "client": client.name(), "version": version, "service": service,
            "operation": operation, "succeeded": succeeded, "refused": refused,
        });
        format!("{value}\n")
    }
}

/// Appends what the access log of a passed scenario shows. With `client`, every call but an
/// onlooker's counts for it, whatever program carried it out.
///
/// # Panics
/// When the record cannot be written.
pub fn record(test: &str, log: &str, client: Option<Client>) {
    let lines: String = calls_in(test, log, client).iter().map(Call::line).collect();
    if lines.is_empty() {
        return;
    }
    // One write: scenarios run side by side and share the file.
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory().join(CALLS))
        .and_then(|mut file| file.write_all(lines.as_bytes()))
        .expect("the target directory is writable: this test was built there");
}

/// Sums up the access log of one product.
#[must_use]
pub fn calls_in(test: &str, log: &str, client: Option<Client>) -> Vec<Call> {
    let mut calls = BTreeMap::new();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for line in lines.filter(|line| line["target"] == "cistern::access") {
        let Some((seen, version)) = line["user_agent"].as_str().and_then(Client::of) else {
            continue;
        };
        let Some((service, operation)) = operation(&line) else { continue };
        // Whatever runs on Node.js may call itself so; Alchemy calls Cloud Control alone.
        if seen == Client::Alchemy && service != "cloudcontrolapi" {
            continue;
        }
        let key = match client.filter(|_| !seen.is_onlooker()) {
            // The version is that of what it ran.
            Some(client) => (client, String::new(), service, operation),
            None => (seen, version, service, operation),
        };
        let (succeeded, refused) = calls.entry(key).or_insert((0, 0));
        // A 401 of the data plane is the challenge that every client waits for.
        match line["status"].as_u64() {
            Some(200..400) => *succeeded += 1,
            _ => *refused += 1,
        }
    }
    calls
        .into_iter()
        .map(|((client, version, service, operation), (succeeded, refused))| Call {
            test: test.to_owned(),
            client,
            version,
            service,
            operation,
            succeeded,
            refused,
        })
        .collect()
}

fn operation(line: &Value) -> Option<(String, String)> {
    if let (Some(service), Some(operation)) = (line["service"].as_str(), line["operation"].as_str())
    {
        return Some((service.to_owned(), operation.to_owned()));
    }
    let path = line["path"].as_str()?.strip_prefix("/v2/")?;
    let subject = match path {
        "" => "version check",
        _ if path.contains("/blobs/uploads/") => "upload",
        _ if path.contains("/manifests/") => "manifest",
        _ if path.contains("/blobs/") => "blob",
        _ if path.ends_with("/tags/list") => "tags",
        _ if path.contains("/referrers/") => "referrers",
        "_catalog" => "catalog",
        _ => return None,
    };
    Some(("registry".to_owned(), format!("{} {subject}", line["method"].as_str()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = concat!(
        r#"{"target":"cistern::access","service":"ecr","operation":"DescribeImages","status":200,"#,
        r#""user_agent":"APN/1.0 Terraform/1.11.4 (x)"}"#,
        "\n",
        r#"{"target":"cistern::access","service":"ecr","operation":"DescribeImages","status":400,"#,
        r#""user_agent":"APN/1.0 Terraform/1.11.4 (x)"}"#,
        "\n",
        r#"{"target":"cistern::access","service":"sts","operation":"GetCallerIdentity","#,
        r#""status":200,"user_agent":"aws-cli/2.9.19 Python/3"}"#,
        "\n",
        r#"{"target":"cistern::access","method":"GET","path":"/v2/a/b/manifests/1","status":200,"#,
        r#""user_agent":"docker/20.10 go/1"}"#,
        "\n",
        r#"{"target":"cistern::access","method":"GET","path":"/v2/a","status":200,"#,
        r#""user_agent":"curl/8"}"#,
        "\nnot JSON\n",
        r#"{"target":"registry","message":"hello"}"#,
        "\n",
    );

    #[test]
    fn a_log_is_summed_up() {
        let calls = calls_in("it", LOG, None);
        let told: Vec<_> = calls
            .iter()
            .map(|call| (call.client, call.operation.as_str(), call.succeeded, call.refused))
            .collect();
        assert_eq!(
            told,
            [
                (Client::AwsCli2, "GetCallerIdentity", 1, 0),
                (Client::Terraform, "DescribeImages", 1, 1),
                (Client::Docker, "GET manifest", 1, 0),
            ]
        );
        for call in calls {
            assert_eq!(Call::parse(call.line().trim_end()), Some(call));
        }
    }

    #[test]
    fn a_program_stands_for_what_it_runs_but_not_for_who_looks_on() {
        let calls = calls_in("it", LOG, Some(Client::Cdktf));
        assert!(calls.iter().any(|call| call.client == Client::Cdktf));
        assert!(calls.iter().all(|call| call.client != Client::Terraform));
        assert!(calls.iter().any(|call| call.client == Client::AwsCli2));
    }
}
