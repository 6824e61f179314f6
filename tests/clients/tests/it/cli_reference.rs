//! The whole synopsis of the CLI reference's page on `create-pull-through-cache-rule`: every option
//! of it, with the version of the CLI that has it.

use std::collections::BTreeSet;

use clients::cistern::workspace;
use clients::program::write;
use clients::{AwsCli, Cistern, Missing, Outcome, or_skip};
use serde_json::{Value, json};
use tempfile::TempDir;

const CREATE: [&str; 2] = ["ecr", "create-pull-through-cache-rule"];
const DESCRIBE: [&str; 2] = ["ecr", "describe-pull-through-cache-rules"];
const ACCOUNT: &str = "000000000000";

/// Which CLI a scenario drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A cistern behind TLS, one of the CLIs, and rules with names of their own.
struct Bench {
    cistern: Cistern,
    aws: AwsCli,
    version: Version,
    certificates: TempDir,
    secret: String,
    rules: std::cell::Cell<u32>,
}

impl Bench {
    fn start(version: Version) -> Result<Self, Missing> {
        let certificates = TempDir::new().expect("a temporary directory");
        let at = |name: &str| certificates.path().join(name).display().to_string();
        let own =
            rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).expect("a certificate");
        write(at("server.crt").as_ref(), own.cert.pem());
        write(at("server.pem").as_ref(), own.signing_key.serialize_pem());
        let cistern =
            Cistern::start(&["--tls-cert", &at("server.crt"), "--tls-key", &at("server.pem")]);
        let aws = match version {
            Version::One => AwsCli::new(cistern.environment())?,
            Version::Two => AwsCli::version_2(cistern.environment())?,
        };
        let rules = std::cell::Cell::new(0);
        let mut bench = Self { cistern, aws, version, certificates, secret: String::new(), rules };
        bench.secret = bench.create_secret();
        Ok(bench)
    }

    fn create_secret(&self) -> String {
        let create = ["secretsmanager", "create-secret", "--name", "ecr-pullthroughcache/hub"];
        let bundle = self.certificate();
        let create = [&create[..], &["--secret-string", "{}", "--ca-bundle", &bundle]].concat();
        self.aws.json(&create)["ARN"].as_str().expect("CreateSecret answers an ARN").to_owned()
    }

    fn certificate(&self) -> String {
        self.certificates.path().join("server.crt").display().to_string()
    }

    /// A prefix that no rule has.
    fn prefix(&self) -> String {
        self.rules.set(self.rules.get() + 1);
        format!("rule-{}", self.rules.get())
    }

    /// `create-pull-through-cache-rule` with these words, trusting the certificate.
    #[track_caller]
    fn create(&self, prefix: &str, more: &[&str]) -> Outcome {
        let rule = ["--ecr-repository-prefix", prefix, "--upstream-registry-url", "quay.io"];
        self.trusting(&[&CREATE[..], &rule, more].concat())
    }

    /// A rule of its own with these words: its answer.
    #[track_caller]
    fn created(&self, more: &[&str]) -> Value {
        let prefix = self.prefix();
        let rule = self.create(&prefix, more).json();
        assert_eq!(rule["ecrRepositoryPrefix"], prefix);
        assert_eq!(rule["upstreamRegistryUrl"], "quay.io");
        rule
    }

    #[track_caller]
    fn trusting(&self, words: &[&str]) -> Outcome {
        self.aws.run_with(&[("AWS_CA_BUNDLE", Some(&self.certificate()))], words)
    }

    /// What the CLI exits with when the server refuses.
    fn refusal(&self) -> i32 {
        match self.version {
            Version::One => 255,
            Version::Two => 254,
        }
    }
}

/// The options of the synopsis.
fn synopsis() -> BTreeSet<String> {
    let file = workspace().join("tests/clients/documents/cli_reference.txt");
    let text = std::fs::read_to_string(file).expect("the synopsis lies in the source tree");
    let words =
        text.split(|character: char| character.is_whitespace() || "[]|".contains(character));
    let options: BTreeSet<_> =
        words.filter(|word| word.starts_with("--")).map(str::to_owned).collect();
    assert_eq!(options.len(), 28);
    options
}

