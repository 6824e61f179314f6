//! Roles of an account: made, read, changed, removed.
//!
//! IAM API reference. A role here is what a rule's `customRoleArn` may name, what IaC tools make
//! beside a rule, and what `AssumeRole` makes of its caller for a while. Every change is read, made
//! and swapped in, so that two at once lose nothing.
//!
//! Roles are global: they belong to an account and to no region of it. Every stored fact is keyed
//! by a registry all the same, so those of an account are kept under one pseudo region,
//! [`GLOBAL_REGION`], whatever the credential scope of a call says. It is AWS's own word for where
//! its global services are, and no registry can be asked for under it by a Host.

mod assume;
mod constraints;
mod documents;
mod policies;
mod tags;
mod trust;

use metadata::{AccountId, Change as Changed, Page, PageRequest, Region, RegistryId, Role};

use crate::{Action, Caller, Registry, Resource, RoleError, random, registry::Inner};

pub(crate) use assume::parse_arn;
pub use assume::{AssumeRole, AssumeRoleError, NewSession};
pub(crate) use trust::{Candidate, Trust, evaluate as evaluate_trust};

/// The region that roles are kept under.
const GLOBAL_REGION: &str = "aws-global";
/// Roles an account may have (IAM user guide, "IAM and AWS STS quotas").
const ROLES_MAX: u32 = 1000;
/// How often a change is tried when others are faster: far more than ever meet at one role.
const SWAPS_MAX: usize = 32;
/// How many roles are read at a time.
const READ_AT_ONCE: usize = 100;
/// The longest session where none is asked for, in seconds ("CreateRole", API reference).
const SESSION_SECS: u32 = 3600;
/// How the ids of roles begin, and how many characters follow (IAM user guide, "IAM identifiers").
const ID_PREFIX: &str = "AROA";
const ID_CHARS: usize = 17;

/// A role to be made.
#[derive(Clone, Debug, Default)]
pub struct NewRole {
    /// Its name.
    pub name: String,
    /// The path in its ARN, `/` where there is none.
    pub path: Option<String>,
    /// Who may assume it, in JSON.
    pub assume_role_policy: String,
    /// Its description.
    pub description: Option<String>,
    /// The longest session, in seconds.
    pub max_session_secs: Option<i64>,
    /// The ARN of the policy that bounds its permissions.
    pub permissions_boundary: Option<String>,
    /// Tags, in order.
    pub tags: Vec<(String, String)>,
}

/// What is to change about a role.
#[derive(Clone, Debug)]
pub enum UpdateRole {
    /// The description, where there is one, and the longest session, an hour where there is none.
    Settings {
        /// The description.
        description: Option<String>,
        /// The longest session, in seconds.
        max_session_secs: Option<i64>,
    },
    /// The description alone.
    Description(String),
    /// Who may assume it, in JSON.
    AssumeRolePolicy(String),
    /// The ARN of the policy that bounds its permissions, or that none does.
    PermissionsBoundary(Option<String>),
}

/// A change that cannot go wrong.
type Change = Box<dyn Fn(&mut Role) + Send + Sync>;

/// What somebody wants to know of a role: each is an operation of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleAspect {
    /// The role itself.
    Role,
    /// The names of the policies inside it.
    InlinePolicies,
    /// One policy inside it.
    InlinePolicy,
    /// The policies attached to it.
    AttachedPolicies,
    /// The instance profiles it is in.
    InstanceProfiles,
    /// Its tags.
    Tags,
}

/// A role and its ARN.
#[derive(Clone, Debug)]
pub struct RoleView {
    /// Its ARN.
    pub arn: String,
    /// The role.
    pub role: Role,
}

