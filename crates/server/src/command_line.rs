//! The command line: `cistern serve`, `cistern env`, the commands for people, completions. A wrong
//! word is one line that names the way out.

use std::ffi::OsString;

use clap::{
    Arg, ArgAction, ArgMatches, Command,
    error::{ContextKind, ContextValue, ErrorKind},
};

use clap_complete::Shell;

use crate::config::{Given, Kind, Layer, Origin, TOP};

/// What was asked for.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Serve the registry.
    Serve(Layer),
    /// Print what a shell needs to talk to it.
    Env(Layer),
    /// Ask the API of a registry for something.
    Task(Box<cli::Task>),
    /// Print this text, and be done.
    Text(String),
}

/// Why the words make no command.
#[derive(Debug, thiserror::Error)]
#[error("{message}: {way_out}")]
pub(crate) struct UsageError {
    message: String,
    way_out: String,
}

/// The settings that matter to `cistern env`.
const ENV_SETTINGS: [&str; 6] =
    ["data-dir", "listen", "public-url", "config", "account-id", "region"];

const EVERYWHERE: &str = "Every flag has a variable CISTERN_<FLAG> and a key of the same name in \
cistern.toml.\nA flag wins over a variable, a variable over the file, the file over the default.";

const SERVE_AFTER: &str = "Limits and time-outs are keys of [limits] in cistern.toml.\n\
CISTERN_ROOT_ACCESS_KEY_ID and CISTERN_ROOT_SECRET_ACCESS_KEY replace the generated credentials,\n\
CISTERN_KEYRING the generated keyring; CISTERN_LOG filters the log (debug, registry=trace).";

fn command() -> Command {
    let serve = Command::new("serve")
        .about("Serve the registry")
        .args(TOP.iter().map(|setting| flag(setting.name)))
        .after_help(format!("{EVERYWHERE}\n\n{SERVE_AFTER}"));
    let env = Command::new("env")
        .about("Print the shell exports that point AWS clients here: eval \"$(cistern env)\"")
        .args(ENV_SETTINGS.map(flag))
        .after_help(EVERYWHERE);
    let cistern = Command::new("cistern")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands([serve, env]);
    cli::Task::add_to(cistern)
        .subcommand(completions())
        .about("A self-hosted container registry around pull through cache rules")
}

fn completions() -> Command {
    let shell = Arg::new("shell").required(true).value_name("SHELL").help("Which shell");
    Command::new("completions")
        .about("Print the completions of a shell: source <(cistern completions bash)")
        .arg(shell.value_parser(clap::value_parser!(Shell)))
}

/// The script that completes commands in a shell.
fn completion_script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "cistern", &mut script);
    String::from_utf8(script).expect("made of names and help, which are texts")
}

fn flag(name: &'static str) -> Arg {
    let setting = TOP.iter().find(|setting| setting.name == name).expect("every flag is a setting");
    let arg = Arg::new(name).long(name).help(setting.help);
    match setting.kind {
        Kind::Text => arg.value_name(setting.value),
        Kind::List => arg.value_name(setting.value).action(ArgAction::Append),
        // `--anonymous-pull=false` takes back what a variable or the file says.
        Kind::Switch => arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("BOOL")
            .hide_possible_values(true),
    }
}

/// Reads the words of a command line, the program's name first.
pub(crate) fn read(words: impl IntoIterator<Item = OsString>) -> Result<Asked, UsageError> {
    let words: Vec<OsString> = words.into_iter().collect();
    match command().try_get_matches_from(&words).and_then(|matches| asked(&matches)) {
        Ok(asked) => Ok(asked),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Ok(Asked::Text(error.render().to_string()))
            }
            _ => Err(usage_error(&error, &path(&words))),
        },
    }
}

fn asked(matches: &ArgMatches) -> Result<Asked, clap::Error> {
    if let Some(task) = cli::Task::read(matches)? {
        return Ok(Asked::Task(Box::new(task)));
    }
    Ok(match matches.subcommand() {
        Some(("env", matches)) => Asked::Env(layer(matches)),
        Some(("completions", matches)) => {
            let shell = matches.get_one::<Shell>("shell").expect("it is required");
            Asked::Text(completion_script(*shell))
        }
        Some((_, matches)) => Asked::Serve(layer(matches)),
        None => unreachable!("a subcommand is required"),
    })
}

/// The words that name the command, as far as there is one: `cistern rule add`.
fn path(words: &[OsString]) -> Vec<String> {
    let mut found = vec!["cistern".to_owned()];
    let mut command = command();
    for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
        let Some(next) = command.find_subcommand(word) else { continue };
        found.push(next.get_name().to_owned());
        command = next.clone();
    }
    found
}

