//! Who waits for more of a body.

use std::{
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
    task::Waker,
};

/// The wakers of those who read a body together, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Wakers(Mutex<Vec<Option<Waker>>>);

// === impl Wakers ===

impl Wakers {
    pub(crate) fn wait(&self, number: usize, waker: &Waker) {
        let mut wakers = self.lock();
        if wakers.len() <= number {
            wakers.resize(number + 1, None);
        }
        match &mut wakers[number] {
            Some(known) => known.clone_from(waker),
            place => *place = Some(waker.clone()),
        }
    }

    pub(crate) fn leave(&self, number: usize) {
        let waker = self.lock().get_mut(number).and_then(Option::take);
        drop(waker);
    }

    pub(crate) fn wake_all(&self) {
        self.wake(None);
    }

    /// Wakes all but the one with this number, who knows.
    pub(crate) fn wake_others(&self, number: usize) {
        self.wake(Some(number));
    }

    fn wake(&self, spared: Option<usize>) {
        let mut taken = {
            let mut wakers = self.lock();
            if wakers.iter().enumerate().all(|(number, waker)| waker.is_none() || Some(number) == spared) {
                return;
            }
            let kept = spared.and_then(|number| Some((number, wakers.get_mut(number)?.take()?)));
            let taken = mem::take(&mut *wakers);
            if let Some((number, waker)) = kept {
                wakers.resize(number + 1, None);
                wakers[number] = Some(waker);
            }
            taken
        };
        // Not under the lock: whoever is woken may run at once.
        for waker in taken.iter_mut().filter_map(Option::take) {
            waker.wake();
        }
        let mut wakers = self.lock();
        if wakers.is_empty() {
            // For the next ones, who then allocate nothing.
            *wakers = taken;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Waker>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
