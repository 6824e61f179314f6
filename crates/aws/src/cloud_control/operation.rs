//! The operations of AWS Cloud Control API (botocore `cloudcontrol` 2021-09-30).

crate::operation::operations! {
    /// An operation of AWS Cloud Control API.
    Operation;
    CancelResourceRequest
    CreateResource
    DeleteResource
    GetResource
    GetResourceRequestStatus
    ListResourceRequests
    ListResources
    UpdateResource
}
