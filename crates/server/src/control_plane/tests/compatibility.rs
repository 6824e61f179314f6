//! The page on compatibility names the operations that are offered: it cannot go stale.

use std::collections::{BTreeMap, BTreeSet};

use super::operations::operations;
use crate::doors::tests::World;

/// What a client is told where an operation is not offered: in JSON, and in the query protocol.
const NOT_OFFERED: [&str; 2] = ["UnknownOperationException", "InvalidAction"];

/// The operations that the page says are offered, by service.
fn on_the_page() -> BTreeMap<String, BTreeSet<String>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/compatibility.md");
    let page = std::fs::read_to_string(path).unwrap();
    let mut services = BTreeMap::new();
    for section in page.split("\n## ").skip(1) {
        let (heading, table) = section.split_once('\n').unwrap();
        let service = heading.split('`').nth(1).unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        services.insert(service.to_owned(), rows.map(str::to_owned).collect());
    }
    services
}

#[tokio::test]
async fn the_page_names_what_is_offered() {
    let page = on_the_page();
    let mut offered: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
    for operation in operations() {
        let world = World::start().await;
        let answer = world.send(operation.request(b"").request()).await;
        let refused = answer.status != 200
            && NOT_OFFERED
                .iter()
                .any(|name| operation.exception(&answer).rsplit('#').next() == Some(name));
        let of_service = offered.entry(operation.signing_name()).or_default();
        if !refused {
            of_service.insert(operation.name.to_owned());
        }
    }
    for (service, operations) in offered {
        let listed = page.get(service).cloned().unwrap_or_default();
        assert_eq!(
            listed, operations,
            "docs/compatibility.md, {service}: `tests/run --write-compatibility` writes it anew"
        );
    }
}
