//! How many tries the calls to one origin may have among them.

use std::{
    collections::HashMap,
    fmt,
    hash::{BuildHasher, Hash, Hasher, RandomState},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use http::Uri;
use tokio::time::Instant;
use tower::retry::budget::{Budget, TpsBudget};

/// How many further tries the calls to one origin may have among them, whatever each of them is allowed.
///
/// Without it, an origin that is down gets the multiple of its usual load from those who try again. What
/// counts is the last ten seconds. Default: one try for every six calls, and one per second besides, so that
/// a client with few calls can try again too. Of 1,000 calls in ten seconds, 176 are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryBudget {
    calls_per_try: u32,
    tries_per_second: u32,
}

/// The budgets of all origins that a layer has seen lately.
pub(crate) struct Budgets {
    rule: RetryBudget,
    hasher: RandomState,
    known: Mutex<Known>,
}

/// Stands for an origin.
///
/// A hash with a secret key: nobody can choose two origins that share one, and no request pays for a copy of
/// its authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key(u64);

struct Known {
    origins: HashMap<Key, Account>,
    /// Of all origins that found no room.
    others: Account,
}

struct Account {
    budget: TpsBudget,
    last_used: Instant,
}

/// How long a call counts.
const WINDOW: Duration = Duration::from_secs(10);

/// How many origins have a budget of their own. Those that come when none of them has been idle for ten
/// seconds share one: a client that is led through many origins neither grows nor forgets the budgets that it
/// is using.
const MAX_ORIGINS: usize = 1_000;

// === impl RetryBudget ===

impl RetryBudget {
    /// One try for every `calls_per_try` calls (1 to 1,000), and `tries_per_second` besides (up to
    /// 1,000,000). Numbers out of their range become the nearest within it.
    #[must_use]
    pub fn new(calls_per_try: u32, tries_per_second: u32) -> Self {
        Self { calls_per_try: calls_per_try.clamp(1, 1_000), tries_per_second: tries_per_second.min(1_000_000) }
    }

    fn account(self) -> Account {
        // tower takes a share and cuts off its reciprocal, which half a call more keeps from rounding down.
        let share = 1.0 / (self.calls_per_try as f32 + 0.5);
        Account { budget: TpsBudget::new(WINDOW, self.tries_per_second, share), last_used: Instant::now() }
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { calls_per_try: 6, tries_per_second: 1 }
    }
}

// === impl Budgets ===

impl Budgets {
    pub(crate) fn new(rule: RetryBudget) -> Self {
        let known = Known { origins: HashMap::new(), others: rule.account() };
        Self { rule, hasher: RandomState::new(), known: Mutex::new(known) }
    }

    /// The key of the origin of `uri`. Letter case plays no part; a default port that is spelt out makes
    /// another one. All URIs without an authority have the same.
    pub(crate) fn key(&self, uri: &Uri) -> Key {
        let mut hasher = self.hasher.build_hasher();
        uri.scheme().hash(&mut hasher);
        uri.authority().hash(&mut hasher);
        Key(hasher.finish())
    }

    /// Notes a call, which pays for a part of a try.
    pub(crate) fn note_call(&self, key: Key) {
        self.with(key, Budget::deposit);
    }

    /// Takes a further try out of the budget, or says that there is none left.
    pub(crate) fn take_try(&self, key: Key) -> bool {
        self.with(key, Budget::withdraw)
    }

    fn with<T>(&self, key: Key, change: impl FnOnce(&TpsBudget) -> T) -> T {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let account = known.account(key, now, self.rule);
        if account.is_idle(now) {
            // As good as new, and tower would count the idle time second by second.
            *account = self.rule.account();
        }
        account.last_used = now;
        change(&account.budget)
    }
}

impl fmt::Debug for Budgets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budgets").field("rule", &self.rule).finish_non_exhaustive()
    }
}

// === impl Known ===

