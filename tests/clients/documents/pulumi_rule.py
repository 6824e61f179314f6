import pulumi
import pulumi_aws as aws

example = aws.ecr.PullThroughCacheRule("example",
    ecr_repository_prefix="ecr-public",
    upstream_registry_url="public.ecr.aws",
    credential_arn="arn:aws:secretsmanager:us-east-1:123456789:secret:ecr-pullthroughcache/ecrpublic")
