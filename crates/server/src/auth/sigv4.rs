//! Signatures of the control plane, with AWS's own refusals.

use std::time::Duration;

use aws::{
    Exception,
    exception::CommonException,
    sigv4::{Presented, Request},
};
use metadata::{Region, RegistryId, Timestamp};
use registry::{Caller, Principal};
use secrecy::ExposeSecret as _;

use super::{AccessKey, Authenticator, Login};

/// How far the clock of a client may differ ("Elements of an AWS API request signature", IAM User
/// Guide: requests must arrive within five minutes of their time stamp).
const SKEW_MAX: Duration = Duration::from_secs(5 * 60);

impl Authenticator {
    /// Returns who signed `request` for the service that signs as `signing_name`: the account is
    /// the access key's, or for a temporary one the role's; the region is the credential scope's.
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
        let access_key_id = presented.access_key_id().to_owned();
        let (principal, secret) = match (self.keys.get(&access_key_id), presented.session_token()) {
            (Some(AccessKey { account, secret }), None) => {
                let account = account.clone();
                (Principal::Root { account, access_key_id }, secret.clone())
            }
            // Root users have no temporary credentials: a session token is somebody else's.
            (Some(_), Some(_)) | (None, None) => {
                return Err(CommonException::UnrecognizedClient.into());
            }
            (None, Some(_)) => match self.presented_session(&presented) {
                Some(session) if now >= session.role.expires_at => {
                    return Err(CommonException::ExpiredToken.into());
                }
                Some(session) => (Principal::AssumedRole(session.role), session.secret),
                None => return Err(CommonException::UnrecognizedClient.into()),
            },
        };
        presented.require_service(signing_name)?;
        let now = aws::Timestamp::from_milliseconds(now.0);
        presented.verify(request, secret.expose_secret(), now, SKEW_MAX)?;
        let region = Region::parse(presented.region()).map_err(|_| {
            let text = format!(
                "Credential should be scoped to a valid region, not '{}'. ",
                presented.region()
            );
            Exception::new(CommonException::InvalidSignature, text)
        })?;
        let account = principal.account().expect("nobody signs anonymously").clone();
        let registry = RegistryId { account, region };
        Ok(Login { caller: Caller { registry, principal }, expires_at: None })
    }
}
