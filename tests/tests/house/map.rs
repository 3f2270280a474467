//! The map in `crates/README.md` shows what is there.

use crate::workspace::{crates, none, read};

const MAP: &str = "crates/README.md";

#[test]
fn the_map_has_a_row_for_every_crate_and_every_row_has_a_crate() {
    let crates: Vec<_> = crates().into_iter().map(|package| package.name.as_str()).collect();
    none(differences(&read(MAP).text, &crates));
}

/// Where the rows `| [name](directory) | … |` and the crates differ. A crate's directory has its name.
fn differences(map: &str, crates: &[&str]) -> Vec<String> {
    let mut rows = Vec::new();
    let mut differences = Vec::new();
    for (number, line) in (1..).zip(map.lines()) {
        let Some((name, directory)) = row(line) else { continue };
        if !crates.contains(&name) {
            differences.push(format!("{MAP}:{number}: there is no crate {name}"));
        }
        if directory.trim_end_matches('/') != name {
            differences.push(format!("{MAP}:{number}: {name} is not in {directory}"));
        }
        if rows.contains(&name) {
            differences.push(format!("{MAP}:{number}: {name} has a row already"));
        }
        rows.push(name);
    }
    let missing = crates.iter().filter(|name| !rows.contains(name));
    differences.extend(missing.map(|name| format!("{MAP}: there is no row for {name}")));
    differences
}

fn row(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line.trim_start().strip_prefix("| [")?.split_once("](")?;
    let (directory, rest) = rest.split_once(')')?;
    (name.starts_with("httplib2") && rest.trim_start().starts_with('|')).then_some((name, directory))
}

#[test]
fn a_map_that_shows_what_is_there_has_no_differences() {
    let map = "# Map\n\n| crate | what |\n|---|---|\n| [httplib2](httplib2) | all |\n| [httplib2-core](httplib2-core/) | some |\n";
    assert!(differences(map, &["httplib2", "httplib2-core"]).is_empty());
}

#[test]
fn a_row_without_a_crate_and_a_crate_without_a_row_are_differences() {
    let map = "| [httplib2](httplib2) | all |\n| [httplib2-gone](httplib2-gone) | |\n| [httplib2](elsewhere) | |\n";
    assert_eq!(
        differences(map, &["httplib2", "httplib2-new"]),
        [
            "crates/README.md:2: there is no crate httplib2-gone",
            "crates/README.md:3: httplib2 is not in elsewhere",
            "crates/README.md:3: httplib2 has a row already",
            "crates/README.md: there is no row for httplib2-new",
        ]
    );
}
