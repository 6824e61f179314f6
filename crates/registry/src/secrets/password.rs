//! Passwords drawn at random (API reference, "GetRandomPassword").

use secrecy::SecretString;

use crate::{Action, Caller, Registry, Resource, SecretError, random};

/// Characters where it is not said how many, and how many there may be.
const CHARS: i64 = 32;
const CHARS_BOUNDS: std::ops::RangeInclusive<i64> = 1..=4096;
/// How many characters may be excluded.
const EXCLUDED_MAX: usize = 4096;
/// The punctuation of the API reference.
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// What a password is made of.
#[derive(Clone, Debug, Default)]
pub struct PasswordRules {
    /// How many characters it has; 32 where it is not said.
    pub length: Option<i64>,
    /// Characters that it must not have.
    pub exclude_characters: String,
    /// Without digits.
    pub exclude_numbers: bool,
    /// Without punctuation.
    pub exclude_punctuation: bool,
    /// Without capitals.
    pub exclude_uppercase: bool,
    /// Without small letters.
    pub exclude_lowercase: bool,
    /// With spaces.
    pub include_space: bool,
    /// Without care whether there is one of each kind.
    pub any_mixture: bool,
}

impl Registry {
    /// Draws a password. Nothing of it is kept.
    ///
    /// # Errors
    /// [`SecretError::Invalid`] where no password follows the rules.
    pub fn random_password(
        &self,
        caller: &Caller,
        rules: &PasswordRules,
    ) -> Result<SecretString, SecretError> {
        let action = Action::Operation("secretsmanager:GetRandomPassword");
        self.inner.authorize(caller, action, Resource::Registry)?;
        rules.draw()
    }
}

impl PasswordRules {
    fn draw(&self) -> Result<SecretString, SecretError> {
        let length = self.length.unwrap_or(CHARS);
        let length = Some(length).filter(|length| CHARS_BOUNDS.contains(length));
        let length = length.and_then(|length| usize::try_from(length).ok());
        let length = length
            .ok_or_else(|| invalid("PasswordLength", "a password has 1 to 4096 characters"))?;
        if self.exclude_characters.chars().count() > EXCLUDED_MAX {
            return Err(invalid("ExcludeCharacters", "at most 4096 characters are excluded"));
        }
        let kinds = self.kinds();
        let mut pool: Vec<char> = kinds.iter().flatten().copied().collect();
        if self.include_space && !self.exclude_characters.contains(' ') {
            pool.push(' ');
        }
        if pool.is_empty() {
            return Err(invalid("ExcludeCharacters", "no character is left to make a password of"));
        }
        let required = if self.any_mixture { &[][..] } else { &kinds[..] };
        let password = random::password(length, required, &pool);
        let password = password.ok_or_else(|| {
            invalid("PasswordLength", "it is too short for one character of each kind")
        })?;
        Ok(SecretString::from(password.as_str()))
    }

    /// The kinds of characters that are left, none of them empty.
    fn kinds(&self) -> Vec<Vec<char>> {
        let kinds = [
            (self.exclude_lowercase, ('a'..='z').collect::<Vec<_>>()),
            (self.exclude_uppercase, ('A'..='Z').collect()),
            (self.exclude_numbers, ('0'..='9').collect()),
            (self.exclude_punctuation, PUNCTUATION.chars().collect()),
        ];
        let kinds = kinds.into_iter().filter(|(is_excluded, _)| !is_excluded);
        let left = kinds.map(|(_, mut kind)| {
            kind.retain(|character| !self.exclude_characters.contains(*character));
            kind
        });
        left.filter(|kind| !kind.is_empty()).collect()
    }
}

fn invalid(field: &'static str, reason: &str) -> SecretError {
    SecretError::Invalid { field, reason: reason.to_owned() }
}
