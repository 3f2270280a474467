//! What lets only one user in: names, passwords, and the files in which servers look them up.

use std::{fs, io};

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest as _, Md5};
use sha1::Sha1;

use super::site::Dir;

/// The one user that there is.
pub const USER: &str = "joe";

/// The user's password, with a colon and a space, at which a careless client breaks.
pub const PASSWORD: &str = "open:sesame 7";

/// What `secret.txt` holds behind every guard.
pub const SECRET: &str = "for joe only\n";

/// The realm of `/basic/`.
pub const BASIC_REALM: &str = "basic";

/// A directory `/digest/NAME/` of Apache, which holds `secret.txt`, its realm `NAME`.
#[derive(Clone, Copy, Debug)]
pub struct Digest {
    /// The name of the directory and of the realm.
    pub name: &'static str,
    /// What is configured for it.
    pub(super) settings: &'static [&'static str],
}

/// All that are guarded by mod_auth_digest. It knows only MD5 and the qop `auth`, and sends `rspauth`.
///
/// | path | nonces |
/// |---|---|
/// | `/digest/plain/` | five minutes, as long as nothing is configured |
/// | `/digest/forever/` | never end |
/// | `/digest/brief/` | a second, then stale; each answer names the next, as all do in the last 30 seconds of a nonce |
/// | `/digest/once/` | one answer, which names the next (`nextnonce`); requests at the same time are stale |
/// | `/digest/counted/` | never end, and their counts must come in order, which they do not at the same time |
/// | `/digest/wide/` | never end; `domain` names it and `/digest/wider/`, of the same realm |
pub const DIGESTS: [Digest; 7] = [
    Digest { name: "plain", settings: &[] },
    Digest { name: "forever", settings: &["AuthDigestNonceLifetime -1"] },
    Digest { name: "brief", settings: &["AuthDigestNonceLifetime 1"] },
    Digest { name: "once", settings: &["AuthDigestNonceLifetime 0"] },
    Digest { name: "counted", settings: &["AuthDigestNonceLifetime -1", "AuthDigestNcCheck On"] },
    Digest { name: "wide", settings: &[WIDE, "AuthDigestNonceLifetime -1"] },
    Digest { name: "wider", settings: &[WIDE, "AuthDigestNonceLifetime -1", "AuthName wide"] },
];

const WIDE: &str = "AuthDigestDomain /digest/wide/ /digest/wider/";

/// The file in which servers look up the user of `/basic/`.
pub(super) const BASIC_USERS: &str = "basic.users";

/// The file in which Apache looks up the user of each realm of [`DIGESTS`].
pub(super) const DIGEST_USERS: &str = "digest.users";

/// Returns H(name:realm:password) in hexadecimal (RFC 7616 §3.4.2), with MD5, for the user.
pub fn ha1(realm: &str) -> String {
    md5(&format!("{USER}:{realm}:{PASSWORD}"))
}

/// Returns the MD5 of a text in hexadecimal.
pub fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes what is guarded below `www`, and the files of users.
pub(super) fn write(dir: &Dir) -> io::Result<()> {
    let mut digest_users = String::new();
    for Digest { name, .. } in DIGESTS {
        fs::create_dir_all(dir.file(&format!("www/digest/{name}")))?;
        fs::write(dir.file(&format!("www/digest/{name}/secret.txt")), SECRET)?;
        digest_users += &format!("{USER}:{name}:{}\n", ha1(name));
    }
    fs::create_dir(dir.file("www/basic"))?;
    fs::write(dir.file("www/basic/secret.txt"), SECRET)?;
    // The one form that both servers know, wherever they were built.
    let basic_user = format!("{USER}:{{SHA}}{}\n", STANDARD.encode(Sha1::digest(PASSWORD)));
    fs::write(dir.file(BASIC_USERS), basic_user)?;
    fs::write(dir.file(DIGEST_USERS), digest_users)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_user_is_that_of_htdigest() {
        // hashlib.md5(b"joe:plain:open:sesame 7").hexdigest()
        assert_eq!(ha1("plain"), "1ac1a336a6f1c2b6a7bcf9e3083c28c3");
    }
}
