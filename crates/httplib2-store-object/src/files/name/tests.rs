//! What Python's httplib2 0.32.1 makes of the same keys.

use super::*;

#[test]
fn a_name_is_that_of_httplib2_to_the_octet() {
    // H-CACHE-05, H-SEC-08.
    for (key, expected) in [
        ("http://example.org/fred/?a=b", "example.orgfreda=b,58489f63a7a83c3b7794a6a398ee8b1f"),
        ("http://example.org/fred?/a=b", "example.orgfreda=b,8c5946d56fec453071f43329ff0be46b"),
        ("http://www.example.org/fred?/a=b", "www.example.orgfreda=b,499c44b8d844a011b67ea2c015116968"),
        ("https://www.example.org/fred?/a=b", "www.example.orgfreda=b,692e843a333484ce0095b070497ab45d"),
        ("http://www.example.org/", "www.example.org,5746863a9148eab3d5736fa13e89ade0"),
        ("http://www", "www,5aee5623e78bfacec9134a38d747d5c5"),
        ("http://\u{2304}.org/fred/?a=b", ".orgfreda=b,ecaf0f97756c0716de76f593bd60a35e"),
        ("", ",d41d8cd98f00b204e9800998ecf8427e"),
        ("a", "a,0cc175b9c0f1b6a831c399e269772661"),
        ("://a", "a,65df3ac24414c79008f038f146745af4"),
        ("1a_://b", "b,17dcea16a7de81f6d7a97f71a967fa94"),
        ("h-t://b", "h-tb,75b00e4f8b0fe3e2c5b8a327138b600c"),
        ("\u{e9}\u{e8}://b", "b,0050c47db1199812f9a0dfbca3d43b1f"),
        ("http://a/\u{e9}\t\n /..\\x", "a..x,cd5cba8e1d7654852dfb91c4f6be1a2b"),
        ("http://u@h:80/?q=%20&b=(c)!=.-_;,'*~", "uh80q=20b=(c)!=.-_,65b3ef1a8ef1a13eb4bf7508e95b1b01"),
        ("http://example.org/ partition", "example.orgpartition,2d5f5d6068d6912bcdd840504d33f02a"),
        ("http://a://b", "ab,6fe0f6707d5ca65b275533cfb27d5a1c"),
        ("\u{301}x://y", "xy,21e6e7051fc4d901240c50fa2d282e09"),
        ("\u{660}://y", "y,5598a54a48b8f405783ef81775d31e14"),
        ("http://\nb", "b,d0f1ffc307cec081241acb0cd2f3e8d3"),
    ] {
        assert_eq!(safename(key), expected, "{key:?}");
    }
}

#[test]
fn a_long_name_is_cut_and_the_digest_is_that_of_the_whole_key() {
    for (repeated, kept, digest) in [
        (88, 89, "243c222800b7a5edc8e9467d3eb85a75"),
        (89, 90, "513361235110c1d8f9fa6fb5be2df6d6"),
        (90, 90, "33f04bdb084f8e713a4c099e63e5deda"),
        (500, 90, "4905df3008e6898845dce2a585be134d"),
    ] {
        let name = safename(&format!("http://a/{}", "x".repeat(repeated)));
        let (begin, end) = name.split_once(',').unwrap();
        assert_eq!((begin.len(), end), (kept, digest), "{repeated}");
        assert!(name.len() <= 123);
    }
}

#[test]
fn keys_that_look_alike_have_different_names() {
    let keys = ["http://a/b", "https://a/b", "http://a/b/", "http://a/b?", "http://A/b", "http://a/b p"];
    let names: std::collections::HashSet<_> = keys.into_iter().map(safename).collect();
    assert_eq!(names.len(), keys.len());
}
