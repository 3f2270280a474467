//! One stored response as httplib2 writes it (H-CACHE-14 to H-CACHE-25).
//!
//! A line `status: NNN`, a line for each header field, lines of notes whose names begin with `-`, an empty line, and the
//! body without its content coding.

mod lines;
mod read;
pub(crate) mod times;
pub(crate) mod varied;
pub(crate) mod word;
pub(crate) mod write;

pub use self::read::{Blob, read_blob};

/// The longest head, in bytes, that is read or written. Servers seldom send more than 16 KiB.
pub(crate) const MAX_HEAD: usize = 256 * 1024;

pub(crate) const STATUS: &str = "status";

/// What begins the name of a note.
pub(crate) const NOTE: &str = "-";

/// The note that names the content coding which was removed (H-CACHE-18).
pub(crate) const CODING: &str = "-content-encoding";

/// The notes of the request fields that selected the response (H-CACHE-19).
pub(crate) const VARIED: &str = "-varied-";

/// The note that says where to a permanent redirect leads (H-CACHE-20).
pub(crate) const PERMANENT: &str = "-x-permanent-redirect-url";

/// The note of how long the body is, where the response did not say so itself: what is cut off is told by it.
///
/// It is ours. httplib2 shows it to its callers, as it does all notes, and writes it again when it updates a response,
/// whose body stays. A `Content-Length` in its place would be a field that the server did not send.
pub(crate) const LENGTH: &str = "-length";

/// Stands between what came as several lines of one field.
///
/// httplib2 keeps one line per field. It is a comma and white space to whoever reads the list (RFC 9110 §5.3), and it
/// tells us where to split: hardly anybody writes a tab there.
pub(crate) const JOINT: &[u8] = b",\t";