/// Shows one option at work.
#[track_caller]
fn show(bench: &Bench, option: &str) {
    match option {
        // Every other option is shown together with these two.
        "--ecr-repository-prefix" | "--upstream-registry-url" => required(bench, option),
        "--registry-id" => {
            assert_eq!(bench.created(&[option, ACCOUNT])["registryId"], ACCOUNT);
            let other = bench.create(&bench.prefix(), &[option, "444455556666"]);
            assert_eq!(other.status.code(), Some(bench.refusal()));
            assert!(other.failure().contains("(AccessDeniedException)"));
        }
        "--upstream-registry" => echoed(bench, option, "upstreamRegistry", "quay"),
        "--credential-arn" => echoed(bench, option, "credentialArn", &bench.secret),
        "--custom-role-arn" => {
            echoed(bench, option, "customRoleArn", "arn:aws:iam::000000000000:role/ptc");
        }
        "--upstream-repository-prefix" => {
            echoed(bench, option, "upstreamRepositoryPrefix", "team/a");
        }
        "--cli-input-json" | "--cli-input-yaml" => input(bench, option),
        "--generate-cli-skeleton" => skeletons(bench),
        "--debug" => {
            let outcome = bench.create(&bench.prefix(), &[option]);
            let wire = "AmazonEC2ContainerRegistry_V20150921.CreatePullThroughCacheRule";
            assert!(outcome.stderr.contains(wire), "{}", outcome.stderr);
            let _ = outcome.json();
        }
        "--endpoint-url" | "--no-verify-ssl" | "--ca-bundle" => transport(bench, option),
        "--no-paginate" => {
            bench.created(&[option]);
        }
        "--output" => outputs(bench),
        "--query" => {
            let query = [option, "[upstreamRegistry, credentialArn]", "--output", "json"];
            let told = bench.create(&bench.prefix(), &query).json();
            assert_eq!(told, json!(["quay", null]));
        }
        "--profile" => profile(bench),
        "--region" => {
            let prefix = bench.prefix();
            for region in ["eu-west-1", "eu-central-1"] {
                let _ = bench.create(&prefix, &[option, region]).json();
            }
        }
        "--version" => {
            let said = bench.aws.run(&[option]).success();
            let wanted = if bench.version == Version::One { "aws-cli/1." } else { "aws-cli/2." };
            assert!(said.starts_with(wanted), "{said}");
        }
        "--color" => {
            for color in ["on", "off", "auto"] {
                bench.created(&[option, color]);
            }
        }
        "--no-sign-request" => {
            let unsigned = bench.create(&bench.prefix(), &[option]);
            assert_eq!(unsigned.status.code(), Some(bench.refusal()));
            let said = unsigned.failure();
            assert!(said.contains("(MissingAuthenticationTokenException)"), "{said}");
        }
        "--cli-read-timeout" | "--cli-connect-timeout" => {
            bench.created(&[option, "30"]);
            bench.created(&[option, "0"]);
        }
        "--cli-binary-format" => {
            for format in ["base64", "raw-in-base64-out"] {
                bench.created(&[option, format]);
            }
        }
        "--no-cli-pager" | "--no-cli-auto-prompt" => {
            bench.created(&[option]);
        }
        "--cli-auto-prompt" => prompted(bench),
        other => panic!("the synopsis has an option that nobody shows: {other}"),
    }
}

/// Asserts that an option's value comes back in `member`, and only where it was sent.
#[track_caller]
fn echoed(bench: &Bench, option: &str, member: &str, value: &str) {
    assert_eq!(bench.created(&[option, value])[member], value);
    if member != "upstreamRegistry" {
        assert_eq!(bench.created(&[]).get(member), None, "{member} was not sent");
    }
}

