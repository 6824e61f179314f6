//! What a command works with: somebody to ask, and a place to answer.

use crate::{
    Surroundings,
    client::Client,
    connection::{Connection, Options},
    error::Error,
    output::Output,
};

/// One run of one command.
pub(crate) struct Session<'a> {
    /// Whom to ask.
    pub(crate) client: Client<'a>,
    /// Where to answer.
    pub(crate) output: Output,
}

impl<'a> Session<'a> {
    /// Finds out whom to ask; contacts nobody.
    pub(crate) fn open(options: &Options, surroundings: &Surroundings<'a>) -> Result<Self, Error> {
        let connection = Connection::find(options, surroundings)?;
        Ok(Self {
            client: Client::new(connection, surroundings.now)?,
            output: Output::new(options.output),
        })
    }
}

/// Follows a list to its end. `ask` is given the token of the page, and answers with its items and
/// the token of the next one.
pub(crate) async fn pages<T>(
    mut ask: impl AsyncFnMut(Option<String>) -> Result<(Vec<T>, Option<String>), Error>,
) -> Result<Vec<T>, Error> {
    let mut items = Vec::new();
    let mut token = None;
    loop {
        let (page, next) = ask(token.clone()).await?;
        items.extend(page);
        match next {
            None => return Ok(items),
            Some(next) if token.as_ref() == Some(&next) => return Err(Error::Endless),
            Some(next) => token = Some(next),
        }
    }
}
