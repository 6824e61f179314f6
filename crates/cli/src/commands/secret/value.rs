//! Where the value of a secret comes from: a question, a file or stdin; never an argument, which
//! everybody on the machine can read.

use std::{
    fs,
    io::{self, Read as _},
    path::PathBuf,
};

use aws::Sensitive;
use serde::{Deserialize, Serialize};

use crate::{error::Error, prompt};

/// Where a value comes from.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct ValueArgs {
    /// User name: the value becomes ECR's form of a user name and a token, which is asked for
    #[arg(long, value_name = "NAME", conflicts_with = "value_file")]
    username: Option<String>,
    /// File that holds the token; - is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "value_file")]
    token_file: Option<String>,
    /// File that holds the whole value, such as JSON; - is stdin
    #[arg(long, value_name = "FILE")]
    value_file: Option<String>,
}

/// What ECR expects of the secret of a rule (user guide, "Storing your upstream repository
/// credentials in an AWS Secrets Manager secret").
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) username: String,
    pub(crate) token: Sensitive,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PairValue {
    username: String,
    access_token: String,
}

impl Pair {
    /// Writes the value of the secret.
    pub(crate) fn to_value(&self) -> Sensitive {
        let value = PairValue {
            username: self.username.clone(),
            access_token: self.token.as_str().to_owned(),
        };
        serde_json::to_string(&value).expect("two texts").into()
    }

    /// Reads the user name of a value of that form.
    pub(super) fn username_of(value: &str) -> Option<String> {
        serde_json::from_str::<PairValue>(value).ok().map(|value| value.username)
    }
}

impl ValueArgs {
    /// Tells whether anything says where the value comes from.
    pub(super) fn is_given(&self) -> bool {
        self.username.is_some() || self.token_file.is_some() || self.value_file.is_some()
    }

    /// Reads the value. `current_user` is asked where a token is given without a user name.
    pub(super) async fn read(
        &self,
        name: &str,
        current_user: impl AsyncFnOnce() -> Result<Option<String>, Error>,
    ) -> Result<Sensitive, Error> {
        if let Some(file) = &self.value_file {
            return read_file(file);
        }
        let username = match (&self.username, &self.token_file) {
            (Some(username), _) => username.clone(),
            (None, Some(_)) => current_user().await?.ok_or_else(|| Error::Missing {
                what: "--username",
                way_out: "the secret does not say whose token it is: give --username NAME"
                    .to_owned(),
            })?,
            (None, None) if prompt::is_possible() => {
                return prompt::hidden(&format!("Value of {name}"));
            }
            (None, None) => {
                return Err(Error::Missing {
                    what: "the value",
                    way_out: "give --username NAME and --token-file FILE, or --value-file FILE \
                              (- is stdin); on a terminal it is asked for"
                        .to_owned(),
                });
            }
        };
        let token = token(&username, self.token_file.as_deref())?;
        Ok(Pair { username, token }.to_value())
    }
}

/// Reads the token of a user from a file, or asks for it.
pub(crate) fn token(username: &str, file: Option<&str>) -> Result<Sensitive, Error> {
    let token = match file {
        // Typed where everybody could look on, it would show.
        Some("-") if prompt::is_possible() => prompt::hidden(&format!("Token of {username}"))?,
        Some(file) => {
            let text = read_file(file)?;
            Sensitive::from(text.as_str().trim_end_matches(['\r', '\n']))
        }
        None if prompt::is_possible() => prompt::hidden(&format!("Token of {username}"))?,
        None => {
            return Err(Error::Missing {
                what: "the token",
                way_out: "give --token-file FILE (- is stdin); on a terminal it is asked for"
                    .to_owned(),
            });
        }
    };
    if token.as_str().is_empty() {
        return Err(Error::Missing {
            what: "the token",
            way_out: "what --token-file names is empty".to_owned(),
        });
    }
    Ok(token)
}

/// Reads a file of UTF-8 text, or stdin for `-`.
pub(crate) fn read_file(name: &str) -> Result<Sensitive, Error> {
    let text = if name == "-" {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(name)
    };
    match text {
        Ok(text) => Ok(text.into()),
        Err(source) => {
            let path = PathBuf::from(if name == "-" { "stdin" } else { name });
            Err(Error::File { path, source })
        }
    }
}

/// A name for the new version, which makes it harmless that a request arrives twice.
pub(super) fn request_token() -> String {
    format!("{:032x}", rand::random::<u128>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_what_ecr_expects() {
        let pair = Pair { username: "me".to_owned(), token: "t\"1".into() };
        let value = pair.to_value();
        assert_eq!(value.as_str(), r#"{"username":"me","accessToken":"t\"1"}"#);
        assert_eq!(Pair::username_of(value.as_str()).as_deref(), Some("me"));
        assert_eq!(Pair::username_of("{}"), None);
        assert!(!format!("{pair:?}").contains("t\""));
    }

    #[test]
    fn tokens_of_requests_differ() {
        let tokens = [request_token(), request_token()];
        assert_ne!(tokens[0], tokens[1]);
        assert_eq!(tokens[0].len(), 32);
    }
}
