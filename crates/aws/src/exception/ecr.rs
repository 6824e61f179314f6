//! Exceptions of Amazon ECR.

super::exceptions! {
    /// An exception that Amazon ECR models.
    EcrException;
    BlockedByOrganizationPolicy "BlockedByOrganizationPolicyException" 400
        "The operation did not succeed because the account is managed by a organization policy."
    EmptyUpload "EmptyUploadException" 400
        "The specified layer upload does not contain any layer parts."
    ExclusionAlreadyExists "ExclusionAlreadyExistsException" 400
        "The specified pull time update exclusion already exists for the registry."
    ExclusionNotFound "ExclusionNotFoundException" 400
        "The specified pull time update exclusion was not found."
    ImageAlreadyExists "ImageAlreadyExistsException" 400
        "The specified image has already been pushed, and there were no changes to the manifest \
         or image tag after the last push."
    ImageArchived "ImageArchivedException" 400
        "The specified image is archived and cannot be scanned."
    ImageDigestDoesNotMatch "ImageDigestDoesNotMatchException" 400
        "The specified image digest does not match the digest that Amazon ECR calculated for the \
         image."
    ImageNotFound "ImageNotFoundException" 400
        "The image requested does not exist in the specified repository."
    ImageStorageClassUpdateNotSupported "ImageStorageClassUpdateNotSupportedException" 400
        "The requested image storage class update is not supported."
    ImageTagAlreadyExists "ImageTagAlreadyExistsException" 400
        "The specified image is tagged with a tag that already exists. The repository is \
         configured for tag immutability."
    InvalidLayer "InvalidLayerException" 400
        "The layer digest calculation performed by Amazon ECR upon receipt of the image layer \
         does not match the digest specified."
    InvalidLayerPart "InvalidLayerPartException" 400
        "The layer part size is not valid, or the first byte specified is not consecutive to the \
         last byte of a previous layer part upload."
    InvalidParameter "InvalidParameterException" 400
        "The specified parameter is invalid. Review the available parameters for the API request."
    InvalidTagParameter "InvalidTagParameterException" 400
        "An invalid parameter has been specified. Tag keys can have a maximum character length of \
         128 characters, and tag values can have a maximum length of 256 characters."
    Kms "KmsException" 400
        "The operation failed due to a KMS exception."
    LayerAlreadyExists "LayerAlreadyExistsException" 400
        "The image layer already exists in the associated repository."
    LayerInaccessible "LayerInaccessibleException" 400
        "The specified layer is not available because it is not associated with an image. \
         Unassociated image layers may be cleaned up at any time."
    LayerPartTooSmall "LayerPartTooSmallException" 400
        "Layer parts must be at least 5 MiB in size."
    LayersNotFound "LayersNotFoundException" 400
        "The specified layers could not be found, or the specified layer is not valid for this \
         repository."
    LifecyclePolicyNotFound "LifecyclePolicyNotFoundException" 400
        "The lifecycle policy could not be found, and no policy is set to the repository."
    LifecyclePolicyPreviewInProgress "LifecyclePolicyPreviewInProgressException" 400
        "The previous lifecycle policy preview request has not completed. Wait and try again."
    LifecyclePolicyPreviewNotFound "LifecyclePolicyPreviewNotFoundException" 400
        "There is no dry run for this repository."
    LimitExceeded "LimitExceededException" 400
        "The operation did not succeed because it would have exceeded a service limit for your \
         account. For more information, see Amazon ECR service quotas in the Amazon Elastic \
         Container Registry User Guide."
    PullThroughCacheRuleAlreadyExists "PullThroughCacheRuleAlreadyExistsException" 400
        "A pull through cache rule with these settings already exists for the private registry."
    PullThroughCacheRuleNotFound "PullThroughCacheRuleNotFoundException" 400
        "The pull through cache rule was not found. Specify a valid pull through cache rule and \
         try again."
    ReferencedImagesNotFound "ReferencedImagesNotFoundException" 400
        "The manifest list is referencing an image that does not exist."
    RegistryPolicyNotFound "RegistryPolicyNotFoundException" 400
        "The registry doesn't have an associated registry policy."
    ReplicationBackfillInProgress "ReplicationBackfillInProgressException" 400
        "A replication backfill is already in progress for the specified destination Region. This \
         occurs because only one replication backfill can be in progress for a given destination \
         Region at a time. Wait for the in progress backfill to reach a terminal status, or stop \
         it with the StopReplicationBackfill operation, before starting another one."
    ReplicationBackfillInvalidStatus "ReplicationBackfillInvalidStatusException" 400
        "The requested operation can't be performed on the replication backfill because it is not \
         in a valid status for that operation. For example, you can't stop a replication backfill \
         that has already reached a terminal status. Use the DescribeReplicationBackfillResults \
         operation to check the current status before retrying."
    ReplicationBackfillNotFound "ReplicationBackfillNotFoundException" 400
        "The specified replication backfill could not be found. Check the specified replication \
         backfill ID and ensure that you are operating on the correct registry."
    RepositoryAlreadyExists "RepositoryAlreadyExistsException" 400
        "The specified repository already exists in the specified registry."
    RepositoryNotEmpty "RepositoryNotEmptyException" 400
        "The specified repository contains images. To delete a repository that contains images, \
         you must force the deletion with the force parameter."
    RepositoryNotFound "RepositoryNotFoundException" 400
        "The specified repository could not be found. Check the spelling of the specified \
         repository and ensure that you are performing operations on the correct registry."
    RepositoryPolicyNotFound "RepositoryPolicyNotFoundException" 400
        "The specified repository and registry combination does not have an associated repository \
         policy."
    ScanNotFound "ScanNotFoundException" 400
        "The specified image scan could not be found. Ensure that image scanning is enabled on \
         the repository and try again."
    SecretNotFound "SecretNotFoundException" 400
        "The ARN of the secret specified in the pull through cache rule was not found. Update the \
         pull through cache rule with a valid secret ARN and try again."
    Server "ServerException" 500
        "These errors are usually caused by a server-side issue."
    SigningConfigurationNotFound "SigningConfigurationNotFoundException" 400
        "The specified signing configuration was not found. This occurs when attempting to \
         retrieve or delete a signing configuration that does not exist."
    TemplateAlreadyExists "TemplateAlreadyExistsException" 400
        "The repository creation template already exists. Specify a unique prefix and try again."
    TemplateNotFound "TemplateNotFoundException" 400
        "The specified repository creation template can't be found. Verify the registry ID and \
         prefix and try again."
    TooManyTags "TooManyTagsException" 400
        "The list of tags on the repository is over the limit. The maximum number of tags that \
         can be applied to a repository is 50."
    UnableToAccessSecret "UnableToAccessSecretException" 400
        "The secret is unable to be accessed. Verify the resource permissions for the secret and \
         try again."
    UnableToDecryptSecretValue "UnableToDecryptSecretValueException" 400
        "The secret is accessible but is unable to be decrypted. Verify the resource permisisons \
         and try again."
    UnableToGetUpstreamImage "UnableToGetUpstreamImageException" 400
        "The image or images were unable to be pulled using the pull through cache rule. This is \
         usually caused because of an issue with the Secrets Manager secret containing the \
         credentials for the upstream registry."
    UnableToGetUpstreamLayer "UnableToGetUpstreamLayerException" 400
        "There was an issue getting the upstream layer matching the pull through cache rule."
    UnableToListUpstreamImageReferrers "UnableToListUpstreamImageReferrersException" 400
        "The referrer or referrers were unable to be listed using the pull through cache rule. \
         This is usually caused because of an issue with the Secrets Manager secret containing \
         the credentials for the upstream registry."
    UnsupportedImageType "UnsupportedImageTypeException" 400
        "The image is of a type that cannot be scanned."
    UnsupportedUpstreamRegistry "UnsupportedUpstreamRegistryException" 400
        "The specified upstream registry isn't supported."
    UploadNotFound "UploadNotFoundException" 400
        "The upload could not be found, or the specified upload ID is not valid for this \
         repository."
    Validation "ValidationException" 400
        "There was an exception validating this request."
}