impl Registry {
    /// Makes a role.
    ///
    /// # Errors
    /// [`RoleError::AlreadyExists`], [`RoleError::LimitExceeded`], [`RoleError::Invalid`],
    /// [`RoleError::InvalidInput`], [`RoleError::MalformedPolicy`], [`RoleError::NotAttachable`].
    pub async fn create_role(&self, caller: &Caller, new: NewRole) -> Result<RoleView, RoleError> {
        let action = Action::Operation("iam:CreateRole");
        let path_and_name = format!("{}{}", new.path.as_deref().unwrap_or("/"), new.name);
        self.inner.authorize(caller, action, Resource::Role(&path_and_name))?;
        let home = home(caller);
        constraints::role_name(&new.name)?;
        let role = Role {
            path: constraints::path(new.path)?,
            role_id: format!("{ID_PREFIX}{}", random::capitals_and_digits(ID_CHARS)),
            max_session_secs: constraints::session(new.max_session_secs)?,
            description: constraints::description(new.description)?,
            created_at: self.inner.clock.now(),
            name: new.name,
            assume_role_policy: new.assume_role_policy,
            permissions_boundary: new.permissions_boundary,
            tags: new.tags,
            inline_policies: Vec::new(),
            attached_policies: Vec::new(),
        };
        documents::trust("AssumeRolePolicyDocument", &role.assume_role_policy)?;
        if let Some(arn) = &role.permissions_boundary {
            policies::attachable("PermissionsBoundary", arn, &home)?;
        }
        tags::check(&role.tags)?;
        match self.inner.metadata.create_role(&home, &role, ROLES_MAX).await {
            Ok(()) => Ok(RoleView::new(&home, role)),
            Err(metadata::Error::AlreadyExists) => {
                Err(RoleError::AlreadyExists { name: role.name })
            }
            Err(metadata::Error::LimitExceeded { limit }) => Err(RoleError::LimitExceeded {
                quota: "RolesPerAccount",
                limit: usize::try_from(limit).unwrap_or(usize::MAX),
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns a role, for one of the things that can be asked of it.
    ///
    /// # Errors
    /// [`RoleError::NotFound`], [`RoleError::Invalid`].
    pub async fn role(
        &self,
        caller: &Caller,
        name: &str,
        aspect: RoleAspect,
    ) -> Result<RoleView, RoleError> {
        self.inner.authorize_role(caller, aspect.action(), name).await?;
        constraints::role_name(name)?;
        let home = home(caller);
        let role = self.inner.find_role(&home, name).await?;
        Ok(RoleView::new(&home, role))
    }

    /// Lists the roles of an account by name, those whose path begins so.
    ///
    /// # Errors
    /// [`RoleError::Invalid`].
    pub async fn roles(
        &self,
        caller: &Caller,
        path_prefix: &str,
        page: &PageRequest,
    ) -> Result<Page<RoleView>, RoleError> {
        let action = Action::Operation("iam:ListRoles");
        self.inner.authorize(caller, action, Resource::Role("/*"))?;
        constraints::path_prefix(path_prefix)?;
        let home = home(caller);
        let mut request = PageRequest { after: page.after.clone(), limit: READ_AT_ONCE };
        let mut found: Vec<Role> = Vec::new();
        // One more than wanted tells whether there is a next page.
        while found.len() <= page.limit {
            let read = self.inner.metadata.roles(&home, &request).await?;
            found.extend(read.items.into_iter().filter(|role| role.path.starts_with(path_prefix)));
            request.after = read.next;
            if request.after.is_none() {
                break;
            }
        }
        let is_last = found.len() <= page.limit;
        found.truncate(page.limit);
        let next = found.last().filter(|_| !is_last).map(Role::key);
        let items = found.into_iter().map(|role| RoleView::new(&home, role)).collect();
        Ok(Page { items, next })
    }

    /// Changes a role.
    ///
    /// # Errors
    /// [`RoleError::NotFound`], and as [`create_role`](Self::create_role).
    pub async fn update_role(
        &self,
        caller: &Caller,
        name: &str,
        update: UpdateRole,
    ) -> Result<RoleView, RoleError> {
        self.inner.authorize_role(caller, update.action(), name).await?;
        let home = home(caller);
        let change = update.checked(&home)?;
        let change = |role: &mut Role| {
            change(role);
            Ok(())
        };
        self.inner.change_role(&home, name, change).await
    }

    /// Removes a role that has no policies.
    ///
    /// # Errors
    /// [`RoleError::NotFound`], [`RoleError::HasPolicies`].
    pub async fn delete_role(&self, caller: &Caller, name: &str) -> Result<(), RoleError> {
        self.inner.authorize_role(caller, "iam:DeleteRole", name).await?;
        constraints::role_name(name)?;
        let home = home(caller);
        for _ in 0..SWAPS_MAX {
            let held = self.inner.find_role(&home, name).await?;
            let kind = match (held.attached_policies.is_empty(), held.inline_policies.is_empty()) {
                (false, _) => Some("attached"),
                (true, false) => Some("inline"),
                (true, true) => None,
            };
            if let Some(kind) = kind {
                return Err(RoleError::HasPolicies { name: held.name, kind });
            }
            match self.inner.metadata.delete_role(&home, &held).await {
                Ok(()) => {
                    self.inner.forget_role(&home, name);
                    return Ok(());
                }
                Err(metadata::Error::NotFound) => tokio::task::yield_now().await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(RoleError::Contended { name: name.to_owned() })
    }
}

impl Inner {
    /// Checks that the caller may do something to a role, by the whole of the role's ARN: a policy
    /// about `role/team/*` is about what has that path, however its name is asked for.
    async fn authorize_role(
        &self,
        caller: &Caller,
        operation: &'static str,
        name: &str,
    ) -> Result<(), RoleError> {
        let path_and_name = match self.metadata.role(&home(caller), name).await {
            Ok(role) => format!("{}{}", role.path, role.name),
            Err(metadata::Error::NotFound) => format!("/{name}"),
            Err(error) => return Err(error.into()),
        };
        let action = Action::Operation(operation);
        Ok(self.authorize(caller, action, Resource::Role(&path_and_name))?)
    }

    async fn find_role(&self, home: &RegistryId, name: &str) -> Result<Role, RoleError> {
        match self.metadata.role(home, name).await {
            Ok(role) => Ok(role),
            Err(metadata::Error::NotFound) => Err(RoleError::NotFound { name: name.to_owned() }),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads a role, changes it and swaps it in, again from the start where somebody else was
    /// faster. A change that changes nothing writes nothing.
    async fn change_role(
        &self,
        home: &RegistryId,
        name: &str,
        change: impl Fn(&mut Role) -> Result<(), RoleError>,
    ) -> Result<RoleView, RoleError> {
        constraints::role_name(name)?;
        for _ in 0..SWAPS_MAX {
            let held = self.find_role(home, name).await?;
            let mut next = held.clone();
            change(&mut next)?;
            if next == held {
                return Ok(RoleView::new(home, held));
            }
            match self.metadata.replace_role(home, &held, &next).await {
                Ok(()) => {
                    self.forget_role(home, name);
                    return Ok(RoleView::new(home, next));
                }
                Err(metadata::Error::NotFound) => tokio::task::yield_now().await,
                Err(error) => return Err(error.into()),
            }
        }
        Err(RoleError::Contended { name: name.to_owned() })
    }

    /// What was written here must be seen here at once.
    fn forget_role(&self, home: &RegistryId, name: &str) {
        self.hot.forget(Some(&[Changed::Role(home.clone(), Role::key_of(name))]));
    }
}

impl RoleView {
    fn new(home: &RegistryId, role: Role) -> Self {
        Self { arn: Self::arn_of(&home.account, &role), role }
    }

    pub(crate) fn arn_of(account: &AccountId, role: &Role) -> String {
        format!("arn:aws:iam::{account}:role{}{}", role.path, role.name)
    }
}

impl RoleAspect {
    /// The IAM name of the operation that asks for it.
    fn action(self) -> &'static str {
        match self {
            Self::Role => "iam:GetRole",
            Self::InlinePolicies => "iam:ListRolePolicies",
            Self::InlinePolicy => "iam:GetRolePolicy",
            Self::AttachedPolicies => "iam:ListAttachedRolePolicies",
            Self::InstanceProfiles => "iam:ListInstanceProfilesForRole",
            Self::Tags => "iam:ListRoleTags",
        }
    }
}

impl UpdateRole {
    fn action(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "iam:UpdateRole",
            Self::Description(_) => "iam:UpdateRoleDescription",
            Self::AssumeRolePolicy(_) => "iam:UpdateAssumeRolePolicy",
            Self::PermissionsBoundary(Some(_)) => "iam:PutRolePermissionsBoundary",
            Self::PermissionsBoundary(None) => "iam:DeleteRolePermissionsBoundary",
        }
    }

    /// Checks what is wanted once, and returns the change that makes it true.
    fn checked(self, home: &RegistryId) -> Result<Change, RoleError> {
        Ok(match self {
            Self::Settings { description, max_session_secs } => {
                let given = description.is_some();
                let description = constraints::description(description)?;
                let max_session_secs = constraints::session(max_session_secs)?;
                Box::new(move |role| {
                    role.max_session_secs = max_session_secs;
                    if given {
                        role.description.clone_from(&description);
                    }
                })
            }
            Self::Description(description) => {
                let description = constraints::description(Some(description))?;
                Box::new(move |role| role.description.clone_from(&description))
            }
            Self::AssumeRolePolicy(document) => {
                documents::trust("PolicyDocument", &document)?;
                Box::new(move |role| role.assume_role_policy.clone_from(&document))
            }
            Self::PermissionsBoundary(arn) => {
                if let Some(arn) = &arn {
                    policies::attachable("PermissionsBoundary", arn, home)?;
                }
                Box::new(move |role| role.permissions_boundary.clone_from(&arn))
            }
        })
    }
}

/// The registry that keeps the roles of a caller's account.
fn home(caller: &Caller) -> RegistryId {
    let region = Region::parse(GLOBAL_REGION).expect("a region name");
    RegistryId { account: caller.registry.account.clone(), region }
}
