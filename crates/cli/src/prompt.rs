//! Questions on a terminal. They go to stderr, so that stdout stays the answer alone.
//!
//! Lines only: menus and single keys hide the cursor, and Ctrl-C would leave it hidden.

use std::io::{self, IsTerminal as _};

use aws::Sensitive;
use console::Term;
use dialoguer::{Input, Password, theme::ColorfulTheme};

use crate::error::Error;

/// Tells whether somebody is there to be asked.
pub(crate) fn is_possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Says something that belongs to a question.
pub(crate) fn say(text: &str) -> Result<(), Error> {
    Term::stderr().write_line(text).map_err(Error::Stopped)
}

/// Asks for a text, until `check` has nothing against it. An empty answer is `default`.
pub(crate) fn text(
    question: &str,
    default: Option<&str>,
    check: impl Fn(&str) -> Result<(), String>,
) -> Result<String, Error> {
    let theme = ColorfulTheme::default();
    let mut input = Input::<String>::with_theme(&theme).with_prompt(question);
    if let Some(default) = default {
        input = input.default(default.to_owned());
    }
    let input = input.validate_with(|text: &String| check(text.trim()));
    let answer = input.interact_on(&Term::stderr()).map_err(stopped)?;
    Ok(answer.trim().to_owned())
}

/// Asks for yes or no.
pub(crate) fn confirm(question: &str, default: bool) -> Result<bool, Error> {
    let default = if default { "yes" } else { "no" };
    let answer = text(question, Some(default), |text| match is_yes(text) {
        Some(_) => Ok(()),
        None => Err("yes or no".to_owned()),
    })?;
    Ok(is_yes(&answer).expect("the question was repeated"))
}

fn is_yes(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}

/// Asks for a text that nobody may see.
pub(crate) fn hidden(question: &str) -> Result<Sensitive, Error> {
    let theme = ColorfulTheme::default();
    let password = Password::with_theme(&theme).with_prompt(question);
    password.interact_on(&Term::stderr()).map(Sensitive::from).map_err(stopped)
}

fn stopped(error: dialoguer::Error) -> Error {
    let dialoguer::Error::IO(error) = error;
    Error::Stopped(error)
}
