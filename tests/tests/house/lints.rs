//! Every member is under the lints of the workspace.

use crate::workspace::{TextFile, dir, metadata, none, read, root};

#[test]
fn every_crate_inherits_the_lints_and_tests_and_examples_forbid_unsafe_code() {
    let breaches = metadata().workspace_packages().into_iter().filter_map(|package| {
        let path = package.manifest_path.strip_prefix(root()).expect("below the root");
        let wanted = if dir(package).parent() == Some(&root().join("crates")) {
            ("[lints]", "workspace = true")
        } else {
            ("[lints.rust]", r#"unsafe_code = "forbid""#)
        };
        breach(&read(path.as_str()), wanted)
    });
    none(breaches.collect());
}

/// What is wrong if the lints of a manifest are not one table with one line, and these.
fn breach(manifest: &TextFile, (table, line): (&str, &str)) -> Option<String> {
    let lines = lint_lines(&manifest.text);
    (lines != [table, line]).then(|| format!("{}: its lints should be {table} {line}, not {lines:?}", manifest.path))
}

/// The lines of all tables that are about lints, without comments.
fn lint_lines(manifest: &str) -> Vec<&str> {
    let mut inside = false;
    let code = manifest.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    code.filter(|line| {
        if line.starts_with('[') {
            inside = line.starts_with("[lints");
        }
        !line.is_empty() && (inside || line.starts_with("lints."))
    })
    .collect()
}

#[cfg(test)]
fn lints_are(manifest: &str, wanted: (&str, &str)) -> bool {
    breach(&TextFile { path: String::new(), text: manifest.to_owned() }, wanted).is_none()
}

#[test]
fn lints_that_are_not_inherited_or_loosened_are_a_breach() {
    let wanted = ("[lints]", "workspace = true");
    assert!(lints_are("[package]\nname = \"a\"\n\n[lints]\n# why\nworkspace = true\n\n[features]\n", wanted));
    for bad in [
        "[package]\nname = \"a\"\n",
        "[package]\nworkspace = true\n",
        "[lints]\n# workspace = true\n",
        "[lints]\nworkspace = false\n",
        "[lints]\nworkspace = true\n[lints.rust]\nmissing_docs = \"allow\"\n",
        "[lints.rust]\nunsafe_code = \"forbid\"\n",
    ] {
        assert!(!lints_are(bad, wanted), "{bad}");
    }
    let wanted = ("[lints.rust]", "unsafe_code = \"forbid\"");
    assert!(lints_are("[lints.rust]\nunsafe_code = \"forbid\"\n", wanted));
    assert!(!lints_are("[lints.rust]\nunsafe_code = \"deny\"\n", wanted));
}
