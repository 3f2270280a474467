//! Which paths belong to a protection space.

/// What a space covers: the path up to its last slash (RFC 7617 §2.2), or `None` for a path that may mean another one
/// to the server than it seems.
pub(crate) fn depth(path: &str) -> Option<&str> {
    if may_climb(path) {
        return None;
    }
    path.rfind('/').map(|slash| &path[..=slash])
}

/// Whether a path is the prefix or stands below it, segment by segment: `/a` holds `/a` and `/a/b` but not `/ab`.
///
/// A path that may climb out of its directory is only within the whole origin.
pub(crate) fn is_within(path: &str, prefix: &str) -> bool {
    if prefix == "/" {
        return true;
    }
    let Some(rest) = path.strip_prefix(prefix) else { return false };
    (prefix.ends_with('/') || rest.is_empty() || rest.starts_with('/')) && !may_climb(path)
}

/// Whether a segment is `.` or `..` to any server: with dots or slashes percent-encoded, backslashes for slashes, or
/// parameters behind a semicolon.
fn may_climb(path: &str) -> bool {
    let mut bytes = path.as_bytes();
    let mut dots = Some(0);
    while let [first, rest @ ..] = bytes {
        let (byte, rest) = match (first, rest) {
            (b'%', [b'2', b'e' | b'E', rest @ ..]) => (b'.', rest),
            (b'%', [b'2', b'f' | b'F', rest @ ..]) | (b'%', [b'5', b'c' | b'C', rest @ ..]) => (b'/', rest),
            (b'%', [b'3', b'b' | b'B', rest @ ..]) => (b';', rest),
            _ => (*first, rest),
        };
        bytes = rest;
        dots = match (byte, dots) {
            (b'/' | b'\\' | b';', Some(1 | 2)) => return true,
            (b'/' | b'\\', _) => Some(0),
            (b'.', Some(dots)) => Some(dots + 1),
            _ => None,
        };
    }
    matches!(dots, Some(1 | 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_of_depth_ends_at_the_last_slash() {
        // RFC 7617 §2.2, which mends H-AUTH-06.
        for (path, expected) in [
            ("/", Some("/")),
            ("/a", Some("/")),
            ("/a/", Some("/a/")),
            ("/a/b.html", Some("/a/")),
            ("/a/b/", Some("/a/b/")),
            ("/a/../b", None),
            ("/a/%2e%2E/b/c", None),
            ("*", None),
        ] {
            assert_eq!(depth(path), expected, "{path}");
        }
    }

    #[test]
    fn a_prefix_holds_whole_segments() {
        for (path, prefix, expected) in [
            ("/a/b", "/", true),
            ("*", "/", true),
            ("/a/../b", "/", true),
            ("/a", "/a", true),
            ("/a/", "/a", true),
            ("/a/b", "/a", true),
            ("/ab", "/a", false), // H-AUTH-06: `/a/b` covered `/a/bc`.
            ("/a", "/a/", false),
            ("/a/", "/a/", true),
            ("/a/b/c", "/a/b/", true),
            ("/A/b", "/a/", false),
            ("", "/a/", false),
        ] {
            assert_eq!(is_within(path, prefix), expected, "{path} in {prefix}");
        }
    }

    #[test]
    fn a_path_that_may_climb_is_in_no_directory() {
        for path in [
            "/a/..",
            "/a/../b",
            "/a/./b",
            "/a/%2e%2e/b",
            "/a/.%2E/b",
            "/a/..%2fb",
            "/a/x%5C..%5cb",
            "/a/..\\b",
            "/a/..;x=y/b",
            "/a/..%3Bx/b",
            "/a/b/..",
        ] {
            assert!(!is_within(path, "/a/"), "{path}");
            assert!(is_within(path, "/"), "{path}");
        }
        for path in ["/a/...", "/a/.b", "/a/b..", "/a/..b/c", "/a/.well-known/x", "/a/%2eb", "/a//b", "/a/%2f"] {
            assert!(is_within(path, "/a/"), "{path}");
        }
    }
}
