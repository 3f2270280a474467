//! One request goes ahead to an origin that nothing is known of, so that many need not be challenged at once.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

/// Whether an origin has been heard of.
#[derive(Clone, Debug, Default)]
pub(crate) struct FirstContact(Arc<Mutex<Contact>>);

#[derive(Debug, Default)]
enum Contact {
    #[default]
    Unknown,
    /// The sender belongs to the one that went ahead: when that is over, it is dropped, and all who wait wake.
    UnderWay(watch::Receiver<()>),
    Made,
}

/// Held by the request that went ahead. When it is dropped before it was answered, another one goes ahead.
pub(crate) struct Ahead {
    contact: FirstContact,
    answered: bool,
    _under_way: watch::Sender<()>,
}

/// What a request does that would go out unsigned.
pub(crate) enum Turn {
    /// The origin is known.
    Go,
    GoAhead(Ahead),
    Wait(watch::Receiver<()>),
}

// === impl FirstContact ===

impl FirstContact {
    pub(crate) fn turn(&self) -> Turn {
        let mut contact = self.lock();
        match &*contact {
            Contact::Made => Turn::Go,
            Contact::UnderWay(over) => Turn::Wait(over.clone()),
            Contact::Unknown => {
                let (under_way, over) = watch::channel(());
                *contact = Contact::UnderWay(over);
                Turn::GoAhead(Ahead { contact: self.clone(), answered: false, _under_way: under_way })
            }
        }
    }

    /// Waits until the one that went ahead was answered, or has become the one itself, but not longer than `longest`.
    pub(crate) async fn wait(&self, over: watch::Receiver<()>, longest: Duration) -> Option<Ahead> {
        timeout(longest, self.wait_for_turn(over)).await.ok().flatten()
    }

    async fn wait_for_turn(&self, mut over: watch::Receiver<()>) -> Option<Ahead> {
        loop {
            // Nothing is ever sent: this returns when the sender is dropped.
            let _ = over.changed().await;
            match self.turn() {
                Turn::Go => return None,
                Turn::GoAhead(ahead) => return Some(ahead),
                Turn::Wait(next) => over = next,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Contact> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Ahead ===

impl Ahead {
    /// The origin answered, and what could be learnt of it was learnt.
    pub(crate) fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        *self.contact.lock() = if self.answered { Contact::Made } else { Contact::Unknown };
    }
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ahead(..)")
    }
}
