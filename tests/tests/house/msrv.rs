//! The oldest Rust that we promise is old enough for all that we use.

use std::collections::{HashMap, VecDeque};

use cargo_metadata::{DependencyKind, Metadata, PackageId, semver::Version};

use crate::workspace::{crates, metadata, none};

#[test]
fn no_dependency_of_a_crate_asks_for_a_newer_rust_than_the_crate() {
    let breaches = crates().into_iter().flat_map(|package| {
        let ours = package.rust_version.as_ref().unwrap_or_else(|| panic!("{} has no rust-version", package.name));
        too_new(metadata(), &package.id, ours)
    });
    none(breaches.collect());
}

/// The packages that `from` needs to be built, on any platform and with any feature, and that ask for more than
/// `ours`, each with the way there. Build dependencies are compiled with the user's Rust just the same.
fn too_new(metadata: &Metadata, from: &PackageId, ours: &Version) -> Vec<String> {
    let nodes: HashMap<_, _> =
        metadata.resolve.as_ref().expect("a resolved graph").nodes.iter().map(|node| (&node.id, node)).collect();
    let mut ways = HashMap::from([(from, metadata[from].name.to_string())]);
    let mut queue = VecDeque::from([from]);
    let mut breaches = Vec::new();
    while let Some(id) = queue.pop_front() {
        let way = ways[id].clone();
        if let Some(asked) = metadata[id].rust_version.as_ref().filter(|asked| *asked > ours) {
            breaches.push(format!("{way} asks for Rust {asked}, we promise {ours}"));
        }
        for used in &nodes[id].deps {
            let needed = used.dep_kinds.iter().any(|used| used.kind != DependencyKind::Development);
            if needed && !ways.contains_key(&used.pkg) {
                ways.insert(&used.pkg, format!("{way} -> {}", metadata[&used.pkg].name));
                queue.push_back(&used.pkg);
            }
        }
    }
    breaches
}

#[test]
fn a_dependency_that_asks_for_a_newer_rust_is_found_with_the_way_there() {
    let package = crates().into_iter().find(|package| *package.name == "httplib2-core").expect("the core");
    let breaches = too_new(metadata(), &package.id, &Version::new(1, 0, 0));
    assert!(breaches.iter().any(|breach| breach.starts_with("httplib2-core asks for Rust")), "{breaches:?}");
    assert!(breaches.iter().any(|breach| breach.starts_with("httplib2-core -> bytes asks for Rust")), "{breaches:?}");
    // Only its tests use tower.
    assert!(!breaches.iter().any(|breach| breach.contains("-> tower ")), "{breaches:?}");
}
