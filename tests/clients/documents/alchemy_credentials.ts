const SecurePullThroughCacheRule = await AWS.ECR.PullThroughCacheRule("SecurePullThroughCacheRule", {
  UpstreamRegistryUrl: "https://secure-registry.example.com",
  EcrRepositoryPrefix: "my-secure-app/",
  CredentialArn: "arn:aws:secretsmanager:us-west-2:123456789012:secret:my-credentials"
});
