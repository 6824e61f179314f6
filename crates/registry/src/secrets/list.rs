//! Lists of secrets: what they must match, and their order.

use metadata::{Page, PageRequest, Secret};

use super::SecretView;
use crate::{Action, Caller, Registry, Resource, SecretError};

/// How many secrets are read at a time.
const READ_AT_ONCE: usize = 100;

/// Which secrets are listed, and in which order.
#[derive(Clone, Debug, Default)]
pub struct ListSecrets {
    /// All of them must match.
    pub filters: Vec<SecretFilter>,
    /// Whether to list those that are scheduled for deletion.
    pub include_scheduled: bool,
    /// What they are listed by.
    pub order: SecretOrder,
    /// Whether the last comes first.
    pub descending: bool,
}

/// What a listed secret must match.
#[derive(Clone, Debug)]
pub struct SecretFilter {
    /// What is looked at.
    pub attribute: SecretAttribute,
    /// One of them must match; none of those that begin with `!` may, without it.
    pub values: Vec<String>,
}

/// What a filter looks at (API reference, "Filter").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretAttribute {
    /// How the name begins.
    Name,
    /// How the description begins, in either case.
    Description,
    /// How the key of a tag begins.
    TagKey,
    /// How the value of a tag begins.
    TagValue,
    /// The region a replica was made from: none is, here.
    PrimaryRegion,
    /// The service that made the secret: none did, here.
    OwningService,
    /// Every word, anywhere, in either case.
    All,
}

/// What secrets are listed by; by name where it is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretOrder {
    /// When they were created.
    #[default]
    CreatedAt,
    /// When they last changed.
    ChangedAt,
    /// Their names.
    Name,
}

impl Registry {
    /// Lists secrets, without their values. A page starts after the place that the previous named.
    ///
    /// # Errors
    /// [`SecretError::Invalid`] where a page starts nowhere.
    pub async fn secrets(
        &self,
        caller: &Caller,
        list: &ListSecrets,
        page: &PageRequest,
    ) -> Result<Page<SecretView>, SecretError> {
        let action = Action::Operation("secretsmanager:ListSecrets");
        self.inner.authorize(caller, action, Resource::Registry)?;
        let after = page.after.as_deref().map(read_place).transpose()?;
        let inner = &self.inner;
        let now = inner.clock.now();
        let mut request = PageRequest::first(READ_AT_ONCE);
        let mut found = Vec::new();
        loop {
            let held = inner.metadata.secrets(&caller.registry, &request, now).await?;
            for mut secret in held.items {
                let place = list.place(&secret);
                let is_later = after.as_ref().is_none_or(|after| match list.descending {
                    false => place > *after,
                    true => place < *after,
                });
                if is_later && list.matches(&secret) {
                    // All secrets of a registry may be held here: their values need not be.
                    secret.versions.iter_mut().for_each(|version| version.sealed_value.clear());
                    found.push((place, secret));
                }
            }
            request.after = held.next;
            if request.after.is_none() {
                break;
            }
        }
        found.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        if list.descending {
            found.reverse();
        }
        let is_last = found.len() <= page.limit;
        found.truncate(page.limit);
        let next = found.last().filter(|_| !is_last).map(|(place, _)| write_place(place));
        let view = |(_, secret)| SecretView::new(&caller.registry, secret);
        Ok(Page { items: found.into_iter().map(view).collect(), next })
    }
}

/// Where a secret stands in a list.
type Place = (i64, String);

fn write_place((moment, name): &Place) -> String {
    format!("{moment}:{name}")
}

fn read_place(text: &str) -> Result<Place, SecretError> {
    let place = text
        .split_once(':')
        .and_then(|(moment, name)| Some((moment.parse().ok()?, name.to_owned())));
    place.ok_or_else(no_such_page)
}

/// A page starts nowhere.
pub(super) fn no_such_page() -> SecretError {
    SecretError::Invalid { field: "NextToken", reason: "no page starts there".to_owned() }
}

impl ListSecrets {
    fn place(&self, secret: &Secret) -> Place {
        let moment = match self.order {
            SecretOrder::CreatedAt => secret.created_at.0,
            SecretOrder::ChangedAt => secret.changed_at.0,
            SecretOrder::Name => 0,
        };
        (moment, secret.name.clone())
    }

    fn matches(&self, secret: &Secret) -> bool {
        (self.include_scheduled || secret.delete_after.is_none())
            && self.filters.iter().all(|filter| filter.matches(secret))
    }
}

impl SecretFilter {
    fn matches(&self, secret: &Secret) -> bool {
        let mut wanted = self.values.iter().filter(|value| !value.starts_with('!')).peekable();
        let is_wanted =
            wanted.peek().is_none() || wanted.any(|value| self.attribute.matches(secret, value));
        let mut unwanted = self.values.iter().filter_map(|value| value.strip_prefix('!'));
        is_wanted && !unwanted.any(|value| self.attribute.matches(secret, value))
    }
}

impl SecretAttribute {
    fn matches(self, secret: &Secret, value: &str) -> bool {
        let mut tags = secret.tags.iter();
        match self {
            Self::Name => secret.name.starts_with(value),
            Self::Description => secret
                .description
                .as_ref()
                .is_some_and(|held| held.to_lowercase().starts_with(&value.to_lowercase())),
            Self::TagKey => tags.any(|(key, _)| key.starts_with(value)),
            Self::TagValue => tags.any(|(_, held)| held.starts_with(value)),
            Self::PrimaryRegion | Self::OwningService => false,
            Self::All => {
                let tags = tags.flat_map(|(key, value)| [key, value]);
                let texts = [&secret.name].into_iter().chain(&secret.description).chain(tags);
                let texts: Vec<String> = texts.map(|text| text.to_lowercase()).collect();
                let value = value.to_lowercase();
                value.split_whitespace().all(|word| texts.iter().any(|text| text.contains(word)))
            }
        }
    }
}
