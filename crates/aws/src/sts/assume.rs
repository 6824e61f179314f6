//! `AssumeRole`: what is asked, and what is answered.

use serde::{Deserialize, Serialize};

use crate::Sensitive;
use crate::query::Form;

crate::query::requests! {
    /// Asks for a session of a role.
    AssumeRoleRequest {
        /// The ARN of the role.
        role_arn: String = "RoleArn";
        /// What the session is called, in the caller's ARN from then on.
        role_session_name: String = "RoleSessionName";
        /// How long the session lasts, in seconds.
        duration_seconds: Option<i64> = "DurationSeconds";
        /// What the role's owner and the caller agreed upon.
        external_id: Option<String> = "ExternalId";
        /// A policy that bounds the session, in JSON.
        policy: Option<String> = "Policy";
        /// Who is behind the caller.
        source_identity: Option<String> = "SourceIdentity";
    }
}

impl AssumeRoleRequest {
    /// The parameters, as a form takes them.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = vec![
            ("RoleArn", self.role_arn.clone()),
            ("RoleSessionName", self.role_session_name.clone()),
        ];
        let optional = [
            ("DurationSeconds", self.duration_seconds.map(|seconds| seconds.to_string())),
            ("ExternalId", self.external_id.clone()),
            ("Policy", self.policy.clone()),
            ("SourceIdentity", self.source_identity.clone()),
        ];
        parameters.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
        parameters
    }

    /// The name of a member that would bound or mark the session and that this shape leaves out:
    /// a list that `form` has.
    pub fn other_member(form: &Form) -> Option<&'static str> {
        const LISTS: [&str; 4] = ["PolicyArns", "Tags", "TransitiveTagKeys", "ProvidedContexts"];
        LISTS
            .into_iter()
            .find(|list| !form.structures(list).is_empty() || !form.texts(list).is_empty())
    }
}

/// A session that began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumeRoleResult {
    /// What to sign with.
    pub credentials: SessionCredentials,
    /// Who its caller is.
    pub assumed_role_user: AssumedRoleUser,
}

/// Temporary credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SessionCredentials {
    /// The access key, `ASIA…`.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: Sensitive,
    /// What goes with every request as `X-Amz-Security-Token`.
    pub session_token: Sensitive,
    /// When they end, in ISO 8601.
    pub expiration: String,
}

/// The caller of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssumedRoleUser {
    /// The id of the role and the name of the session.
    pub assumed_role_id: String,
    /// The ARN.
    pub arn: String,
}

impl AssumeRoleResult {
    /// Reads the session out of an answer; none where the answer holds none.
    pub fn read(body: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Envelope {
            assume_role_result: AssumeRoleResult,
        }
        let text = std::str::from_utf8(body).ok()?;
        quick_xml::de::from_str::<Envelope>(text).ok().map(|envelope| envelope.assume_role_result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{self, QueryService};
    use crate::sts::VERSION;

    #[test]
    fn a_request_is_read_as_it_is_written() {
        let request = AssumeRoleRequest {
            role_arn: "arn:aws:iam::111122223333:role/team/a+b".to_owned(),
            role_session_name: "ci=1".to_owned(),
            duration_seconds: Some(900),
            external_id: Some("x/y z".to_owned()),
            policy: None,
            source_identity: None,
        };
        let body = query::form("AssumeRole", VERSION, &request.parameters());
        let form = Form::parse("", &body).unwrap();
        assert_eq!((form.action(), form.version()), ("AssumeRole", VERSION));
        assert_eq!(AssumeRoleRequest::read(&form), Ok(request));
        assert_eq!(AssumeRoleRequest::other_member(&form), None);
        let form = Form::parse("", b"Action=AssumeRole&Tags.member.1.Key=a").unwrap();
        assert_eq!(AssumeRoleRequest::other_member(&form), Some("Tags"));
    }

    #[test]
    fn an_answer_is_read_as_it_is_written() {
        let answer = AssumeRoleResult {
            credentials: SessionCredentials {
                access_key_id: "ASIA".to_owned(),
                secret_access_key: "s/+<&".into(),
                session_token: "token==".into(),
                expiration: "2026-01-02T03:04:05.000Z".to_owned(),
            },
            assumed_role_user: AssumedRoleUser {
                assumed_role_id: "AROA:ci".to_owned(),
                arn: "arn:aws:sts::111122223333:assumed-role/a/ci".to_owned(),
            },
        };
        let result = query::result("AssumeRole", &answer);
        let body = query::envelope(QueryService::Sts, "AssumeRole", &result, "r-1");
        let text = String::from_utf8(body).unwrap();
        assert!(text.contains("<Credentials><AccessKeyId>ASIA</AccessKeyId>"), "{text}");
        assert_eq!(AssumeRoleResult::read(text.as_bytes()), Some(answer));
        for body in [&b"<html>"[..], b"<a></a>", b"\xff", b""] {
            assert_eq!(AssumeRoleResult::read(body), None);
        }
    }
}