impl Known {
    fn account(&mut self, key: Key, now: Instant, rule: RetryBudget) -> &mut Account {
        if !self.origins.contains_key(&key) {
            if self.origins.len() >= MAX_ORIGINS {
                self.origins.retain(|_, account| !account.is_idle(now));
            }
            if self.origins.len() >= MAX_ORIGINS {
                return &mut self.others;
            }
        }
        self.origins.entry(key).or_insert_with(|| rule.account())
    }
}

// === impl Account ===

impl Account {
    fn is_idle(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.last_used) > WINDOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn key(budgets: &Budgets, uri: &str) -> Key {
        budgets.key(&uri.parse().unwrap())
    }

    /// How many tries are left.
    fn left(budgets: &Budgets, key: Key) -> usize {
        (0..).take_while(|_| budgets.take_try(key)).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_client_may_try_again_and_a_storm_adds_a_sixth() {
        // RTY-11.
        for (rule, calls, tries) in [
            (RetryBudget::default(), 0, 10),
            (RetryBudget::default(), 1, 10),
            (RetryBudget::default(), 1_000, 176),
            (RetryBudget::new(5, 0), 0, 0),
            (RetryBudget::new(5, 0), 1_000, 200),
            (RetryBudget::new(1, 0), 7, 7),
            (RetryBudget::new(0, 0), 7, 7),
            (RetryBudget::new(1_000, 0), 2_999, 2),
            (RetryBudget::new(u32::MAX, 1), 0, 10),
        ] {
            let budgets = Budgets::new(rule);
            let key = key(&budgets, "http://a.example/");
            (0..calls).for_each(|_| budgets.note_call(key));
            assert_eq!(left(&budgets, key), tries, "{calls} calls, {rule:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn every_number_of_calls_per_try_is_exact() {
        for calls in 1..=1_000 {
            let budgets = Budgets::new(RetryBudget::new(calls, 0));
            let key = key(&budgets, "/");
            (1..calls).for_each(|_| budgets.note_call(key));
            assert!(!budgets.take_try(key), "{calls}");
            budgets.note_call(key);
            assert!(budgets.take_try(key), "{calls}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_counts_for_ten_seconds() {
        let budgets = Budgets::new(RetryBudget::new(1, 0));
        let key = key(&budgets, "/");
        budgets.note_call(key);
        advance(Duration::from_secs(9)).await;
        budgets.note_call(key);
        advance(Duration::from_secs(9)).await;
        assert_eq!(left(&budgets, key), 1);
        advance(Duration::from_secs(60 * 60 * 24 * 365)).await;
        assert_eq!(left(&budgets, key), 0);
    }

    #[test]
    fn each_origin_has_its_own_budget() {
        let budgets = Budgets::new(RetryBudget::default());
        let one = key(&budgets, "http://a.example/1?x");
        for (uri, same) in [
            ("http://A.EXAMPLE/2", true),
            ("https://a.example/1", false),
            ("http://b.example/1", false),
            ("http://a.example:81/1", false),
            ("/1", false),
        ] {
            assert_eq!(key(&budgets, uri) == one, same, "{uri}");
        }
        assert_eq!(key(&budgets, "/1"), key(&budgets, "/2"));
    }

    #[tokio::test(start_paused = true)]
    async fn origins_beyond_the_bound_share_one_budget_until_others_are_idle() {
        let budgets = Budgets::new(RetryBudget::default());
        let nth = |n: usize| key(&budgets, &format!("http://{n}.example/"));
        (0..MAX_ORIGINS).for_each(|n| budgets.note_call(nth(n)));
        // No room: the first latecomer uses up what the second one finds.
        assert_eq!(left(&budgets, nth(MAX_ORIGINS)), 10);
        assert_eq!(left(&budgets, nth(MAX_ORIGINS + 1)), 0);
        // Those who were there first are not touched by it.
        assert_eq!(left(&budgets, nth(0)), 10);
        advance(WINDOW + Duration::from_secs(1)).await;
        assert_eq!(left(&budgets, nth(MAX_ORIGINS + 1)), 10);
        assert_eq!(budgets.known.lock().unwrap().origins.len(), 1);
    }
}
