//! What has no business in a repository that others clone.

use std::{env, path::Path};

use crate::workspace::{TextFile, each_line, none, root, tracked};

/// Hosts of registries: who clones this has mirrors, or none of them. Written in two halves, so that this file keeps
/// its own rule.
const REGISTRIES: [&str; 6] = [
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("python", "hosted.org"),
    concat!("npmjs", ".org"),
    concat!("deb.debian", ".org"),
    concat!("proxy.golang", ".org"),
];

#[test]
fn no_tracked_file_names_a_path_of_this_machine() {
    let paths = paths_of_this_machine();
    none(tracked().iter().flat_map(|file| each_line(file, |line| named_path(line, &paths))).collect());
}

#[test]
fn no_tracked_file_names_the_host_of_a_registry() {
    // cargo itself writes where a package comes from into lock files.
    let written = tracked().iter().filter(|file| !file.path.ends_with("Cargo.lock"));
    none(written.flat_map(|file| each_line(file, named_registry)).collect());
}

/// Where this tree, what lies beside it, and the user's files are.
fn paths_of_this_machine() -> Vec<String> {
    let beside = root().parent().map(|parent| parent.join("shared"));
    let homes = ["HOME", "CARGO_HOME", "RUSTUP_HOME"].into_iter().filter_map(|home| env::var(home).ok());
    let homes = homes.filter(|home| Path::new(home).components().count() > 1).map(|home| format!("{home}/"));
    let trees = [Some(root().to_owned()), beside].into_iter().flatten();
    let trees = trees.filter(|tree| tree.components().count() > 2).map(|tree| tree.display().to_string());
    trees.chain(homes).collect()
}

/// A path is named where it stands alone: in `http://a/home/b` and `{dir}/home/b` it is part of something else.
fn named_path(line: &str, paths: &[String]) -> Option<String> {
    let part_of_more = |c: char| c.is_alphanumeric() || "._-/})$~".contains(c);
    let named = |path: &str| line.match_indices(path).any(|(at, _)| !line[..at].ends_with(part_of_more));
    paths.iter().find(|path| named(path)).map(|path| format!("the path {path} is of this machine"))
}

fn named_registry(line: &str) -> Option<String> {
    REGISTRIES.iter().find(|host| line.contains(*host)).map(|host| format!("{host} is the host of a registry"))
}

#[test]
fn a_path_of_this_machine_is_found() {
    let paths = [String::from("/home/me/"), String::from("/src/tree")];
    for line in ["see /home/me/notes.txt", "\"/src/tree/Cargo.toml\"", "cd /src/tree"] {
        assert!(named_path(line, &paths).is_some(), "{line}");
    }
    for line in ["http://example.org/home/me/x", "{dir}/home/me/x", "../home/me/x", ""] {
        assert_eq!(named_path(line, &paths), None, "{line}");
    }
}

#[test]
fn the_host_of_a_registry_is_found() {
    for host in REGISTRIES {
        let file = TextFile { path: "a.toml".into(), text: format!("x = 1\nurl = \"sparse+https://index.{host}/\"\n") };
        assert_eq!(each_line(&file, named_registry), [format!("a.toml:2: {host} is the host of a registry")]);
    }
    assert_eq!(named_registry("https://docs.rs/httplib2"), None);
}
