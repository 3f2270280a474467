//! The record of what each layer decided.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use http::Extensions;

/// The record of what every layer decided about one call, kept only when the caller asked for it.
///
/// A request extension: the caller inserts one and keeps a clone, every layer that finds it adds a
/// [`Line`], the caller reads the lines in the order in which things happened. At most 1,000 lines are
/// kept; later ones are dropped.
///
/// ```
/// use http::Extensions;
/// use httplib2_core::context::Journal;
///
/// let journal = Journal::default();
/// let mut extensions = Extensions::new();
/// extensions.insert(journal.clone());
///
/// Journal::record(&extensions, "redirect", &"302 to http://example.org/b, followed as GET");
/// assert_eq!(journal.lines()[0].to_string(), "redirect: 302 to http://example.org/b, followed as GET");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Vec<Line>>>);

/// One decision of one layer. `Display` writes it as `layer: decision`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// The layer that decided, such as `redirect`.
    pub layer: &'static str,
    /// What it decided and why, in one line without secrets.
    pub text: String,
}

/// A hostile server can make a call long, so the record is bounded.
const MAX_LINES: usize = 1_000;

// === impl Journal ===

impl Journal {
    /// Says what `layer` decided: as a `tracing` event of level `DEBUG`, and as a line of the journal in
    /// `extensions` if there is one. Costs no formatting when nobody listens.
    ///
    /// `fact` must not hold secrets: it is what the layer's typed fact displays.
    pub fn record(extensions: &Extensions, layer: &'static str, fact: &dyn fmt::Display) {
        tracing::debug!(target: "httplib2", layer, "{fact}");
        if let Some(journal) = extensions.get::<Self>() {
            journal.note(layer, fact);
        }
    }

    /// Adds a line to this journal, without an event.
    pub fn note(&self, layer: &'static str, fact: &dyn fmt::Display) {
        let text = fact.to_string();
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() < MAX_LINES {
            lines.push(Line { layer, text });
        }
    }

    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

// === impl Line ===

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.layer, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_recorded_where_nobody_asked() {
        let journal = Journal::default();
        Journal::record(&Extensions::new(), "redirect", &"302");
        assert_eq!(journal.lines(), []);
    }

    #[test]
    fn lines_are_kept_in_order_and_bounded() {
        let journal = Journal::default();
        let mut extensions = Extensions::new();
        extensions.insert(journal.clone());
        for n in 0..1_500 {
            Journal::record(&extensions, "retry", &n);
        }
        let lines = journal.lines();
        assert_eq!(lines.len(), 1_000);
        assert_eq!(lines[999].to_string(), "retry: 999");
    }
}
