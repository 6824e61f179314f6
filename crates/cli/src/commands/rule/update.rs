//! `cistern rule update`: other credentials for a rule, in place.

use aws::ecr::{Operation, UpdatePullThroughCacheRuleRequest, UpdatePullThroughCacheRuleResponse};

use super::{
    add::{Credential, CredentialArgs, make_secret},
    record, rule,
};
use crate::{commands::secret, error::Error, output::secret_name, session::Session};

/// Which rule, and what it shows its upstream from now on.
#[derive(Debug, clap::Args)]
pub(crate) struct UpdateArgs {
    /// Prefix of the rule
    prefix: String,
    #[command(flatten)]
    credentials: CredentialArgs,
}

/// Updates a rule. A new user name and token go into the rule's own secret where it has one: then
/// the rule itself stays as it is.
pub(super) async fn run(args: UpdateArgs, session: &Session<'_>) -> Result<(), Error> {
    let UpdateArgs { prefix, credentials } = args;
    let credential = credentials.decide()?;
    let role = credentials.role_arn;
    let arn = match credential {
        Credential::None if role.is_none() => {
            return Err(Error::Missing {
                what: "what to change",
                way_out: "give --username, --secret or --role-arn".to_owned(),
            });
        }
        Credential::None => None,
        Credential::Secret(name) => Some(secret::arn_of(session, &name).await?),
        Credential::Pair(pair) => {
            let found = rule(session, &prefix).await?;
            match found.credential_arn.clone() {
                Some(arn) => {
                    secret::put(session, &arn, pair.to_value()).await?;
                    session
                        .output
                        .note(&format!("the secret {} has a new value", secret_name(&arn)));
                    if role.is_none() {
                        return session.output.record(&found, &record(&found));
                    }
                    Some(arn)
                }
                None => Some(make_secret(session, &prefix, &pair).await?),
            }
        }
    };
    let request = UpdatePullThroughCacheRuleRequest {
        registry_id: None,
        ecr_repository_prefix: prefix,
        credential_arn: arn,
        custom_role_arn: role,
    };
    let updated: UpdatePullThroughCacheRuleResponse =
        session.client.ecr(Operation::UpdatePullThroughCacheRule, &request).await?;
    let found = rule(session, &request.ecr_repository_prefix).await?;
    session.output.record(&updated, &record(&found))
}
