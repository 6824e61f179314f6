// What the AWS SDK for JavaScript makes of the answers: dates, pages, and errors that are instances
// of the classes of its models.
"use strict";

const assert = require("node:assert/strict");
const ecrModel = require("@aws-sdk/client-ecr");
const secretsModel = require("@aws-sdk/client-secrets-manager");

const ecr = new ecrModel.ECR({});
const secrets = new secretsModel.SecretsManager({});
const { UPSTREAM_USER: username, UPSTREAM_PASSWORD: accessToken } = process.env;

/** Asserts that a call fails with this class, HTTP status and text. */
async function refuses(call, errorClass, text) {
    await assert.rejects(call, (error) => {
        assert.ok(error instanceof errorClass, `${error.name}: ${error.message}`);
        assert.equal(error.name, errorClass.name);
        assert.equal(error.$fault, "client");
        assert.equal(error.$metadata.httpStatusCode, 400);
        assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/);
        assert.match(error.message, text);
        return true;
    });
}

async function collect(pages, member) {
    const collected = [];
    for await (const page of pages) {
        collected.push(page[member]);
    }
    return collected;
}

async function secretsLive() {
    const name = "ecr-pullthroughcache/docker-hub";
    const value = JSON.stringify({ username, accessToken });
    const made = await secrets.createSecret({ Name: name, SecretString: value });
    assert.match(made.ARN, /:secret:ecr-pullthroughcache\/docker-hub-[A-Za-z0-9]{6}$/);
    const read = await secrets.getSecretValue({ SecretId: name });
    assert.equal(read.SecretString, value);
    assert.equal(read.VersionId, made.VersionId);
    assert.ok(Math.abs(Date.now() - read.CreatedDate) < 300_000, read.CreatedDate);
    await refuses(
        secrets.createSecret({ Name: name, SecretString: "x" }),
        secretsModel.ResourceExistsException,
        /docker-hub/,
    );
    const put = await secrets.putSecretValue({ SecretId: name, SecretBinary: Buffer.from([0, 255]) });
    const binary = await secrets.getSecretValue({ SecretId: name, VersionId: put.VersionId });
    assert.deepEqual([...binary.SecretBinary], [0, 255]);
    await secrets.putSecretValue({ SecretId: name, SecretString: value });

    for (const other of ["ecr-pullthroughcache/wrong", "other"]) {
        const wrong = JSON.stringify({ username, accessToken: "no" });
        await secrets.createSecret({ Name: other, SecretString: wrong });
    }
    const pages = secretsModel.paginateListSecrets({ client: secrets, pageSize: 1 }, {
        Filters: [{ Key: "name", Values: ["ecr-pullthroughcache/"] }],
    });
    const listed = (await collect(pages, "SecretList")).map((page) => page.map(({ Name }) => Name));
    assert.deepEqual(listed.filter((page) => page.length > 1), []);
    assert.deepEqual(listed.flat().sort(), [name, "ecr-pullthroughcache/wrong"]);

    await secrets.deleteSecret({ SecretId: "other", RecoveryWindowInDays: 7 });
    await refuses(
        secrets.getSecretValue({ SecretId: "other" }),
        secretsModel.InvalidRequestException,
        /marked for deletion/,
    );
    await refuses(
        secrets.getSecretValue({ SecretId: "nobody" }),
        secretsModel.ResourceNotFoundException,
        /can't find/,
    );
    return made.ARN;
}

async function rulesLive(credentialArn) {
    const rule = { ecrRepositoryPrefix: "docker-hub", credentialArn };
    const made = await ecr.createPullThroughCacheRule({
        ...rule,
        upstreamRegistryUrl: "registry-1.docker.io",
    });
    assert.equal(made.upstreamRegistry, "docker-hub");
    assert.equal(made.credentialArn, credentialArn);
    assert.ok(Math.abs(Date.now() - made.createdAt) < 300_000, made.createdAt);
    await refuses(
        ecr.createPullThroughCacheRule({ ...rule, upstreamRegistryUrl: "registry-1.docker.io" }),
        ecrModel.PullThroughCacheRuleAlreadyExistsException,
        /docker-hub/,
    );
    const validated = { ecrRepositoryPrefix: "docker-hub" };
    assert.equal((await ecr.validatePullThroughCacheRule(validated)).isValid, true);

    const { ARN: wrong } = await secrets.describeSecret({ SecretId: "ecr-pullthroughcache/wrong" });
    const updated = await ecr.updatePullThroughCacheRule({ ...rule, credentialArn: wrong });
    assert.equal(updated.credentialArn, wrong);
    assert.ok(updated.updatedAt >= made.createdAt);
    const refused = await ecr.validatePullThroughCacheRule(validated);
    assert.equal(refused.isValid, false);
    assert.match(refused.failure, /authentication to the upstream registry failed/);
    await refuses(
        ecr.updatePullThroughCacheRule({ ecrRepositoryPrefix: "docker-hub" }),
        ecrModel.InvalidParameterException,
        /set either credential arn or role arn/,
    );
    await refuses(
        ecr.updatePullThroughCacheRule({ ...rule, credentialArn: credentialArn + "gone" }),
        ecrModel.SecretNotFoundException,
        /./,
    );

    const others = { quay: "quay.io", k8s: "registry.k8s.io", "ecr-public": "public.ecr.aws" };
    for (const [ecrRepositoryPrefix, upstreamRegistryUrl] of Object.entries(others)) {
        await ecr.createPullThroughCacheRule({ ecrRepositoryPrefix, upstreamRegistryUrl });
    }
    const pages = ecrModel.paginateDescribePullThroughCacheRules({ client: ecr, pageSize: 3 }, {});
    const listed = await collect(pages, "pullThroughCacheRules");
    assert.deepEqual(listed.map((page) => page.length), [3, 1]);
    const prefixes = listed.flat().map(({ ecrRepositoryPrefix }) => ecrRepositoryPrefix);
    assert.deepEqual(prefixes.sort(), ["docker-hub", "ecr-public", "k8s", "quay"]);

    const gone = await ecr.deletePullThroughCacheRule({ ecrRepositoryPrefix: "quay" });
    assert.equal(gone.upstreamRegistryUrl, "quay.io");
    await refuses(
        ecr.deletePullThroughCacheRule({ ecrRepositoryPrefix: "quay" }),
        ecrModel.PullThroughCacheRuleNotFoundException,
        /quay/,
    );
}

