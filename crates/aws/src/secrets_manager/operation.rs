//! The operations of AWS Secrets Manager (botocore `secretsmanager` 2017-10-17).

crate::operation::operations! {
    /// An operation of AWS Secrets Manager, whether it is answered here or not.
    Operation;
    AssociateCrossAccountReplica
    BatchGetSecretValue
    CancelRotateSecret
    CreateSecret
    DeleteResourcePolicy
    DeleteSecret
    DescribeSecret
    DisassociateCrossAccountReplica
    GetRandomPassword
    GetResourcePolicy
    GetSecretValue
    ListResourcePolicies
    ListSecretVersionIds
    ListSecrets
    PutResourcePolicy
    PutSecretValue
    RemoveRegionsFromReplication
    ReplicateSecretToRegions
    RestoreSecret
    RotateSecret
    StopReplicationToReplica
    TagResource
    UntagResource
    UpdateSecret
    UpdateSecretVersionStage
    ValidateResourcePolicy
}
