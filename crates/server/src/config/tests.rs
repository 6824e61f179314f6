//! What wins over what, and what is refused.

use std::collections::HashMap;

use ::upstream::Proxy;
use metadata::Timestamp;
use tempfile::TempDir;
use url::Url;

use super::*;

/// Reads a configuration of flags, variables and a file.
fn read(
    flags: &[(&'static str, &str)],
    variables: &[(&str, &str)],
    file: &str,
) -> Result<Config, String> {
    let home = TempDir::new().unwrap();
    let path = home.path().join("cistern.toml");
    std::fs::write(&path, file).unwrap();
    let mut layer = Layer::new();
    for &(name, text) in flags.iter().chain(&[("config", path.to_str().unwrap())]) {
        let given = Given { text: text.to_owned(), origin: Origin::Flag(name) };
        layer.entry(name).or_default().push(given);
    }
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    let environment = |name: &str| variables.get(name).map(|&text| text.to_owned());
    let directory = home.path().display().to_string();
    Config::read(layer, &environment, Timestamp(7))
        .map_err(|error| error.to_string().replace(&format!("{directory}/"), ""))
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let config = read(&[], &[], "").unwrap();
    assert_eq!(config.listen_addresses, ["127.0.0.1:5000".parse().unwrap()]);
    assert_eq!(config.data_dir, Path::new("./cistern-data"));
    assert_eq!(config.metadata_path, Path::new("./cistern-data/metadata.sqlite"));
    assert_eq!(config.blob_path, Path::new("./cistern-data/blobs"));
    assert_eq!(config.default_registry.to_string(), "000000000000/us-east-1");
    assert_eq!(config.limits, Limits::default());
    assert!(!config.anonymous_pull && !config.strict_ecr && config.tls.is_none());
}

#[test]
fn a_flag_wins_over_a_variable_over_the_file() {
    let file = "region = 'of-file'\naccount-id = '111111111111'\ndata-dir = 'of-file'\n";
    let variables = [("CISTERN_REGION", "of-variable"), ("CISTERN_DATA_DIR", "of-variable")];
    let config = read(&[("data-dir", "of-flag")], &variables, file).unwrap();
    assert_eq!(config.data_dir, Path::new("of-flag"));
    assert_eq!(config.default_registry.to_string(), "111111111111/of-variable");
}

#[test]
fn an_empty_variable_is_not_set_and_a_switch_can_be_taken_back() {
    let variables = [("CISTERN_REGION", ""), ("CISTERN_ANONYMOUS_PULL", "false")];
    let config = read(&[], &variables, "region = 'eu-west-1'\nanonymous-pull = true\n").unwrap();
    assert_eq!(config.default_registry.region.as_str(), "eu-west-1");
    assert!(!config.anonymous_pull);
}

#[test]
fn lists_add_up() {
    let file = "rule = ['c=three', { prefix = 'dd', upstream-registry-url = 'four' }]\n";
    let file = file.replace("'c=", "'cc=");
    let variables = [("CISTERN_RULE", "bb=two, bc=too")];
    let config = read(&[("rule", "aa=one")], &variables, &file).unwrap();
    let rules: Vec<_> = config
        .rules
        .iter()
        .map(|declared| {
            let source = declared.source.rsplit('/').next().unwrap();
            (declared.rule.ecr_repository_prefix.as_str(), source)
        })
        .collect();
    let expected = [
        ("aa", "--rule"),
        ("bb", "CISTERN_RULE"),
        ("bc", "CISTERN_RULE"),
        ("cc", "cistern.toml"),
        ("dd", "cistern.toml"),
    ];
    assert_eq!(rules, expected);
}

#[test]
fn the_file_has_tables() {
    let config = read(
        &[("upstream-endpoint", "ghcr.io=http://127.0.0.1:1")],
        &[],
        "[limits]\nmanifest-bytes = '1MiB'\nfills = 3\nstale-deadline = '500ms'\n\
         [upstream]\nallow-private-addresses = ['Registry.local']\nca-file = 'ca.pem'\n\
         [[account]]\nid = '111111111111'\n\
         [[rule]]\nprefix = 'hub'\nupstream-registry-url = 'registry-1.docker.io'\n\
         upstream-repository-prefix = 'library'\nanonymous-pull = true\n\
         credential-arn = 'arn:aws:secretsmanager:x'\n",
    )
    .unwrap();
    assert_eq!((config.limits.manifest_bytes_max, config.limits.fills_max), (1 << 20, 3));
    assert_eq!(config.limits.stale_deadline.as_millis(), 500);
    assert_eq!(config.upstream.allow_private_addresses, ["registry.local"]);
    assert_eq!(config.upstream.endpoints[0].0, "ghcr.io");
    assert_eq!(config.accounts.len(), 2);
    let declared = &config.rules[0];
    assert!(declared.anonymous_pull);
    assert_eq!(declared.rule.created_at, Timestamp(7));
    assert_eq!(declared.rule.upstream_repository_prefix.as_ref().unwrap().as_str(), "library");
    assert!(declared.rule.credentials.credential_arn.is_some());
}

#[test]
fn upstreams_are_reached_as_they_are_told_to_be() {
    let file = "upstream-endpoint = ['ghcr.io=http://127.0.0.1:9', 'quay.io=http://127.0.0.1:8']\n\
         [upstream]\nproxy = 'http://user:hunter2@proxy:3128'\nno-proxy = ['lan', '10.0.0.0/8']\n\
         [[upstream.host]]\nhost = 'GHCR.io'\nendpoints = ['http://127.0.0.1:7']\n\
         [[upstream.host]]\nhost = 'r.lan:5000'\nendpoints = ['https://a', 'https://b:1']\n\
         ca-file = 'ca.pem'\nclient-cert = 'c.pem'\nclient-key = 'k.pem'\nproxy = 'none'\n\
         plain-http = true\n";
    let variable = "ghcr.io=http://127.0.0.1:1,ghcr.io=http://127.0.0.1:2";
    let config = read(&[], &[("CISTERN_UPSTREAM_ENDPOINT", variable)], file).unwrap().upstream;
    let endpoints: Vec<_> = config
        .endpoints
        .iter()
        .map(|(host, urls)| (host.as_str(), urls.iter().map(Url::as_str).collect::<Vec<_>>()))
        .collect();
    // The variable wins for its host, whole and in its order; the file is heard for the others.
    let expected = [
        ("ghcr.io", vec!["http://127.0.0.1:1/", "http://127.0.0.1:2/"]),
        ("quay.io", vec!["http://127.0.0.1:8/"]),
        ("r.lan:5000", vec!["https://a/", "https://b:1/"]),
    ];
    assert_eq!(endpoints, expected);
    assert_eq!((&config.plain_http, config.no_proxy.len()), (&vec!["r.lan:5000".to_owned()], 2));
    assert!(matches!(config.hosts[1].proxy, Some(Proxy::None)) && config.hosts[0].proxy.is_none());
    assert!(config.hosts[1].client.is_some() && config.hosts[1].ca_file.is_some());
    assert!(matches!(config.proxy, Proxy::At(_)) && !format!("{config:?}").contains("hunter2"));
}

#[test]
fn secrets_come_in_pairs_and_are_not_shown() {
    let variables = [
        ("CISTERN_ROOT_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("CISTERN_ROOT_SECRET_ACCESS_KEY", "very-secret"),
        ("CISTERN_KEYRING", "very-secret"),
    ];
    let config = read(&[], &variables, "").unwrap();
    assert!(!format!("{config:?}").contains("very-secret"));
    assert!(config.secrets.root.is_some() && config.secrets.keyring.is_some());
    insta::assert_snapshot!(read(&[], &variables[..1], "").unwrap_err(), @"CISTERN_ROOT_ACCESS_KEY_ID needs CISTERN_ROOT_SECRET_ACCESS_KEY as well: give both, or neither");
}

#[test]
fn what_is_wrong_is_named_with_the_way_out() {
    let said = |flags: &[(&'static str, &str)], variables: &[(&str, &str)], file: &str| {
        let said = read(flags, variables, file).unwrap_err();
        assert!(!said.contains('\n'), "{said}");
        said
    };
    let refused = [
        said(&[], &[], "listne = '127.0.0.1:0'"),
        said(&[], &[], "colour = 'blue'"),
        said(&[], &[], "[limits]\nfill = 3"),
        said(&[], &[], "[limit]\nfills = 3"),
        said(&[], &[], "[[rule]]\nprefix = 'hub'"),
        said(&[], &[], "[[rule]]\nprefx = 'hub'"),
        said(&[], &[], "[[account]]\nid = '1'"),
        said(&[], &[], "account = 1"),
        said(&[], &[], "[rule]\nprefix = 'hub'"),
        said(&[], &[], "[[limits]]\nfills = 1"),
        said(&[], &[], "region = 1.5"),
        said(&[], &[], "region = 'a'\nregion = 'b'"),
        said(&[], &[], "[limits]\nfills = 0"),
        said(&[], &[("CISTERN_LISTEN", "nowhere")], ""),
        said(&[("listen", "nowhere")], &[], ""),
        said(&[("rule", "hub")], &[], ""),
        said(&[("rule", "Hub=registry-1.docker.io")], &[], ""),
        said(&[("rule", "hub/=a")], &[("CISTERN_RULE", "hub=b")], ""),
        said(&[("tls-cert", "server.crt")], &[], ""),
        said(&[("metadata-url", "postgres://u:p@db/cistern")], &[], ""),
        said(&[], &[], "blob-url = 's3://bucket/prefix'"),
        said(&[("anonymous-pull", "maybe")], &[], ""),
        said(&[("public-url", "registry.example.com")], &[], ""),
        said(&[("account-id", "1")], &[], ""),
        said(&[("log-format", "xml")], &[], ""),
        said(&[], &[], "[limits]\nbudget-reserve = 101"),
        said(&[], &[], "[upstream]\nproxy = 'proxy:hunter2'"),
        said(&[], &[], "[upstream]\nno-proxy = ['a,b']"),
        said(&[], &[], "[upstream.host]\nhost = 'a'"),
        said(&[], &[], "[[upstream.host]]\nendpoints = ['http://a']"),
        said(&[], &[], "[[upstream.host]]\nhost = 'a'\nendpoints = 'http://a'"),
        said(&[], &[], "[[upstream.host]]\nhost = 'a'\nendpoints = ['http://a/path']"),
        said(&[], &[], "[[upstream.host]]\nhost = 'a'\nclient-cert = 'c'"),
        said(&[], &[], "[[upstream.host]]\nhost = 'a'\nclientcert = 'c'"),
        said(&[], &[], "[[upstream.host]]\nhost = 'a'\n[[upstream.host]]\nhost = 'A'"),
    ];
    insta::assert_snapshot!(refused.join("\n"));
}

#[test]
fn every_setting_is_documented_and_nothing_else() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let text = std::fs::read_to_string(path).unwrap();
    for name in TOP.iter().map(|setting| setting.name).chain(policy::KEYS.iter().copied()) {
        assert!(text.contains(&format!("`{name}`")), "{name}");
    }
    let documented: Vec<String> = text
        .lines()
        .skip_while(|line| !line.starts_with("| key of `[limits]`"))
        .take_while(|line| !line.starts_with("## "))
        .filter_map(|line| Some(format!("limits.{}", line.strip_prefix("| `")?.split_once('`')?.0)))
        .collect();
    for (table, settings) in setting::TABLES {
        for (name, _) in *settings {
            let key = name.rsplit('.').next().unwrap();
            let is_there = match *table {
                "limits" => documented.iter().any(|documented| documented == name),
                _ => text.contains(&format!("\n{key} = ")),
            };
            assert!(is_there, "{name}");
        }
    }
    let (_, limits) = setting::TABLES.iter().find(|(table, _)| *table == "limits").unwrap();
    let is_known = |name: &&String| limits.iter().any(|(known, _)| known == *name);
    assert_eq!(documented.iter().filter(is_known).count(), documented.len(), "{documented:?}");
}

#[test]
fn policies_are_of_every_rule_and_of_one() {
    use metadata::Span;
    let file = "\
        [policy]\nfresh-for = '1h'\n\
        [[rule]]\nprefix = 'hub'\nupstream-registry-url = 'docker.io'\n\
        [rule.policy]\nfresh-for = 0\npinned-tags = ['v*']\n\
        fresh-for-tags = [{ tag = 'latest', fresh-for = 'forever' }]\n\
        [[rule]]\nprefix = 'quay'\nupstream-registry-url = 'quay.io'\n";
    let config = read(&[], &[], file).unwrap();
    assert_eq!(config.policy.fresh_for, Some(Span::Millis(3_600_000)));
    let policy = config.rules[0].rule.policy.clone().unwrap();
    assert_eq!(policy.fresh_for, Some(Span::ZERO));
    assert_eq!(policy.pinned_tags, Some(vec!["v*".to_owned()]));
    assert_eq!(policy.fresh_for_tags.unwrap()[0].fresh_for, Span::Forever);
    assert_eq!(config.rules[1].rule.policy, None);
    let strict = read(&[("strict-ecr", "true")], &[], file).unwrap_err();
    assert_eq!(
        strict,
        "strict-ecr and the table [policy] contradict each other: Amazon ECR has no policies of \
         rules, remove one of the two"
    );
}

#[test]
fn a_policy_that_cannot_hold_is_named_with_the_way_out() {
    let rule = "[[rule]]\nprefix = 'hub'\nupstream-registry-url = 'docker.io'\n";
    for (line, told) in [
        ("fresh-for = 'soon'", "fresh-for in cistern.toml: 'soon' must be a time such as 90s"),
        ("freshfor = '1h'", "did you mean fresh-for?"),
        ("pinned-tags = 'v*'", "pinned-tags"),
        ("fresh-for-tags = [{ tag = 'v*' }]", "fresh-for-tags"),
        ("stale-deadline = '5m'", "stale-deadline in cistern.toml: it must be at most 60s"),
        ("denied-tags = ['a b']", "denied-tags in cistern.toml: the pattern 'a b' must be of"),
    ] {
        for table in ["[policy]", "[rule.policy]"] {
            let error = read(&[], &[], &format!("{rule}{table}\n{line}\n")).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
    let error = read(&[], &[], &format!("policy = 'x'\n{rule}")).unwrap_err();
    assert!(error.contains("policy"), "{error}");
}
