//! What the documents say, held against the code.

use std::collections::BTreeSet;

/// The schemes in the first column of the tables of a document.
fn schemes(document: &str) -> BTreeSet<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(document);
    let text = std::fs::read_to_string(path).unwrap();
    let first_cells = text.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
    let spellings = first_cells.flat_map(|cell| cell.split('`')).filter_map(|code| code.split_once("://"));
    spellings.map(|(scheme, _)| scheme.to_owned()).collect()
}

#[test]
fn the_tables_of_backends_are_the_registry() {
    let registry = nephoscope_drivers::registry();
    let registered: BTreeSet<String> = registry.schemes().map(|(scheme, _)| scheme.to_owned()).collect();
    for document in ["README.md", "docs/backends.md"] {
        assert_eq!(schemes(document), registered, "{document}");
    }
}

#[test]
fn the_table_of_dispatchers_is_what_there_is() {
    let documented = schemes("docs/samples.md");
    let of_sources = ["rabbit", "tcp", "udp"].map(str::to_owned);
    let dispatchers = nephoscope_dispatchers::schemes().map(str::to_owned);
    assert_eq!(documented, dispatchers.chain(of_sources).collect());
}
