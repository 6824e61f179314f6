const AdoptExistingPullThroughCacheRule = await AWS.ECR.PullThroughCacheRule("AdoptExistingPullThroughCacheRule", {
  UpstreamRegistryUrl: "https://registry.example.com",
  EcrRepositoryPrefix: "my-app/",
  adopt: true
});