async function repositoriesLive() {
    const tags = [{ Key: "team", Value: "web" }];
    const named = { repositoryName: "team/app" };
    const { repository } = await ecr.createRepository({
        ...named,
        tags,
        imageTagMutability: "IMMUTABLE",
        imageScanningConfiguration: { scanOnPush: true },
    });
    assert.equal(repository.imageTagMutability, "IMMUTABLE");
    assert.deepEqual(repository.imageScanningConfiguration, { scanOnPush: true });
    assert.ok(Math.abs(Date.now() - repository.createdAt) < 300_000, repository.createdAt);
    const kept = await ecr.listTagsForResource({ resourceArn: repository.repositoryArn });
    assert.deepEqual(kept.tags, tags);
    await refuses(
        ecr.createRepository(named),
        ecrModel.RepositoryAlreadyExistsException,
        /team\/app/,
    );

    await refuses(
        ecr.getLifecyclePolicy(named),
        ecrModel.LifecyclePolicyNotFoundException,
        /team\/app/,
    );
    const selection = { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 9 };
    const rules = [{ rulePriority: 1, selection, action: { type: "expire" } }];
    await ecr.putLifecyclePolicy({ ...named, lifecyclePolicyText: JSON.stringify({ rules }) });
    const { lifecyclePolicyText } = await ecr.getLifecyclePolicy(named);
    assert.deepEqual(JSON.parse(lifecyclePolicyText), { rules });
    await refuses(
        ecr.getRepositoryPolicy(named),
        ecrModel.RepositoryPolicyNotFoundException,
        /team\/app/,
    );

    await ecr.createRepository({ repositoryName: "team/web" });
    const pages = ecrModel.paginateDescribeRepositories({ client: ecr, pageSize: 1 }, {});
    const listed = await collect(pages, "repositories");
    assert.deepEqual(listed.map((page) => page.length), [1, 1]);
    const names = listed.flat().map(({ repositoryName }) => repositoryName);
    assert.deepEqual(names.sort(), ["team/app", "team/web"]);

    await ecr.deleteRepository(named);
    await refuses(
        ecr.describeRepositories({ repositoryNames: ["team/app"] }),
        ecrModel.RepositoryNotFoundException,
        /team\/app/,
    );
}

async function templatesLive() {
    const root = { prefix: "ROOT", appliedFor: ["PULL_THROUGH_CACHE"] };
    const { repositoryCreationTemplate: made } = await ecr.createRepositoryCreationTemplate(root);
    assert.equal(made.imageTagMutability, "MUTABLE");
    assert.ok(Math.abs(Date.now() - made.createdAt) < 300_000, made.createdAt);
    await refuses(
        ecr.createRepositoryCreationTemplate(root),
        ecrModel.TemplateAlreadyExistsException,
        /already exists/,
    );
    await ecr.createRepositoryCreationTemplate({ ...root, prefix: "docker-hub" });
    const { repositoryCreationTemplate: updated } = await ecr.updateRepositoryCreationTemplate({
        prefix: "ROOT",
        imageTagMutability: "IMMUTABLE",
    });
    assert.equal(updated.imageTagMutability, "IMMUTABLE");
    assert.deepEqual(updated.appliedFor, root.appliedFor);
    const asked = { client: ecr, pageSize: 1 };
    const pages = ecrModel.paginateDescribeRepositoryCreationTemplates(asked, {});
    const listed = await collect(pages, "repositoryCreationTemplates");
    assert.deepEqual(listed.map((page) => page.length), [1, 1]);
    assert.deepEqual(listed.flat().map(({ prefix }) => prefix).sort(), ["ROOT", "docker-hub"]);
    await ecr.deleteRepositoryCreationTemplate({ prefix: "ROOT" });
    await refuses(
        ecr.deleteRepositoryCreationTemplate({ prefix: "ROOT" }),
        ecrModel.TemplateNotFoundException,
        /can't be found/,
    );
}

async function tokensOpenTheDoor() {
    const { authorizationData } = await ecr.getAuthorizationToken({});
    const [{ authorizationToken, expiresAt, proxyEndpoint }] = authorizationData;
    assert.equal(proxyEndpoint, process.env.AWS_ENDPOINT_URL);
    const hours = (expiresAt - Date.now()) / 3_600_000;
    assert.ok(hours > 11.9 && hours <= 12, expiresAt);
    assert.match(Buffer.from(authorizationToken, "base64").toString(), /^AWS:[A-Za-z0-9_.=-]+$/);
    const door = (authorization) => fetch(`${proxyEndpoint}/v2/`, { headers: { authorization } });
    assert.equal((await door(`Basic ${authorizationToken}`)).status, 200);
    const wrong = Buffer.from("AWS:wrong").toString("base64");
    assert.equal((await door(`Basic ${wrong}`)).status, 401);
}

async function main() {
    await rulesLive(await secretsLive());
    await repositoriesLive();
    await templatesLive();
    await tokensOpenTheDoor();
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
