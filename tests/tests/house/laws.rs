//! Every layer is held to the laws of services and of bodies.

use crate::{
    arrows::{LAYERS, floor},
    workspace::{TextFile, crates, dir, none, root, rust_files},
};

const LAWS: [&str; 2] = ["service_laws", "body_laws"];

#[test]
fn the_tests_of_every_layer_run_both_laws() {
    let mut breaches = Vec::new();
    for package in crates().into_iter().filter(|package| floor(&package.name) == Some(LAYERS)) {
        let Some(layer) = rust_files(&dir(package).join("src")).find_map(layer) else { continue };
        let tests: Vec<_> = rust_files(&dir(package).join("tests")).collect();
        for law in LAWS.iter().filter(|law| !tests.iter().any(|file| calls(&file.text, law))) {
            let tests = dir(package).strip_prefix(root()).expect("below the root").join("tests");
            breaches.push(format!("{layer}: no test in {} calls {law}", tests.display()));
        }
    }
    none(breaches);
}

/// Where a file makes a layer, if it does: it is `layer.rs`, or it says `impl … Layer<…> for`.
fn layer(file: &TextFile) -> Option<String> {
    let says = |line: &str| {
        let words = line.trim_start();
        words.starts_with("impl") && words.split(" for ").next().is_some_and(|left| left.contains(" Layer<"))
    };
    let line = file.text.lines().position(says);
    (line.is_some() || file.path.ends_with("/src/layer.rs"))
        .then(|| format!("{}:{}", file.path, line.unwrap_or_default() + 1))
}

/// Whether a test calls a law. To import it is not to call it, and a comment runs nothing.
fn calls(text: &str, law: &str) -> bool {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    code.filter(|line| !line.trim_start().starts_with("use ")).any(|line| {
        line.match_indices(law).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = &line[at + law.len()..];
            !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
                && ["(", "::", "!"].iter().any(|next| after.starts_with(next))
        })
    })
}

#[test]
fn a_law_is_run_where_it_is_called_and_nowhere_else() {
    for good in ["    service_laws(layer).await;", "kit::service_laws::<Layer>(x)", "service_laws!(layer);"] {
        assert!(calls(good, "service_laws"), "{good}");
    }
    for bad in [
        "use httplib2_testing::service_laws;",
        "    // service_laws(layer).await;",
        "async fn keeps_all_service_laws() {",
        "my_service_laws(layer)",
        "body_laws(layer)",
        "",
    ] {
        assert!(!calls(bad, "service_laws"), "{bad}");
    }
}

#[test]
fn a_layer_is_known_by_its_file_or_by_its_impl() {
    let at = |path: &str, text: &str| layer(&TextFile { path: path.into(), text: text.into() });
    assert_eq!(at("x/src/layer.rs", "//! Docs.\n").unwrap(), "x/src/layer.rs:1");
    assert_eq!(at("x/src/lib.rs", "\nimpl<S> Layer<S> for XLayer {\n").unwrap(), "x/src/lib.rs:2");
    assert_eq!(at("x/src/lib.rs", "impl<S> Service<S> for Layer<S> {\n// Layer<S> for\n"), None);
}
