//! The questions of `cistern rule add`, one after the other.

use super::{
    add::{self, AddArgs, Credential, Plan},
    rules,
};
use crate::{
    commands::secret::Pair,
    error::Error,
    prompt,
    session::Session,
    upstreams::{KNOWN, KnownUpstream},
};

/// Asks for what the arguments leave open. The rules are listed first: that shows that somebody
/// answers before anything is typed, and which prefixes are taken.
pub(super) async fn plan(args: AddArgs, session: &Session<'_>) -> Result<Plan, Error> {
    let taken: Vec<String> = rules(session, None)
        .await?
        .into_iter()
        .filter_map(|rule| rule.ecr_repository_prefix)
        .map(|prefix| prefix.trim_end_matches('/').to_owned())
        .collect();
    let connection = session.client.connection();
    prompt::say(&format!(
        "A new pull through cache rule at {} ({})",
        connection.endpoint(aws::Service::Ecr),
        connection.region
    ))?;
    let upstream_url = match &args.upstream {
        Some(text) => add::upstream_url(text)?,
        None => upstream()?,
    };
    let known = KnownUpstream::at(&upstream_url);
    let prefix = match args.prefix {
        Some(prefix) => prefix,
        None => prefix(&upstream_url, known, &taken)?,
    };
    let is_decided = args.credentials.secret.is_some()
        || args.credentials.username.is_some()
        || args.credentials.role_arn.is_some();
    let credential =
        if is_decided { args.credentials.decide()? } else { credential(&upstream_url, known)? };
    Ok(Plan {
        prefix,
        upstream_url,
        credential,
        upstream_registry: args.upstream_registry,
        upstream_prefix: args.upstream_prefix,
        role_arn: args.credentials.role_arn,
        is_asked: true,
    })
}

/// Shows what ECR knows, and takes a number, a name of the list, or any host.
fn upstream() -> Result<String, Error> {
    let width = KNOWN.iter().map(|known| known.title.len()).max().unwrap_or_default();
    for (index, known) in KNOWN.iter().enumerate() {
        let number = index + 1;
        prompt::say(&format!("{number:>3}  {:width$}  {}", known.title, known.host))?;
    }
    let question = "Upstream registry (a number, or any host)";
    let answer = prompt::text(question, Some("1"), |text| match chosen(text) {
        Chosen::Nothing => Err(format!("1 to {}, or a host", KNOWN.len())),
        Chosen::Known(_) => Ok(()),
        Chosen::Url(url) => check_url(&url),
    })?;
    match chosen(&answer) {
        Chosen::Known(known) if known.has_one_host() => Ok(known.host.to_owned()),
        Chosen::Known(known) => {
            prompt::text(&format!("Its host ({})", known.host), None, check_url)
        }
        Chosen::Url(url) => Ok(url),
        Chosen::Nothing => unreachable!("the question was repeated"),
    }
}

/// What an answer means.
enum Chosen {
    Known(&'static KnownUpstream),
    Url(String),
    Nothing,
}

fn chosen(text: &str) -> Chosen {
    if let Ok(number) = text.parse::<usize>() {
        let known = number.checked_sub(1).and_then(|index| KNOWN.get(index));
        return known.map_or(Chosen::Nothing, Chosen::Known);
    }
    match KnownUpstream::named(text) {
        Some(known) => Chosen::Known(known),
        None => Chosen::Url(text.to_owned()),
    }
}

fn check_url(text: &str) -> Result<(), String> {
    let is_url = !text.is_empty() && !text.contains(char::is_whitespace);
    if is_url { Ok(()) } else { Err("a host such as registry.example.com:5000".to_owned()) }
}

fn prefix(
    upstream_url: &str,
    known: Option<&KnownUpstream>,
    taken: &[String],
) -> Result<String, Error> {
    let suggested = suggest(known.map_or_else(|| label(upstream_url), |known| known.prefix), taken);
    let question = "Prefix of its repositories here";
    prompt::text(question, Some(&suggested), |text| check_prefix(text, taken))
}

/// The first prefix that is free: the name itself, or with a number.
fn suggest(name: &str, taken: &[String]) -> String {
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !taken.contains(name)).expect("numbers do not end")
}

/// The part of a host that tells it from others: `example` of `registry.example.com:5000`.
fn label(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', ':']).next().unwrap_or(rest);
    let generic = ["registry", "docker", "cr", "www", "hub"];
    let is_word = |label: &&str| {
        label.len() >= 2 && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let is_name = |label: &&str| {
        is_word(label) && !generic.contains(label) && !label.bytes().all(|b| b.is_ascii_digit())
    };
    host.split('.').find(is_name).unwrap_or("upstream")
}

/// What can be known about a prefix here; its grammar is for whoever answers.
fn check_prefix(text: &str, taken: &[String]) -> Result<(), String> {
    let bare = text.trim_end_matches('/');
    if taken.iter().any(|taken| taken == bare) {
        return Err(format!("there is a rule for {bare} already"));
    }
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
    if text != "ROOT" && (!(2..=30).contains(&text.len()) || !text.chars().all(is_plain)) {
        return Err(
            "2 to 30 lower-case letters, digits and . _ - / between them, or ROOT".to_owned()
        );
    }
    Ok(())
}

fn credential(upstream_url: &str, known: Option<&KnownUpstream>) -> Result<Credential, Error> {
    if known.is_some_and(|known| matches!(known.kind, "ecr" | "ecr-public" | "k8s")) {
        // Amazon ECR takes a role or the account's own identity, the others nothing at all.
        return Ok(Credential::None);
    }
    let default = known.is_some_and(|known| known.requires_credentials);
    if !prompt::confirm("Log in to it?", default)? {
        return Ok(Credential::None);
    }
    pair(upstream_url, None).map(Credential::Pair)
}

/// Asks for a user name and a token.
pub(super) fn pair(upstream_url: &str, username: Option<&str>) -> Result<Pair, Error> {
    let not_empty = |text: &str| {
        if text.is_empty() { Err("a user name is needed".to_owned()) } else { Ok(()) }
    };
    let username = prompt::text("User name", username, not_empty)?;
    let hint = KnownUpstream::at(upstream_url).map(|known| known.token_hint);
    let question = match hint.filter(|hint| !hint.is_empty()) {
        Some(hint) => format!("Token ({hint})"),
        None => "Token or password".to_owned(),
    };
    Ok(Pair { username, token: prompt::hidden(&question)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_suggested() {
        for (url, name) in [
            ("registry.example.com:5000", "example"),
            ("https://ghcr.corp.example", "ghcr"),
            ("127.0.0.1:5001", "upstream"),
            ("localhost:5001", "localhost"),
        ] {
            assert_eq!(label(url), name, "{url}");
        }
        let taken = ["hub".to_owned(), "hub-2".to_owned()];
        assert_eq!(suggest("hub", &taken), "hub-3");
        assert_eq!(suggest("k8s", &taken), "k8s");
    }

    #[test]
    fn prefixes_are_checked() {
        let taken = ["hub".to_owned()];
        for text in ["hub", "hub/", "a", "Hub", "a b"] {
            assert!(check_prefix(text, &taken).is_err(), "{text}");
        }
        for text in ["ROOT", "docker-hub", "team/hub/"] {
            assert!(check_prefix(text, &taken).is_ok(), "{text}");
        }
    }
}
