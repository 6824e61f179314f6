//! Roles as facts: what a pull through cache rule may name as its `customRoleArn`.

use crate::Timestamp;

/// A role of an account, with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name, as typed; unique in its account whatever the case of its letters.
    pub name: String,
    /// The path in its ARN; begins and ends with a slash.
    pub path: String,
    /// The id that no other role ever has.
    pub role_id: String,
    /// Who may assume it, as sent.
    pub assume_role_policy: String,
    /// Description, where one was given.
    pub description: Option<String>,
    /// The longest session, in seconds.
    pub max_session_secs: u32,
    /// The ARN of the policy that bounds its permissions, where one does.
    pub permissions_boundary: Option<String>,
    /// Tags in the order given.
    pub tags: Vec<(String, String)>,
    /// Policies inside the role, names and documents as sent, by name.
    pub inline_policies: Vec<(String, String)>,
    /// The ARNs of the policies attached, in the order of attachment.
    pub attached_policies: Vec<String>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Role {
    /// Returns what roles are told apart and listed by: the name in lower case.
    pub fn key(&self) -> String {
        Self::key_of(&self.name)
    }

    /// Returns the key of a name.
    pub fn key_of(name: &str) -> String {
        name.to_ascii_lowercase()
    }
}
