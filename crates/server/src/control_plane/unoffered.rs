//! The operations of ECR that are not answered: which, and why.

use aws::{Exception, ecr::Operation, exception::CommonException};

use super::error::Failure;

/// Says that an operation is not offered, and why.
pub(super) fn unoffered(operation: Operation) -> Failure {
    let text = match reason(operation) {
        Some(reason) => format!("{operation} is not offered by this version: {reason}"),
        None => format!("{operation} is not offered by this version"),
    };
    Exception::new(CommonException::UnknownOperation, text).into()
}

/// Why an operation is not offered; none where it will be.
fn reason(operation: Operation) -> Option<&'static str> {
    use Operation as O;
    Some(match operation {
        O::DescribeImageScanFindings | O::StartImageScan => {
            "images are not scanned here, scan them by their digest with a scanner of your own"
        }
        O::DescribeImageReplicationStatus
        | O::DescribeReplicationBackfillResults
        | O::ListReplicationBackfills
        | O::StartReplicationBackfill
        | O::StopReplicationBackfill => {
            "replication is configured but not done here, let the other registry pull through \
             this one"
        }
        O::DescribeImageSigningStatus
        | O::PutSigningConfiguration
        | O::GetSigningConfiguration
        | O::DeleteSigningConfiguration => {
            "images are not signed by this registry, sign them where they are built"
        }
        O::RegisterPullTimeUpdateExclusion
        | O::DeregisterPullTimeUpdateExclusion
        | O::ListPullTimeUpdateExclusions => "the time of a pull is recorded whoever pulls",
        _ => return None,
    })
}
