//! Signatures of the control plane, with AWS's own refusals.

use std::time::Duration;

use aws::{
    Exception,
    exception::CommonException,
    sigv4::{Presented, Request},
};
use http::{HeaderMap, header::AUTHORIZATION};
use metadata::{Region, RegistryId, Timestamp};
use registry::{Caller, Principal};
use secrecy::ExposeSecret as _;

use super::{Authenticator, Login};

/// How far the clock of a client may differ ("Elements of an AWS API request signature", IAM User
/// Guide: requests must arrive within five minutes of their time stamp).
const SKEW_MAX: Duration = Duration::from_secs(5 * 60);

impl Authenticator {
    /// Tells whether an Authorization header names an access key that is known. Proves nothing.
    pub(crate) fn names_key(&self, headers: &HeaderMap) -> bool {
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let named = header.and_then(|text| text.split_once("Credential="));
        let key = named.and_then(|(_, rest)| rest.split('/').next());
        key.is_some_and(|key| self.keys.contains_key(key))
    }

    /// Returns who signed `request` for the service that signs as `signing_name`: the account is
    /// the access key's, the region the credential scope's.
    ///
    /// # Errors
    /// What AWS answers to a request that is not signed, or not so.
    pub(crate) fn verify(
        &self,
        request: &Request<'_>,
        signing_name: &str,
        now: Timestamp,
    ) -> Result<Login, Exception> {
        let presented = Presented::parse(request)?;
        // Root users have no temporary credentials: a session token is somebody else's.
        let key = match (self.keys.get(presented.access_key_id()), presented.session_token()) {
            (Some(key), None) => key,
            (Some(_), Some(_)) | (None, _) => {
                return Err(CommonException::UnrecognizedClient.into());
            }
        };
        presented.require_service(signing_name)?;
        let now = aws::Timestamp::from_milliseconds(now.0);
        presented.verify(request, key.secret.expose_secret(), now, SKEW_MAX)?;
        let region = Region::parse(presented.region()).map_err(|_| {
            let text = format!(
                "Credential should be scoped to a valid region, not '{}'. ",
                presented.region()
            );
            Exception::new(CommonException::InvalidSignature, text)
        })?;
        let account = key.account.clone();
        let access_key_id = presented.access_key_id().to_owned();
        let registry = RegistryId { account: account.clone(), region };
        let principal = Principal::Root { account, access_key_id };
        Ok(Login { caller: Caller { registry, principal }, expires_at: None })
    }
}
