//! Arrows point down: who may use whom.

use cargo_metadata::DependencyKind;

use crate::workspace::{crates, each_line, metadata, none, root, tracked};

/// The crates of each floor, from the ground up.
const FLOORS: [&[&str]; 4] = [
    &["httplib2-core", "httplib2-syntax"],
    &["httplib2-store", "httplib2-auth"],
    &[
        "httplib2-cache",
        "httplib2-lost-update",
        "httplib2-redirect",
        "httplib2-decompression",
        "httplib2-retry",
        "httplib2-auth-digest",
        "httplib2-auth-wsse",
        "httplib2-connect",
        "httplib2-connection",
        "httplib2-store-disk",
        "httplib2-store-object",
    ],
    &["httplib2"],
];

/// Stands beside the floors.
const TESTING: &str = "httplib2-testing";

/// May use everything and are used by nobody.
const ROOF: [&str; 2] = ["httplib2-examples", "httplib2-tests"];

/// The floor that a layer of the stack is on.
pub const LAYERS: usize = 2;

/// The floor of a crate.
pub fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|crates| crates.contains(&name))
}

#[test]
fn arrows_point_down() {
    let packages = metadata().workspace_packages();
    let ours = |name: &str| packages.iter().any(|package| *package.name == name);
    let manifest = |name: &str| {
        let package = packages.iter().find(|package| *package.name == name).expect("a member");
        package.manifest_path.strip_prefix(root()).expect("below the root").to_string()
    };
    let mut breaches = Vec::new();
    for package in &packages {
        for used in package.dependencies.iter().filter(|used| ours(&used.name)) {
            let Some(breach) = breach_of(&package.name, &used.name, used.kind) else { continue };
            let path = manifest(&package.name);
            let file = tracked().iter().find(|file| file.path == path).expect("a manifest is tracked");
            let at = each_line(file, |line| {
                let key = line.split(['.', '=', ' ']).next();
                (key == Some(used.name.as_str())).then(|| breach.clone())
            });
            breaches.extend(if at.is_empty() { vec![format!("{path}: {breach}")] } else { at });
        }
    }
    none(breaches);
}

#[test]
fn every_crate_has_a_floor() {
    let homeless = crates().into_iter().filter(|package| floor(&package.name).is_none() && *package.name != TESTING);
    none(homeless.map(|package| format!("{}: give it a floor in FLOORS", package.manifest_path)).collect());
}

/// What is wrong with `user` using `used`, if anything is.
fn breach_of(user: &str, used: &str, kind: DependencyKind) -> Option<String> {
    if used == TESTING {
        return (kind != DependencyKind::Development).then(|| format!("{TESTING} is only ever a dev-dependency"));
    }
    if ROOF.contains(&used) {
        return Some(format!("nobody uses {used}"));
    }
    if ROOF.contains(&user) {
        return None;
    }
    if user == TESTING {
        return (used != "httplib2-core").then(|| format!("{TESTING} uses only httplib2-core, not {used}"));
    }
    match (floor(user), floor(used)) {
        (Some(above), Some(below)) if below < above => None,
        (Some(above), Some(below)) => {
            Some(format!("{user} is on floor {above} and may not use {used} on floor {below}"))
        }
        _ => Some(format!("{user} uses {used}, and one of them has no floor in FLOORS")),
    }
}

#[test]
fn a_crate_may_use_what_is_below_it_and_the_test_kit_in_its_tests() {
    for (user, used, kind) in [
        ("httplib2", "httplib2-redirect", DependencyKind::Normal),
        ("httplib2", "httplib2-core", DependencyKind::Normal),
        ("httplib2-redirect", "httplib2-syntax", DependencyKind::Normal),
        ("httplib2-auth", "httplib2-core", DependencyKind::Normal),
        ("httplib2-core", TESTING, DependencyKind::Development),
        (TESTING, "httplib2-core", DependencyKind::Normal),
        ("httplib2-examples", "httplib2", DependencyKind::Normal),
        ("httplib2-tests", "httplib2-connect", DependencyKind::Development),
    ] {
        assert_eq!(breach_of(user, used, kind), None, "{user} -> {used}");
    }
}

#[test]
fn an_arrow_up_or_sideways_is_a_breach() {
    for (user, used, kind) in [
        ("httplib2-redirect", "httplib2-connect", DependencyKind::Normal),
        ("httplib2-redirect", "httplib2-connect", DependencyKind::Development),
        ("httplib2-core", "httplib2-syntax", DependencyKind::Normal),
        ("httplib2-core", "httplib2-redirect", DependencyKind::Normal),
        ("httplib2-auth", "httplib2-store", DependencyKind::Normal),
        ("httplib2-redirect", "httplib2", DependencyKind::Build),
        ("httplib2-redirect", TESTING, DependencyKind::Normal),
        ("httplib2-tests", TESTING, DependencyKind::Normal),
        (TESTING, "httplib2-syntax", DependencyKind::Normal),
        ("httplib2", "httplib2-tests", DependencyKind::Development),
        ("httplib2-new", "httplib2-core", DependencyKind::Normal),
    ] {
        assert!(breach_of(user, used, kind).is_some(), "{user} -> {used}");
    }
}
