//! Lists that are longer than a page, and completions.

use std::process::Command;

use super::{World, succeeded};
use crate::process::{Home, finish};

#[test]
fn a_list_is_followed_to_its_end() {
    let rules: Vec<String> =
        (0..230).map(|number| format!("p{number:03}=registry.k8s.io")).collect();
    let flags: Vec<&str> = rules.iter().flat_map(|rule| ["--rule", rule.as_str()]).collect();
    let world = World::with(&flags);
    let listed = world.prints(&["rule", "list"]);
    assert_eq!(listed.lines().count(), 231, "more than two pages of 100, and the header");
    let listed = world.json(&["rule", "list"]);
    let rules = listed["pullThroughCacheRules"].as_array().expect("a list");
    assert_eq!((rules.len(), listed.get("nextToken")), (230, None));
}

#[test]
fn shells_complete_commands() {
    let home = Home::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = succeeded(&home.run(&["completions", shell]));
        assert!(script.contains("validate") && script.contains("endpoint-url"), "{shell}");
    }
    let script = succeeded(&home.run(&["completions", "bash"]));
    home.write("completions", &script);
    let asked = "source ./completions; COMP_WORDS=(cistern rule va); COMP_CWORD=2; \
                 _cistern cistern va rule; printf '%s\\n' \"${COMPREPLY[@]}\"";
    let completed = finish(Command::new("bash").current_dir(home.path()).args(["-c", asked]));
    assert_eq!(succeeded(&completed), "validate\n");
    let refused = home.refused(&["completions", "tcsh"], 2);
    assert!(refused.contains("expected bash, elvish, fish, powershell, zsh"), "{refused}");
}
