//! Documentation that runs.

use crate::workspace::{crates, dir, each_line, none, rust_files, tracked};

/// What a code block says when nobody runs it.
const IGNORE: &str = "ignore";

#[test]
fn the_page_of_every_crate_has_an_example_that_runs() {
    let mut breaches = Vec::new();
    for package in crates() {
        let lib = rust_files(&dir(package).join("src")).find(|file| file.path.ends_with("/src/lib.rs"));
        let Some(lib) = lib else {
            breaches.push(format!("{}: no src/lib.rs", package.manifest_path));
            continue;
        };
        if !has_a_running_example(&lib.text) {
            breaches.push(format!("{}:1: no code block in the crate's docs that is run as it stands", lib.path));
        }
    }
    none(breaches);
}

#[test]
fn no_code_block_in_the_docs_is_ignored() {
    let documents = tracked().iter().filter(|file| file.path.ends_with(".rs") || file.path.ends_with(".md"));
    none(documents.flat_map(|file| each_line(file, ignored_block)).collect());
}

#[test]
fn no_test_is_ignored_without_a_reason() {
    let sources = tracked().iter().filter(|file| file.path.ends_with(".rs"));
    none(sources.flat_map(|file| each_line(file, ignored_test)).collect());
}

/// Whether one of the code blocks in the `//!` lines is compiled and run.
fn has_a_running_example(lib: &str) -> bool {
    let fences = lib.lines().filter_map(|line| info(line.trim_start().strip_prefix("//!")?));
    // Every second fence ends a block.
    fences
        .step_by(2)
        .any(|info| words(info).all(|word| ["", "rust", "should_panic"].contains(&word) || word.starts_with("edition")))
}

fn ignored_block(line: &str) -> Option<&'static str> {
    let text = line.trim_start();
    let text = ["///", "//!"].iter().find_map(|comment| text.strip_prefix(comment)).unwrap_or(text);
    // `ignore-windows` and the like are ignored too, somewhere.
    words(info(text)?).any(|word| word.starts_with(IGNORE)).then_some("a code block that is ignored")
}

/// An attribute at the beginning of a line: what stands behind a quote or a comment ignores nothing.
fn ignored_test(line: &str) -> Option<&'static str> {
    let attributes = line.trim_start();
    let code = attributes.split(['"', '/']).next().filter(|_| attributes.starts_with("#["))?;
    let bare = [format!("#[{IGNORE}]"), format!(", {IGNORE})]"), format!(", {IGNORE},")];
    bare.iter().any(|bare| code.contains(bare)).then_some("a test that is ignored, and nobody says why")
}

/// The info string of a line that opens or closes a code block.
fn info(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("```").map(|info| info.trim_start_matches('`').trim())
}

fn words(info: &str) -> impl Iterator<Item = &str> {
    info.split([',', ' ']).map(str::trim)
}

#[test]
fn only_a_block_that_is_compiled_and_run_is_an_example() {
    let page = |info: &str| format!("//! A crate.\n//!\n//! ```{info}\n//! let x = 1;\n//! ```\n\nmod a;\n");
    for good in ["", "rust", "rust,should_panic", "edition2024"] {
        assert!(has_a_running_example(&page(good)), "{good}");
    }
    for bad in [IGNORE, "no_run", "rust,no_run", "compile_fail", "text", "toml", "rust, ignore"] {
        assert!(!has_a_running_example(&page(bad)), "{bad}");
    }
    assert!(!has_a_running_example("//! A crate.\n\n/// ```\n/// let x = 1;\n/// ```\nfn a() {}\n"));
    assert!(has_a_running_example(&(page("text") + &page(""))));
}

#[test]
fn a_block_that_is_ignored_is_found_in_rust_and_in_markdown() {
    for (before, after) in [("/// ```", ""), ("//! ```rust,", ""), ("    ```", ""), ("```", "-windows"), ("````", "")] {
        let line = format!("{before}{IGNORE}{after}");
        assert!(ignored_block(&line).is_some(), "{line}");
    }
    for line in ["/// ```", "/// ```no_run", "// we ignore it", "let ignore = 1;"] {
        assert_eq!(ignored_block(line), None, "{line}");
    }
}

#[test]
fn a_test_that_is_ignored_without_a_reason_is_found() {
    for (before, after) in [("    #[", "]"), ("#[test] #[", "] fn a() {"), ("#[cfg_attr(windows, ", ")]")] {
        let line = format!("{before}{IGNORE}{after}");
        assert!(ignored_test(&line).is_some(), "{line}");
    }
    for line in ["#[ignore = \"needs nginx\"]", "// no #[", "#[serde(ignore_unknown)]", "#[test]"] {
        assert_eq!(ignored_test(line), None, "{line}");
    }
}
