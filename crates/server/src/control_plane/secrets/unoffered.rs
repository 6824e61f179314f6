//! What AWS Secrets Manager offers and this does not, with the reason.

use aws::{Exception, exception::CommonException, secrets_manager::Operation};

use super::super::Failure;

/// The refusal of an operation that is not offered.
pub(in super::super) fn refusal(operation: Operation) -> Failure {
    let reason = match operation {
        Operation::RotateSecret | Operation::CancelRotateSecret => {
            "rotation runs a Lambda function, and there is none here. Put the new value with \
             PutSecretValue: rules use it from their next pull on"
        }
        Operation::ReplicateSecretToRegions
        | Operation::RemoveRegionsFromReplication
        | Operation::StopReplicationToReplica => {
            "secrets are not replicated to other Regions. All Regions of an account are on this \
             server: create the secret in each Region that needs it"
        }
        Operation::AssociateCrossAccountReplica | Operation::DisassociateCrossAccountReplica => {
            "secrets are not replicated to other accounts. Create the secret in each account that \
             needs it"
        }
        _ => "nothing here would answer it",
    };
    let text = format!("{operation} is not offered by this version: {reason}.");
    Exception::new(CommonException::UnknownOperation, text).into()
}
