import AWS from "alchemy/aws/control";

const BasicPullThroughCacheRule = await AWS.ECR.PullThroughCacheRule("BasicPullThroughCacheRule", {
  UpstreamRegistryUrl: "https://registry.example.com",
  EcrRepositoryPrefix: "my-app/"
});
