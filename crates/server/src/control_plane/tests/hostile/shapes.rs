//! The members of the request shapes, read from the source of `aws`: serde derives their readers from
//! the same lines.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;

use super::{anything, text};

/// The structures of `aws`, by module and name: services use the same names.
#[derive(Debug)]
pub(super) struct Shapes(BTreeMap<(String, String), Vec<Member>>);

#[derive(Clone, Debug)]
struct Member {
    name: String,
    of: String,
}

impl Shapes {
    /// Reads the shapes.
    pub(super) fn read() -> Self {
        let mut shapes = BTreeMap::new();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../aws/src");
        let mut directories = vec![source.clone()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path: PathBuf = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let below = path.strip_prefix(&source).unwrap().components().next().unwrap();
                    let module = Path::new(&below).file_stem().unwrap().to_str().unwrap();
                    structures(module, &std::fs::read_to_string(&path).unwrap(), &mut shapes);
                }
            }
        }
        Self(shapes)
    }

    /// Whether there is a structure of that name.
    pub(super) fn has(&self, module: &str, name: &str) -> bool {
        self.0.contains_key(&(module.to_owned(), name.to_owned()))
    }

    /// Values near to a type: most members there, most of them right.
    pub(super) fn value(&self, module: &str, of: &str, depth: usize) -> BoxedStrategy<Value> {
        let inner =
            |wrapper: &str| of.strip_prefix(wrapper).and_then(|rest| rest.strip_suffix('>'));
        let near = if depth == 0 {
            anything()
        } else if let Some(inner) = inner("Option<") {
            self.value(module, inner, depth)
        } else if let Some(inner) = inner("Vec<") {
            prop::collection::vec(self.value(module, inner, depth - 1), 0..4)
                .prop_map(Value::from)
                .boxed()
        } else if let Some(members) = self.0.get(&(module.to_owned(), of.to_owned())) {
            self.structure(module, members, depth)
        } else {
            match of {
                "bool" => any::<bool>().prop_map(Value::from).boxed(),
                "i32" | "i64" | "u32" | "u64" => {
                    prop_oneof![-2..40_i64, any::<i64>()].prop_map(Value::from).boxed()
                }
                _ => text(),
            }
        };
        prop_oneof![15 => near, 1 => anything()].boxed()
    }

    fn structure(&self, module: &str, members: &[Member], depth: usize) -> BoxedStrategy<Value> {
        let members: Vec<_> = members
            .iter()
            .map(|member| {
                let name = member.name.clone();
                let value = self.value(module, &member.of, depth - 1);
                prop::option::weighted(0.7, value)
                    .prop_map(move |value| value.map(|value| (name.clone(), value)))
            })
            .collect();
        members.prop_map(|members| members.into_iter().flatten().collect::<Value>()).boxed()
    }
}

/// Finds `pub struct Name { pub member: Type, … }` and how serde names the members.
fn structures(module: &str, source: &str, shapes: &mut BTreeMap<(String, String), Vec<Member>>) {
    let mut open: Option<(String, Vec<Member>)> = None;
    let (mut pascal, mut renamed) = (false, None);
    for line in source.lines() {
        let trimmed = line.trim();
        if let Some(name) = trimmed.strip_prefix("#[serde(rename_all = \"") {
            pascal = name.starts_with("PascalCase");
        } else if let Some(rest) = trimmed.strip_prefix("#[serde(rename = \"") {
            renamed = rest.split('"').next().map(str::to_owned);
        } else if let Some(rest) = line.strip_prefix("pub struct ") {
            let name = rest.split(|letter: char| !letter.is_alphanumeric()).next().unwrap();
            open = rest.ends_with('{').then(|| (name.to_owned(), Vec::new()));
        } else if line == "}" {
            let named = open.take().map(|(name, members)| ((module.to_owned(), name), members));
            shapes.extend(named);
        } else if let (Some((_, members)), Some(field)) =
            (&mut open, trimmed.strip_prefix("pub ").and_then(|field| field.strip_suffix(',')))
            && let Some((field, of)) = field.split_once(": ")
        {
            let name = renamed.take().unwrap_or_else(|| wire_name(field, pascal));
            members.push(Member { name, of: of.to_owned() });
        }
    }
}

/// `image_ids` as serde writes it: `imageIds` or `ImageIds`.
fn wire_name(field: &str, pascal: bool) -> String {
    let mut upper = pascal;
    let mut name = String::new();
    for letter in field.chars() {
        if letter == '_' {
            upper = true;
        } else if std::mem::take(&mut upper) {
            name.extend(letter.to_uppercase());
        } else {
            name.push(letter);
        }
    }
    name
}

#[test]
fn members_are_read_as_serde_names_them() {
    let mut shapes = BTreeMap::new();
    structures(
        "ecr",
        "#[serde(rename_all = \"PascalCase\")]\npub struct A {\n    /// x\n    #[serde(rename = \
         \"ARN\")]\n    pub arn: Option<String>,\n    pub secret_id: String,\n}\n",
        &mut shapes,
    );
    let members = &shapes[&("ecr".to_owned(), "A".to_owned())];
    let told: Vec<_> =
        members.iter().map(|member| (member.name.as_str(), member.of.as_str())).collect();
    assert_eq!(told, [("ARN", "Option<String>"), ("SecretId", "String")]);
}