/// Without a required option the client itself refuses.
#[track_caller]
fn required(bench: &Bench, option: &str) {
    let given = if option == "--upstream-registry-url" {
        ["--ecr-repository-prefix", "quay"]
    } else {
        ["--upstream-registry-url", "quay.io"]
    };
    let said = bench.trusting(&[&CREATE[..], &given].concat()).failure();
    assert!(said.contains(option), "{said}");
}

#[track_caller]
fn input(bench: &Bench, option: &str) {
    let prefix = bench.prefix();
    let members = json!({
        "ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": "quay.io", "registryId": ACCOUNT,
        "upstreamRegistry": "quay", "credentialArn": bench.secret,
        "customRoleArn": "arn:aws:iam::000000000000:role/ptc", "upstreamRepositoryPrefix": "team/a",
    });
    let text = if option == "--cli-input-json" {
        members.to_string()
    } else {
        let members = members.as_object().expect("an object").iter();
        let line = |(name, value): (&String, &Value)| format!("{name}: {value}\n");
        members.map(line).collect()
    };
    let file = bench.aws.home().join("input");
    write(&file, &text);
    for given in [text, format!("file://{}", file.display())] {
        // A word on the command line is stronger than the input.
        let prefix = bench.prefix();
        let over = ["--ecr-repository-prefix", &prefix];
        let rule = bench.trusting(&[&CREATE[..], &[option, &given], &over].concat()).json();
        for (member, value) in members.as_object().expect("an object") {
            let wanted = if member == "ecrRepositoryPrefix" { &json!(prefix) } else { value };
            assert_eq!(rule[member], *wanted, "{member}");
        }
    }
}

/// A skeleton names what the operation takes, and comes back as its input; the one of the output is
/// made without a call.
#[track_caller]
fn skeletons(bench: &Bench) {
    let skeleton = |kind: &[&str]| {
        let words = [&CREATE[..], &["--generate-cli-skeleton"], kind].concat();
        bench.trusting(&words)
    };
    let members = skeleton(&["input"]).json();
    for member in ["ecrRepositoryPrefix", "upstreamRegistryUrl", "customRoleArn"] {
        assert!(members[member].is_string(), "{members}");
    }
    let names = |members: &Value| {
        members.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>()
    };
    assert_eq!(names(&skeleton(&[]).json()), names(&members));
    let mut members = members;
    members["ecrRepositoryPrefix"] = json!(bench.prefix());
    members["upstreamRegistryUrl"] = json!("quay.io");
    members["upstreamRegistry"] = json!("quay");
    members["registryId"] = json!(ACCOUNT);
    members["credentialArn"] = json!(bench.secret);
    members["customRoleArn"] = json!("arn:aws:iam::000000000000:role/ptc");
    members["upstreamRepositoryPrefix"] = json!("ROOT");
    let filled = members.to_string();
    let rule = bench.trusting(&[&CREATE[..], &["--cli-input-json", &filled]].concat()).json();
    assert_eq!(rule["ecrRepositoryPrefix"], members["ecrRepositoryPrefix"]);
    let before = rules(bench);
    // Both versions hold their own sample of this operation's answer against the model, and refuse
    // it as too short; that of another operation is shown.
    let said = bench.create("untouched", &["--generate-cli-skeleton", "output"]).failure();
    assert!(said.contains("Invalid length for parameter credentialArn"), "{said}");
    let token = ["ecr", "get-authorization-token", "--generate-cli-skeleton", "output"];
    let output = bench.trusting(&token).json();
    assert!(output["authorizationData"][0]["proxyEndpoint"].is_string(), "{output}");
    if bench.version == Version::Two {
        let yaml = skeleton(&["yaml-input"]).success();
        assert!(yaml.contains("ecrRepositoryPrefix: ''"), "{yaml}");
    }
    assert_eq!(rules(bench), before, "a skeleton calls nobody");
}

#[track_caller]
fn rules(bench: &Bench) -> usize {
    let told = bench.trusting(&DESCRIBE).json();
    told["pullThroughCacheRules"].as_array().expect("a list").len()
}

