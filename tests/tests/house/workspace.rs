//! The workspace as cargo and git see it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use cargo_metadata::{CargoOpt, Metadata, MetadataCommand, Package};

/// A tracked text file, its path relative to the root.
#[derive(Debug)]
pub struct TextFile {
    pub path: String,
    pub text: String,
}

/// What cargo says of the workspace with all features.
pub fn metadata() -> &'static Metadata {
    static METADATA: OnceLock<Metadata> = OnceLock::new();
    METADATA.get_or_init(|| {
        MetadataCommand::new()
            .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
            .features(CargoOpt::AllFeatures)
            .exec()
            .expect("cargo metadata")
    })
}

/// The directory of the workspace.
pub fn root() -> &'static Path {
    metadata().workspace_root.as_std_path()
}

/// The members below `crates/`, sorted by name.
pub fn crates() -> Vec<&'static Package> {
    let below = root().join("crates");
    let mut crates = metadata().workspace_packages();
    crates.retain(|package| dir(package).starts_with(&below));
    crates.sort_by(|a, b| a.name.cmp(&b.name));
    crates
}

/// The directory of a member.
pub fn dir(package: &Package) -> &Path {
    package.manifest_path.parent().expect("a manifest is in a directory").as_std_path()
}

/// The text of a file below the root.
///
/// # Panics
///
/// When there is none.
pub fn read(path: &str) -> TextFile {
    let text = fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    TextFile { path: path.to_owned(), text }
}

/// All tracked text files, and those that are not ignored and may be tracked tomorrow.
pub fn tracked() -> &'static [TextFile] {
    static TRACKED: OnceLock<Vec<TextFile>> = OnceLock::new();
    TRACKED.get_or_init(|| {
        // In a container the owner of the tree is often somebody else.
        let listed = Command::new("git")
            .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root())
            .output()
            .expect("git");
        assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
        let names = String::from_utf8(listed.stdout).expect("names are UTF-8");
        names
            .split_terminator('\0')
            // A file that is listed and gone is being deleted; one that is not UTF-8 is no text.
            .filter_map(|name| {
                Some(TextFile { path: name.to_owned(), text: fs::read_to_string(root().join(name)).ok()? })
            })
            .collect()
    })
}

/// The tracked files below a directory whose names end in `.rs`.
pub fn rust_files(below: &Path) -> impl Iterator<Item = &'static TextFile> {
    let below: PathBuf = below.strip_prefix(root()).expect("below the root").to_owned();
    tracked().iter().filter(move |file| file.path.ends_with(".rs") && Path::new(&file.path).starts_with(&below))
}

/// Finds breaches line by line: `found` says what is wrong with a line, if anything is.
pub fn each_line<M: Into<String>>(file: &TextFile, found: impl Fn(&str) -> Option<M>) -> Vec<String> {
    (1..)
        .zip(file.text.lines())
        .filter_map(|(number, line)| Some(format!("{}:{number}: {}", file.path, found(line)?.into())))
        .collect()
}

/// Fails with all breaches of a rule, if there are any.
#[track_caller]
pub fn none(breaches: Vec<String>) {
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn a_breach_is_told_with_file_and_line() {
    let file = TextFile { path: "a/b.rs".into(), text: "good\nbad\n".into() };
    assert_eq!(each_line(&file, |line| (line == "bad").then_some("this is bad")), ["a/b.rs:2: this is bad"]);
}

#[test]
#[should_panic(expected = "a/b.rs:2")]
fn a_breach_fails_the_test() {
    none(vec!["a/b.rs:2: this is bad".into()]);
}
