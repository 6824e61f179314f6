//! Profiles: what a profile of AWS's shared files says about where its credentials come from.
//!
//! AWS SDKs and Tools reference guide, "Shared config and credentials files". The library reads the
//! keys, signs on with SSO and runs processes; which of these a profile means, and whose role it
//! assumes, is read here.

use std::collections::HashMap;

use reqsign_core::Context;

/// The settings of one profile, those of both files together.
#[derive(Clone, Debug, Default)]
pub(super) struct Profile(HashMap<String, String>);

/// Where a profile gets its credentials.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Keys that stand in it.
    Keys,
    /// A program that prints them.
    Process(String),
    /// A sign-on that somebody made before.
    Sso,
    /// One that several profiles share, with a section of its own.
    SharedSso(SharedSso),
    /// A sign-on that cannot be used.
    BadSso(&'static str),
    /// A role, and a token of somebody else's identity provider.
    WebIdentity {
        /// The role.
        role: Role,
        /// The file that holds the token.
        token_file: String,
    },
    /// A role that another profile may assume.
    RoleFrom(Role, String),
    /// A role that a credential source of the machine may assume: `Environment`, `EcsContainer`,
    /// `Ec2InstanceMetadata`.
    RoleOn(Role, String),
    /// A role, and nothing that could assume it.
    RoleAlone,
    /// Nothing here.
    Nothing,
}

/// A role that a profile names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) external_id: Option<String>,
    pub(super) session_name: Option<String>,
}

/// What a profile with `sso_session` says, and the section that this names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SharedSso {
    pub(super) session: String,
    pub(super) region: String,
    pub(super) account_id: String,
    pub(super) role_name: String,
}

/// Returns the name of the profile that is meant.
pub(super) fn selected(context: &Context) -> String {
    context.env_var("AWS_PROFILE").unwrap_or_else(|| "default".to_owned())
}

/// Reads a profile from both files; one that is not there is empty.
pub(super) async fn read(context: &Context, name: &str) -> Profile {
    let mut settings = HashMap::new();
    let config_section =
        if name == "default" { name.to_owned() } else { format!("profile {name}") };
    // What stands in the credentials file wins.
    for (variable, usual, section, is_config) in [
        ("AWS_CONFIG_FILE", "~/.aws/config", config_section.as_str(), true),
        ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", name, false),
    ] {
        let path = context.env_var(variable).unwrap_or_else(|| usual.to_owned());
        let Some(path) = context.expand_home_dir(&path) else { continue };
        if let Ok(text) = context.file_read_as_string(&path).await {
            settings.extend(section_of(&text, section));
            // Sections of other kinds stand in the first file only, and are read for their region.
            if let Some(session) = settings.get("sso_session").filter(|_| is_config) {
                let shared = section_of(&text, &format!("sso-session {session}"));
                settings.extend(shared.into_iter().filter(|(key, _)| key == "sso_region"));
            }
        }
    }
    Profile(settings)
}

fn section_of(text: &str, name: &str) -> HashMap<String, String> {
    let header = |line: &str| Some(line.strip_prefix('[')?.split(']').next()?.trim().to_owned());
    let mut is_inside = false;
    let mut settings = HashMap::new();
    for line in text.lines() {
        if let Some(section) = header(line.trim()) {
            let words: Vec<_> = section.split_whitespace().collect();
            is_inside = words.join(" ") == name;
        } else if is_inside
            && !line.starts_with([' ', '\t', '#', ';'])
            && let Some((key, value)) = line.split_once('=')
        {
            settings.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    settings
}

impl Profile {
    fn get(&self, key: &str) -> Option<String> {
        self.0.get(key).filter(|value| !value.is_empty()).cloned()
    }

    /// Says where its credentials come from, in the order that AWS's clients look.
    pub(super) fn source(&self) -> Source {
        if let Some(arn) = self.get("role_arn") {
            let role = Role {
                arn,
                external_id: self.get("external_id"),
                session_name: self.get("role_session_name"),
            };
            return match (
                self.get("web_identity_token_file"),
                self.get("source_profile"),
                self.get("credential_source"),
            ) {
                (Some(token_file), ..) => Source::WebIdentity { role, token_file },
                (None, Some(profile), _) => Source::RoleFrom(role, profile),
                (None, None, Some(source)) => Source::RoleOn(role, source),
                (None, None, None) => Source::RoleAlone,
            };
        }
        self.own_source()
    }

    /// As [`Profile::source`], its role aside: what a profile is that names itself as its source.
    pub(super) fn own_source(&self) -> Source {
        if self.get("aws_access_key_id").is_some() {
            Source::Keys
        } else if let Some(command) = self.get("credential_process") {
            Source::Process(command)
        } else if let Some(session) = self.get("sso_session") {
            self.shared_sso(session)
        } else if self.get("sso_account_id").is_some() {
            Source::Sso
        } else {
            Source::Nothing
        }
    }

    fn shared_sso(&self, session: String) -> Source {
        let Some(region) = self.get("sso_region") else {
            return Source::BadSso("its sso_session has no section with an sso_region");
        };
        match (self.get("sso_account_id"), self.get("sso_role_name")) {
            (Some(account_id), Some(role_name)) => {
                Source::SharedSso(SharedSso { session, region, account_id, role_name })
            }
            _ => Source::BadSso("it has an sso_session without sso_account_id and sso_role_name"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_credentials_come_from() {
        let role = Role {
            arn: "arn:aws:iam::111122223333:role/r".to_owned(),
            external_id: Some("x".to_owned()),
            session_name: None,
        };
        let with_role = |rest: &str| format!("role_arn={}\nexternal_id = x\n{rest}", role.arn);
        for (text, expected) in [
            ("aws_access_key_id = A\naws_secret_access_key = s".to_owned(), Source::Keys),
            ("credential_process = /bin/x y".to_owned(), Source::Process("/bin/x y".to_owned())),
            ("sso_account_id = 1".to_owned(), Source::Sso),
            ("region = eu-west-1\n  aws_access_key_id = nested".to_owned(), Source::Nothing),
            ("aws_access_key_id =".to_owned(), Source::Nothing),
            (with_role("source_profile = base"), Source::RoleFrom(role.clone(), "base".to_owned())),
            (
                with_role("credential_source = EcsContainer"),
                Source::RoleOn(role.clone(), "EcsContainer".to_owned()),
            ),
            (
                with_role("web_identity_token_file = /t"),
                Source::WebIdentity { role: role.clone(), token_file: "/t".to_owned() },
            ),
            (with_role(""), Source::RoleAlone),
        ] {
            let file =
                format!("[other]\nsso_account_id=2\n[ profile  p ] # mine\n{text}\n[x]\na=b");
            let profile = Profile(section_of(&file, "profile p"));
            assert_eq!(profile.source(), expected, "{text}");
        }
    }
}
