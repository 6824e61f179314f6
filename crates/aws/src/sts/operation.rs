//! The operations of AWS STS (botocore `sts` 2011-06-15).

crate::operation::operations! {
    /// An operation of AWS STS, whether it is answered here or not.
    Operation;
    AssumeRole
    AssumeRoleWithSAML
    AssumeRoleWithWebIdentity
    AssumeRoot
    DecodeAuthorizationMessage
    GetAccessKeyInfo
    GetCallerIdentity
    GetDelegatedAccessToken
    GetFederationToken
    GetSessionToken
    GetWebIdentityToken
}