/// The endpoint by option alone; its certificate trusted by name, unseen, or not at all.
#[track_caller]
fn transport(bench: &Bench, option: &str) {
    let prefix = bench.prefix();
    let rule = ["--ecr-repository-prefix", &prefix, "--upstream-registry-url", "quay.io"];
    let create = [&CREATE[..], &rule].concat();
    let certificate = bench.certificate();
    let untrusted = bench.aws.run(&create).failure();
    assert!(untrusted.contains("SSL validation failed"), "{untrusted}");
    let outcome = match option {
        "--ca-bundle" => bench.aws.run(&[&create[..], &[option, &certificate]].concat()),
        "--no-verify-ssl" => bench.aws.run(&[&create[..], &[option]].concat()),
        _ => bench.aws.run_with(
            &[("AWS_ENDPOINT_URL", None), ("AWS_CA_BUNDLE", Some(&certificate))],
            &[&create[..], &[option, bench.cistern.url()]].concat(),
        ),
    };
    assert_eq!(outcome.json()["ecrRepositoryPrefix"], prefix);
}

/// Every format that the version has, of a single structure and of a list.
#[track_caller]
fn outputs(bench: &Bench) {
    let shown = |format: &str| {
        let prefix = bench.prefix();
        let made = bench.create(&prefix, &["--output", format]).success();
        assert!(made.contains(&prefix) && made.contains("quay.io"), "{format}: {made}");
        let listed = bench.trusting(&[&DESCRIBE[..], &["--output", format]].concat()).success();
        assert!(listed.contains(&prefix), "{format}: {listed}");
        (made, listed)
    };
    let (made, _) = shown("json");
    let made: Value = serde_json::from_str(&made).expect("it says that it is JSON");
    assert_eq!(made["upstreamRegistry"], "quay");
    let (made, listed) = shown("text");
    assert!(made.contains('\t') && listed.contains("PULLTHROUGHCACHERULES\t"), "{listed}");
    let (made, listed) = shown("table");
    assert!(
        made.contains("|  ecrRepositoryPrefix ") && made.contains("CreatePullThrough"),
        "{made}"
    );
    assert!(listed.contains("pullThroughCacheRules"), "{listed}");
    if bench.version == Version::Two {
        let (made, _) = shown("yaml");
        assert!(made.contains("upstreamRegistry: quay\n"), "{made}");
        let (_, listed) = shown("yaml-stream");
        assert!(listed.starts_with("- pullThroughCacheRules:\n"), "{listed}");
    }
}

/// A profile with keys, a region and an endpoint of its own, and nothing in the environment.
#[track_caller]
fn profile(bench: &Bench) {
    let environment = bench.cistern.environment();
    let value = |name: &str| {
        let found = environment.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).expect("cistern env prints it")
    };
    let keys = format!(
        "[lab]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        value("AWS_ACCESS_KEY_ID"),
        value("AWS_SECRET_ACCESS_KEY")
    );
    let directory = bench.aws.home().join(".aws");
    std::fs::create_dir_all(&directory).expect("a directory of ours");
    write(&directory.join("credentials"), keys);
    write(&directory.join("config"), "[profile lab]\nregion = ap-south-1\noutput = text\n");
    let prefix = bench.prefix();
    let rule = ["--ecr-repository-prefix", &prefix, "--upstream-registry-url", "quay.io"];
    let lab = ["--profile", "lab", "--ca-bundle", &bench.certificate()].map(str::to_owned);
    let lab = lab.each_ref().map(String::as_str);
    let bare = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"]
        .map(|name| (name, None));
    let made = bench.aws.run_with(&bare, &[&CREATE[..], &rule, &lab].concat()).success();
    assert!(made.contains('\t') && made.contains(&prefix), "text, as the profile says: {made}");
    let there = bench.trusting(&[&DESCRIBE[..], &["--region", "ap-south-1"]].concat()).json();
    assert_eq!(there["pullThroughCacheRules"][0]["ecrRepositoryPrefix"], prefix);
    for name in ["credentials", "config"] {
        std::fs::remove_file(directory.join(name)).expect("it was written");
    }
}

