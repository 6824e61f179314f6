//! What an upstream asks for when it answers 401: `WWW-Authenticate`.
//!
//! RFC 9110 11.6.1; Docker registry v2 authentication, "How to authenticate".

use http::{HeaderMap, header};
use url::Url;

/// The longest scope taken from a challenge. Real ones are a repository name and an action.
const SCOPE_BYTES_MAX: usize = 1024;

/// A challenge this room can meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// User name and secret with every request.
    Basic,
    /// A token from a realm.
    Bearer {
        /// The token endpoint.
        realm: Url,
        /// Passed on to the token endpoint as it is.
        service: Option<String>,
        /// What the token has to be good for, where the challenge says.
        scope: Option<String>,
    },
}

/// What a refused request was told.
#[derive(Debug, Default)]
pub(crate) struct Challenges {
    /// The challenges that can be met, in the order they were sent.
    pub(crate) usable: Vec<Challenge>,
    /// `error_description`, or `error`, where one was sent.
    pub(crate) error: Option<String>,
}

impl Challenges {
    /// Reads every `WWW-Authenticate` header; one that is malformed is passed over.
    pub(crate) fn parse(headers: &HeaderMap) -> Self {
        let mut challenges = Self::default();
        for value in headers.get_all(header::WWW_AUTHENTICATE) {
            let Ok(text) = value.to_str() else { continue };
            let Ok(parsed) = http_auth::parse_challenges(text) else { continue };
            for challenge in &parsed {
                let parameter = |name| parameter(challenge, name);
                challenges.usable.extend(usable(challenge));
                let error = parameter("error_description").or_else(|| parameter("error"));
                challenges.error = challenges.error.take().or(error);
            }
        }
        challenges
    }

    /// Returns the one to meet: a token where one is offered, for it shows the secret to fewer.
    pub(crate) fn best(&self) -> Option<&Challenge> {
        let is_bearer = |challenge: &&Challenge| matches!(challenge, Challenge::Bearer { .. });
        self.usable.iter().find(is_bearer).or(self.usable.first())
    }
}

fn usable(challenge: &http_auth::ChallengeRef<'_>) -> Option<Challenge> {
    if challenge.scheme.eq_ignore_ascii_case("basic") {
        return Some(Challenge::Basic);
    }
    if !challenge.scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let realm = Url::parse(&parameter(challenge, "realm")?).ok()?;
    let is_web = matches!(realm.scheme(), "http" | "https") && realm.has_host();
    let scope = parameter(challenge, "scope").filter(|scope| scope.len() <= SCOPE_BYTES_MAX);
    is_web.then(|| Challenge::Bearer { realm, service: parameter(challenge, "service"), scope })
}

fn parameter(challenge: &http_auth::ChallengeRef<'_>, name: &str) -> Option<String> {
    let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_unescaped()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn parse(values: &[&'static str]) -> Challenges {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(value));
        }
        Challenges::parse(&headers)
    }

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: Url::parse(realm).unwrap(),
            service: service.map(String::from),
            scope: scope.map(String::from),
        }
    }

    #[test]
    fn challenges_of_the_field() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull",error="invalid_token""#;
        let parsed = parse(&[hub]);
        let scope = Some("repository:library/alpine:pull");
        let expected = bearer("https://auth.docker.io/token", Some("registry.docker.io"), scope);
        assert_eq!(parsed.best(), Some(&expected));
        assert_eq!(parsed.error.as_deref(), Some("invalid_token"));

        let aws = r#"Basic realm="https://1.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com""#;
        assert_eq!(parse(&[aws]).best(), Some(&Challenge::Basic));

        let both = r#"basic realm=x, bearer realm="https://a.example/t""#;
        assert_eq!(parse(&[both]).best(), Some(&bearer("https://a.example/t", None, None)));
        let separate =
            ["Negotiate", r#"Basic realm="x""#, r#"Bearer realm="http://[::1]/t",scope="""#];
        assert_eq!(parse(&separate).best(), Some(&bearer("http://[::1]/t", None, None)));
    }

    #[test]
    fn what_cannot_be_met_is_passed_over() {
        for value in [
            "Negotiate abc=",
            r#"Bearer realm="ftp://a.example/t""#,
            r#"Bearer realm="not a url""#,
            "Bearer",
            r#"Bearer realm="https://a.example"#,
            "",
        ] {
            assert_eq!(parse(&[value]).best(), None, "{value}");
        }
        assert_eq!(parse(&["\"", "Basic realm=x"]).best(), Some(&Challenge::Basic));
    }
}
