//! As whom a registry of this process is asked by another one.

use metadata::{AccountId, Timestamp};
use upstream::{Error, LoginFailure, Neighbour, Target};

use super::{broken, registry_of};
use crate::{
    AssumedRole, Caller, Permissions, Principal,
    registry::Inner,
    roles::{Candidate, RoleView, Trust, evaluate_trust, parse_arn},
};

/// Who assumes a rule's role (Amazon ECR user guide, "ECR to ECR pull through cache permissions").
const PRODUCT: &str = "pullthroughcache.ecr.amazonaws.com";
/// ECR's own role for the cache (user guide, "Service-linked roles").
const OWN_ROLE: &str = "AWSServiceRoleForECRPullThroughCache";
const SESSION_NAME: &str = "ecr-pull-through-cache";

impl Inner {
    /// Says who asks a neighbour: ECR's own role in the account of the rule, or the rule's role.
    pub(super) async fn visitor(
        &self,
        target: &Target,
        neighbour: &Neighbour,
    ) -> Result<Caller, Error> {
        let host = target.registry_url.to_string();
        let nowhere = || broken(&host, "the address names no registry");
        let registry = registry_of(neighbour).ok_or_else(nowhere)?;
        let asker = AccountId::parse(&neighbour.asker).map_err(|_| nowhere())?;
        let (role_arn, role_id, permissions) = match &target.role {
            None => {
                let arn =
                    format!("arn:aws:iam::{asker}:role/aws-service-role/{PRODUCT}/{OWN_ROLE}");
                (arn, OWN_ROLE.to_owned(), Permissions::of_pull_through_cache())
            }
            Some(arn) => {
                let refused = |reason: &str| Error::Login {
                    host: host.clone(),
                    failure: LoginFailure::RoleRefused {
                        role: arn.to_string(),
                        reason: reason.to_owned(),
                    },
                };
                let (account, name) =
                    parse_arn(arn).map_err(|_| refused("it is not the ARN of a role"))?;
                // Who makes a rule in one account must not borrow the roles of another.
                if account != asker {
                    return Err(refused("it is of another account than the rule"));
                }
                let found = self.role_of(&account, name).await;
                let found = found.map_err(|error| broken(&host, error))?;
                let role = found.filter(|role| RoleView::arn_of(&account, role) == **arn);
                let role = role.ok_or_else(|| refused("it does not exist"))?;
                let candidate = Candidate::Product(PRODUCT);
                if evaluate_trust(&role.assume_role_policy, candidate, None) == Trust::None {
                    let reason = format!("its trust policy does not name {PRODUCT}");
                    return Err(refused(&reason));
                }
                let permissions = Permissions::of(&role);
                (arn.to_string(), role.role_id, permissions)
            }
        };
        let session = AssumedRole {
            account: asker,
            role_arn,
            role_id,
            session_name: SESSION_NAME.to_owned(),
            access_key_id: String::new(),
            parent_access_key_id: String::new(),
            expires_at: Timestamp(i64::MAX),
            permissions,
        };
        Ok(Caller { registry, principal: Principal::AssumedRole(session) })
    }
}
