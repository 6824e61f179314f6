//! Login tokens for `docker login`.

use aws::{
    Exception, Sensitive, Timestamp,
    ecr::{AuthorizationData, GetAuthorizationTokenRequest, GetAuthorizationTokenResponse},
    exception::CommonException,
    json,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use metadata::{AccountId, RegistryId};

use super::{Call, Outcome, validate};

/// `GetAuthorizationToken`. As in ECR a token is the caller's whatever `registryIds` says: those
/// only choose the endpoints, and what it opens there is up to their policies.
pub(super) fn get(call: &Call<'_>) -> Outcome {
    let request: GetAuthorizationTokenRequest = call.ecr()?;
    let own = call.registry_id();
    let accounts: Vec<AccountId> = match &request.registry_ids {
        None => vec![own.account.clone()],
        Some(ids) => {
            validate::length("registryIds", ids.len(), 1..=10)?;
            ids.iter().map(|id| validate::account("registryIds", id)).collect::<Result<_, _>>()?
        }
    };
    call.registry().connect(call.caller())?;
    let (token, expires_at) = call
        .doors
        .authenticator
        .issue(call.caller(), call.now())
        .ok_or_else(|| Exception::from(CommonException::MissingAuthenticationToken))?;
    let authorization_token = STANDARD.encode(format!("AWS:{token}"));
    let authorization_data = accounts.into_iter().map(|account| AuthorizationData {
        authorization_token: Some(Sensitive::from(authorization_token.as_str())),
        expires_at: Some(Timestamp::from_milliseconds(expires_at.0)),
        proxy_endpoint: Some(call.endpoint(&RegistryId { account, region: own.region.clone() })),
    });
    let authorization_data = authorization_data.collect();
    Ok(json::render(&GetAuthorizationTokenResponse { authorization_data }))
}
