//! `cistern login-password`: what `docker login` asks for.

use aws::{
    Sensitive,
    ecr::{
        AuthorizationData, GetAuthorizationTokenRequest, GetAuthorizationTokenResponse, Operation,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{error::Error, session::Session};

/// Asks for a login token, and where it is good.
pub(super) async fn ask(session: &Session<'_>) -> Result<AuthorizationData, Error> {
    let request = GetAuthorizationTokenRequest::default();
    let answer: GetAuthorizationTokenResponse =
        session.client.ecr(Operation::GetAuthorizationToken, &request).await?;
    answer.authorization_data.into_iter().next().ok_or_else(absent)
}

fn absent() -> Error {
    Error::Absent { what: "a login token".to_owned(), way_out: "the endpoint answered without one" }
}

/// Prints the password of a login token.
pub(super) async fn run(session: &Session<'_>) -> Result<(), Error> {
    let login = ask(session).await?;
    let token = login.authorization_token.as_ref().map(Sensitive::as_str).unwrap_or_default();
    let bytes = STANDARD.decode(token).map_err(|_| absent())?;
    // `AWS:` and the password (GetAuthorizationToken).
    let pair = String::from_utf8(bytes).map_err(|_| absent())?;
    let (_, password) = pair.split_once(':').ok_or_else(absent)?;
    session.output.done(&login, password)
}