/// The prompt shows the command as it was typed; Enter runs it. It wants a terminal.
#[track_caller]
fn prompted(bench: &Bench) {
    let prefix = bench.prefix();
    let rule = ["--ecr-repository-prefix", &prefix, "--upstream-registry-url", "quay.io"];
    let outcome = bench.trusting(&[&CREATE[..], &rule, &["--cli-auto-prompt"]].concat());
    // Without a terminal it may not hang, and nothing may be made.
    let said = outcome.failure();
    assert!(!said.is_empty());
    assert_eq!(bench.create(&prefix, &[]).json()["ecrRepositoryPrefix"], prefix);
}

/// Options that version 1 never had.
const OF_VERSION_2: [&str; 5] = [
    "--cli-input-yaml",
    "--cli-binary-format",
    "--no-cli-pager",
    "--cli-auto-prompt",
    "--no-cli-auto-prompt",
];

#[test]
fn every_option_of_the_synopsis_works_with_version_1() {
    let bench = or_skip!(Bench::start(Version::One));
    for option in synopsis() {
        if !OF_VERSION_2.contains(&option.as_str()) {
            show(&bench, &option);
        }
    }
}

#[test]
fn every_option_of_the_synopsis_works_with_version_2() {
    let bench = or_skip!(Bench::start(Version::Two));
    for option in synopsis() {
        show(&bench, &option);
    }
}

/// Pages by the CLI's own words, whichever the server's pages are.
fn rules_come_page_by_page(version: Version) -> Result<(), Missing> {
    let bench = Bench::start(version)?;
    let made: BTreeSet<_> = (0..5)
        .map(|_| bench.created(&[])["ecrRepositoryPrefix"].as_str().expect("a text").to_owned())
        .collect();
    let listed = |more: &[&str]| {
        let query = ["--query", "pullThroughCacheRules[].ecrRepositoryPrefix", "--output", "json"];
        let told = bench.trusting(&[&DESCRIBE[..], more, &query].concat()).json();
        let names = told.as_array().expect("a list").iter();
        names.map(|name| name.as_str().expect("a text").to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(listed(&[]), made);
    assert_eq!(listed(&["--page-size", "2"]), made);
    assert_eq!(listed(&["--no-paginate", "--max-results", "2"]).len(), 2, "one page, one call");
    let some = ["--ecr-repository-prefixes", "rule-1", "rule-2"];
    assert_eq!(listed(&[&some[..], &["--page-size", "1"]].concat()).len(), 2);

    let mut seen = BTreeSet::new();
    let mut token = None;
    let mut pages = 0;
    loop {
        let start = token.iter().flat_map(|token: &String| ["--starting-token", token.as_str()]);
        let more: Vec<_> = ["--max-items", "2"].into_iter().chain(start).collect();
        let page = bench.trusting(&[&DESCRIBE[..], &more].concat()).json();
        let rules = page["pullThroughCacheRules"].as_array().expect("a list").clone();
        assert!(rules.len() <= 2);
        seen.extend(
            rules
                .iter()
                .map(|rule| rule["ecrRepositoryPrefix"].as_str().expect("a text").to_owned()),
        );
        pages += 1;
        match page["NextToken"].as_str() {
            Some(next) => token = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!((seen, pages), (made, 3));
    let wrong = bench.trusting(&[&DESCRIBE[..], &["--next-token", "nonsense"]].concat());
    assert_eq!(wrong.status.code(), Some(bench.refusal()));
    let said = wrong.failure();
    assert!(said.contains("(InvalidParameterException)"), "{said}");
    Ok(())
}

#[test]
fn rules_come_page_by_page_to_version_1() {
    or_skip!(rules_come_page_by_page(Version::One));
}

#[test]
fn rules_come_page_by_page_to_version_2() {
    or_skip!(rules_come_page_by_page(Version::Two));
}
