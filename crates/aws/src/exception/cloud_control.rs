//! Exceptions of AWS Cloud Control API.

super::exceptions! {
    /// An exception that AWS Cloud Control API models.
    CloudControlException;
    AlreadyExists "AlreadyExistsException" 400
        "The resource with the name requested already exists."
    ClientTokenConflict "ClientTokenConflictException" 400
        "The specified client token has already been used in another resource request. It's best \
         practice for client tokens to be unique for each resource operation request. However, \
         client token expire after 36 hours."
    ConcurrentModification "ConcurrentModificationException" 500
        "The resource is currently being modified by another operation."
    ConcurrentOperation "ConcurrentOperationException" 400
        "Another resource operation is currently being performed on this resource."
    GeneralService "GeneralServiceException" 400
        "The resource handler has returned that the downstream service generated an error that \
         doesn't map to any other handler error code."
    HandlerFailure "HandlerFailureException" 500
        "The resource handler has failed without a returning a more specific error code. This can \
         include timeouts."
    HandlerInternalFailure "HandlerInternalFailureException" 500
        "The resource handler has returned that an unexpected error occurred within the resource \
         handler."
    InvalidCredentials "InvalidCredentialsException" 400
        "The resource handler has returned that the credentials provided by the user are invalid."
    InvalidRequest "InvalidRequestException" 400
        "The resource handler has returned that invalid input from the user has generated a \
         generic exception."
    NetworkFailure "NetworkFailureException" 500
        "The resource handler has returned that the request couldn't be completed due to \
         networking issues, such as a failure to receive a response from the server."
    NotStabilized "NotStabilizedException" 400
        "The resource handler has returned that the downstream resource failed to complete all of \
         its ready-state checks."
    NotUpdatable "NotUpdatableException" 400
        "One or more properties included in this resource operation are defined as create-only, \
         and therefore can't be updated."
    PrivateType "PrivateTypeException" 400
        "Cloud Control API hasn't received a valid response from the resource handler, due to a \
         configuration error. This includes issues such as the resource handler returning an \
         invalid response, or timing out."
    RequestTokenNotFound "RequestTokenNotFoundException" 400
        "A resource operation with the specified request token can't be found."
    ResourceConflict "ResourceConflictException" 400
        "The resource is temporarily unavailable to be acted upon. For example, if the resource \
         is currently undergoing an operation and can't be acted upon until that operation is \
         finished."
    ResourceNotFound "ResourceNotFoundException" 400
        "A resource with the specified identifier can't be found."
    ServiceInternalError "ServiceInternalErrorException" 500
        "The resource handler has returned that the downstream service returned an internal \
         error, typically with a 5XX HTTP status code."
    ServiceLimitExceeded "ServiceLimitExceededException" 400
        "The resource handler has returned that a non-transient resource limit was reached on the \
         service side."
    TypeNotFound "TypeNotFoundException" 400
        "The specified extension doesn't exist in the CloudFormation registry."
    UnsupportedAction "UnsupportedActionException" 400
        "The specified resource doesn't support this resource operation."
}
