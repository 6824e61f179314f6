//! Storage classes: an archived image is kept, and not served.

use crate::Timestamp;

/// A storage class of ECR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageClass {
    /// What is in it is served.
    Standard,
    /// What is in it is kept, and not served before it is restored.
    Archive,
}

/// Where a manifest is in the way of storage classes; a new one is in the standard class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// Whether it is archived.
    pub is_archived: bool,
    /// When it was last archived.
    pub archived_at: Option<Timestamp>,
    /// When it was last restored from the archive.
    pub activated_at: Option<Timestamp>,
}

impl Storage {
    /// Returns the class.
    pub fn class(&self) -> StorageClass {
        if self.is_archived { StorageClass::Archive } else { StorageClass::Standard }
    }

    /// Returns what it is after a move to another class.
    pub(crate) fn moved(self, class: StorageClass, at: Timestamp) -> Self {
        match class {
            StorageClass::Archive => Self { is_archived: true, archived_at: Some(at), ..self },
            StorageClass::Standard => Self { is_archived: false, activated_at: Some(at), ..self },
        }
    }
}
