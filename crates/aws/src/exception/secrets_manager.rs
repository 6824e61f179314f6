//! Exceptions of AWS Secrets Manager.

super::exceptions! {
    /// An exception that AWS Secrets Manager models.
    SecretsManagerException;
    DecryptionFailure "DecryptionFailure" 400
        "Secrets Manager can't decrypt the protected secret text using the provided KMS key."
    EncryptionFailure "EncryptionFailure" 400
        "Secrets Manager can't encrypt the protected secret text using the provided KMS key. \
         Check that the KMS key is available, enabled, and not in an invalid state. For more \
         information, see Key state: Effect on your KMS key."
    InternalServiceError "InternalServiceError" 500
        "An error occurred on the server side."
    InvalidNextToken "InvalidNextTokenException" 400
        "The NextToken value is invalid."
    InvalidParameter "InvalidParameterException" 400
        "The parameter name or value is invalid."
    InvalidRequest "InvalidRequestException" 400
        "A parameter value is not valid for the current state of the resource."
    LimitExceeded "LimitExceededException" 400
        "The request failed because it would exceed one of the Secrets Manager quotas."
    MalformedPolicyDocument "MalformedPolicyDocumentException" 400
        "The resource policy has syntax errors."
    PreconditionNotMet "PreconditionNotMetException" 400
        "The request failed because you did not complete all the prerequisite steps."
    PublicPolicy "PublicPolicyException" 400
        "The BlockPublicPolicy parameter is set to true, and the resource policy did not prevent \
         broad access to the secret."
    ResourceExists "ResourceExistsException" 400
        "A resource with the ID you requested already exists."
    ResourceNotFound "ResourceNotFoundException" 400
        "Secrets Manager can't find the specified secret."
}
