const AdvancedPullThroughCacheRule = await AWS.ECR.PullThroughCacheRule("AdvancedPullThroughCacheRule", {
  UpstreamRegistryUrl: "https://registry.example.com",
  EcrRepositoryPrefix: "my-app/",
  UpstreamRegistry: "my-upstream-registry",
  CustomRoleArn: "arn:aws:iam::123456789012:role/MyECRPullRole"
});