/// Puts the flags together that say which data directory is meant.
pub(crate) fn local_layer(flags: &cli::LocalFlags) -> Layer {
    let mut layer = Layer::new();
    for (name, text) in [("data-dir", &flags.data_dir), ("config", &flags.config)] {
        if let Some(text) = text.clone() {
            layer.insert(name, vec![Given { text, origin: Origin::Flag(name) }]);
        }
    }
    layer
}

fn layer(matches: &ArgMatches) -> Layer {
    let mut layer = Layer::new();
    for setting in TOP {
        let Ok(Some(texts)) = matches.try_get_many::<String>(setting.name) else { continue };
        let origin = Origin::Flag(setting.name);
        let given = texts.map(|text| Given { text: text.clone(), origin: origin.clone() });
        layer.insert(setting.name, given.collect());
    }
    layer
}

/// Says in one line what clap says in several. `path` is the command as far as it was named.
fn usage_error(error: &clap::Error, path: &[String]) -> UsageError {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let path = path.join(" ");
        let way_out = match path.as_str() {
            "cistern" => "try `cistern serve`, or `cistern --help`".to_owned(),
            _ => format!("`{path} --help` lists them"),
        };
        return UsageError { message: "a command is missing".to_owned(), way_out };
    }
    // Flags without a command are those of the one that has most.
    let command = if path.len() > 1 { path.join(" ") } else { "cistern serve".to_owned() };
    let suggestion =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
            .into_iter()
            // The most alike comes last.
            .find_map(|kind| texts(error, kind)?.pop());
    let way_out = match suggestion {
        Some(meant) => format!("did you mean {meant}? (`{command} --help` lists every flag)"),
        None => format!("`{command} --help` lists every flag, `cistern --help` every command"),
    };
    UsageError { message: message(error), way_out }
}

/// What is wrong, in clap's first line, with the names that it puts in the next ones.
fn message(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let first = rendered.lines().next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or(first).trim_end_matches(':');
    let named = match error.kind() {
        ErrorKind::MissingRequiredArgument => texts(error, ContextKind::InvalidArg),
        ErrorKind::InvalidValue => texts(error, ContextKind::ValidValue)
            .map(|valid| vec![format!("expected {}", valid.join(", "))]),
        _ => None,
    };
    match named {
        Some(named) => format!("{message}: {}", named.join(" ")),
        None => message.to_owned(),
    }
}

/// What clap knows beside its sentence.
fn texts(error: &clap::Error, kind: ContextKind) -> Option<Vec<String>> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(vec![text.clone()]),
        ContextValue::Strings(texts) => Some(texts.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_words(words: &[&str]) -> Result<Asked, UsageError> {
        read(std::iter::once("cistern").chain(words.iter().copied()).map(OsString::from))
    }

    #[test]
    fn the_command_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn help_is_about_what_was_asked_for() {
        for (words, about) in [
            (&["--help"][..], "A self-hosted container registry"),
            (&["rule", "--help"], "Pull through cache rules: which"),
            (&["rule", "add", "--help"], "Add a rule, and try it"),
            (&["completions", "--help"], "Print the completions"),
        ] {
            let Ok(Asked::Text(help)) = read_words(words) else { panic!("{words:?}") };
            assert!(help.starts_with(about), "{help}");
        }
    }

    #[test]
    fn flags_become_texts() {
        let words = ["serve", "--listen", "127.0.0.1:0", "--rule", "a=b", "--rule", "c=d"];
        let Ok(Asked::Serve(layer)) = read_words(&words) else { panic!("{words:?}") };
        let texts = |name| layer[name].iter().map(|given| given.text.as_str()).collect::<Vec<_>>();
        assert_eq!(texts("listen"), ["127.0.0.1:0"]);
        assert_eq!(texts("rule"), ["a=b", "c=d"]);
        assert!(!layer.contains_key("anonymous-pull"));
        for (word, text) in [("--anonymous-pull", "true"), ("--anonymous-pull=false", "false")] {
            let Ok(Asked::Serve(layer)) = read_words(&["serve", word]) else { panic!("{word}") };
            assert_eq!(layer["anonymous-pull"][0].text, text);
        }
    }

    #[test]
    fn a_wrong_word_is_one_line() {
        for (words, expected) in [
            (
                &["serve", "--listne", "x"][..],
                "unexpected argument '--listne' found: did you mean --listen? \
                 (`cistern serve --help` lists every flag)",
            ),
            (
                &["sevre"],
                "unrecognized subcommand 'sevre': did you mean serve? \
                 (`cistern serve --help` lists every flag)",
            ),
            (
                &["serve", "x"],
                "unexpected argument 'x' found: \
                 `cistern serve --help` lists every flag, `cistern --help` every command",
            ),
            (&[], "a command is missing: try `cistern serve`, or `cistern --help`"),
        ] {
            assert_eq!(read_words(words).unwrap_err().to_string(), expected);
        }
    }
}
