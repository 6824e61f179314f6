//! Exceptions of AWS Identity and Access Management, by the codes that it answers.

super::exceptions! {
    /// An exception that IAM models for roles.
    IamException;
    ConcurrentModification "ConcurrentModification" 409
        "The request was rejected because multiple requests to change this object were submitted \
         simultaneously. Wait a few minutes and submit your request again."
    DeleteConflict "DeleteConflict" 409
        "The request was rejected because it attempted to delete a resource that has attached \
         subordinate entities. The error message describes these entities."
    EntityAlreadyExists "EntityAlreadyExists" 409
        "The request was rejected because it attempted to create a resource that already exists."
    InvalidInput "InvalidInput" 400
        "The request was rejected because an invalid or out-of-range value was supplied for an \
         input parameter."
    LimitExceeded "LimitExceeded" 409
        "The request was rejected because it attempted to create resources beyond the current \
         Amazon Web Services account limits. The error message describes the limit exceeded."
    MalformedPolicyDocument "MalformedPolicyDocument" 400
        "The request was rejected because the policy document was malformed. The error message \
         describes the specific error."
    NoSuchEntity "NoSuchEntity" 404
        "The request was rejected because it referenced a resource entity that does not exist. The \
         error message describes the resource."
    ServiceFailure "ServiceFailure" 500
        "The request processing has failed because of an unknown error, exception or failure."
}
