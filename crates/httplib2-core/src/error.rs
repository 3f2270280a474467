//! Errors that pass through a stack of layers without losing their type.

use std::{error::Error, io};

/// Any error that can cross threads: what a layer returns when it adds a failure of its own.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// How many causes [`cause_ref`] follows before it gives up on a chain that does not end.
const MAX_CAUSES: usize = 64;

/// Returns the first error of type `E` in the chain that starts with `error` itself.
///
/// At most 64 causes are followed.
///
/// ```
/// use httplib2_core::error::{cause_ref, BoxError};
/// use std::{io, num::ParseIntError};
///
/// let inner = "x".parse::<u8>().unwrap_err();
/// let outer: BoxError = io::Error::other(inner).into();
/// assert!(cause_ref::<ParseIntError>(&*outer).is_some());
/// ```
pub fn cause_ref<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |&error| cause(error)).take(MAX_CAUSES).find_map(|error| error.downcast_ref())
}

/// Whether an error of type `E` is somewhere in the chain that starts with `error` itself.
#[must_use]
pub fn is_caused_by<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    cause_ref::<E>(error).is_some()
}

/// The next error of the chain. `io::Error::source` steps over the error that it holds, which is asked for here.
fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt;

    #[derive(Debug)]
    struct Outer(BoxError);

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&*self.0)
        }
    }

    #[test]
    fn a_typed_cause_is_found_at_any_depth() {
        let error = Outer(Box::new(Outer(Box::new(fmt::Error))));
        assert!(is_caused_by::<fmt::Error>(&error));
        assert!(is_caused_by::<Outer>(&error));
        assert!(!is_caused_by::<io::Error>(&error));
    }

    #[test]
    fn the_outermost_error_of_the_type_is_returned() {
        let error = Outer(Box::new(Outer(Box::new(fmt::Error))));
        let found = cause_ref::<Outer>(&error).unwrap();
        assert!(std::ptr::eq(found, &raw const error));
    }

    #[test]
    fn a_chain_longer_than_the_bound_is_given_up() {
        let error = (0..100).fold(Box::new(fmt::Error) as BoxError, |error, _| Box::new(Outer(error)));
        assert!(!is_caused_by::<fmt::Error>(&*error));
    }
}
