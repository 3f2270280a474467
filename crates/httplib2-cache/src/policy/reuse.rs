//! May a stored response be used without asking the origin? (RFC 9111 §4)

use std::time::SystemTime;

use super::{Ages, Asked, Give, Held, Rules, Why, conditions, directives::Flags};

/// What becomes of a request, given what was selected for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// The stored response answers it.
    Serve(Hit),
    /// The stored response answers it, and is refreshed meanwhile (RFC 5861 §3).
    ServeAndRefresh(Hit),
    /// The origin is asked whether the stored response still holds: [`conditions`](super::conditions) says
    /// how.
    Validate(Why),
    /// The origin is asked, and there is nothing to validate.
    Forward(Why),
    /// The origin may not be asked: 504 (RFC 9111 §5.2.1.7).
    Refuse(Why),
}

/// A use of a stored response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What its `Age` field says, in seconds.
    pub age: u32,
    /// Whether the caller gets all of it.
    pub give: Give,
    /// Why it may be used.
    pub why: Why,
}

/// Decides about the response that [`select`](super::select) found at the time `now`, or about none.
/// `has_variants` says whether others are stored of the URI. Nothing is parsed or allocated here, but the
/// conditions of the caller where it sent some.
#[must_use]
pub fn reuse(rules: &Rules, asked: &Asked<'_>, held: Option<Held<'_>>, has_variants: bool, now: SystemTime) -> Reuse {
    let Some(held) = held else {
        return ask(rules, asked, None, if has_variants { Why::OtherVariant } else { Why::Missing });
    };
    match permission(rules, asked, &held, now) {
        Ok(Permission::Use(why)) => Reuse::Serve(hit(asked, &held, why, now)),
        Ok(Permission::UseAndRefresh(why)) => Reuse::ServeAndRefresh(hit(asked, &held, why, now)),
        Err(why) => ask(rules, asked, Some((&held, now)), why),
    }
}

enum Permission {
    Use(Why),
    UseAndRefresh(Why),
}

/// Whether a stored response may be used as it is (RFC 9111 §4), or why not.
fn permission(rules: &Rules, asked: &Asked<'_>, held: &Held<'_>, now: SystemTime) -> Result<Permission, Why> {
    let stored = held.stored;
    let control = asked.control;
    if rules.is_shared() && asked.is_authorized(rules) && !stored.is_for_everybody() {
        // What an anonymous request got is not what this one would get.
        return Err(Why::Authorized);
    }
    if control.accepts_any {
        let ages = ages(held, now);
        return Ok(Permission::Use(if stored.is_fresh(now) { Why::Fresh(ages) } else { Why::Forced(ages) }));
    }
    if control.no_cache {
        return Err(Why::RequestNoCache);
    }
    if stored.flags.has(Flags::NO_CACHE) {
        return Err(Why::NoCache);
    }
    if rules.request_max_age_lengthens
        && let Some(max_age) = control.max_age
    {
        return lengthened(asked, held, max_age, now);
    }
    let age = stored.age(now);
    let is_fresh = stored.is_fresh(now);
    // A reload of what never changes while it is fresh gets the same again (RFC 8246 §2).
    let is_reload = control.max_age == Some(0) && stored.flags.has(Flags::IMMUTABLE) && is_fresh;
    if let Some(max_age) = control.max_age
        && (age > max_age || max_age == 0)
        && !is_reload
    {
        return Err(Why::TooOld { age, max_age });
    }
    if is_fresh {
        long_enough(asked, held, now)?;
        return Ok(Permission::Use(Why::Fresh(ages(held, now))));
    }
    stale(rules, asked, held, now)
}

/// RFC 9111 §5.2.1.3.
fn long_enough(asked: &Asked<'_>, held: &Held<'_>, now: SystemTime) -> Result<(), Why> {
    let left = held.stored.lifetime().saturating_sub(held.stored.age(now));
    match asked.control.min_fresh {
        Some(min_fresh) if left < min_fresh => Err(Why::TooShort { left, min_fresh }),
        _ => Ok(()),
    }
}

/// Whether a stale response may be used (RFC 9111 §4.2.4).
fn stale(rules: &Rules, asked: &Asked<'_>, held: &Held<'_>, now: SystemTime) -> Result<Permission, Why> {
    let ages = ages(held, now);
    let stored = held.stored;
    let control = asked.control;
    let staleness = stored.staleness(now);
    if control.only_if_cached && rules.only_if_cached_serves_stale {
        return Ok(Permission::Use(Why::OnlyIfCached(ages)));
    }
    if stored.forbids_stale(rules) || control.min_fresh.is_some() {
        return Err(Why::Stale(ages));
    }
    if control.max_stale.is_some_and(|accepted| staleness <= accepted) {
        return Ok(Permission::Use(Why::MaxStale(ages)));
    }
    // Without the origin nothing is refreshed.
    let is_refreshed = rules.stale_while_revalidate && !control.only_if_cached;
    if is_refreshed && stored.stale_while_revalidate > 0 && staleness <= stored.stale_while_revalidate {
        return Ok(Permission::UseAndRefresh(Why::WhileRevalidating(ages)));
    }
    Err(Why::Stale(ages))
}

/// httplib2's arithmetic: `max-age` of the request takes the place of the lifetime, and `min-fresh` is added to
/// the age (H-CACHE-31).
fn lengthened(asked: &Asked<'_>, held: &Held<'_>, max_age: u32, now: SystemTime) -> Result<Permission, Why> {
    let age = held.stored.age(now);
    let ages = Ages { age, lifetime: max_age };
    if age.saturating_add(asked.control.min_fresh.unwrap_or(0)) < max_age {
        Ok(Permission::Use(Why::FreshByRequest(ages)))
    } else {
        Err(Why::Stale(ages))
    }
}

fn hit(asked: &Asked<'_>, held: &Held<'_>, why: Why, now: SystemTime) -> Hit {
    Hit { age: held.stored.age(now), give: conditions::give(asked, held), why }
}

/// How the origin is asked, if it may be.
fn ask(rules: &Rules, asked: &Asked<'_>, held: Option<(&Held<'_>, SystemTime)>, why: Why) -> Reuse {
    if asked.control.only_if_cached {
        return Reuse::Refuse(why);
    }
    let can_validate = match (held, why) {
        // The answer to one user says nothing about that to another.
        (_, Why::Authorized) => false,
        (Some((held, _)), _) => held.stored.has_validator(),
        (None, Why::OtherVariant) => rules.validates_variants,
        (None, _) => false,
    };
    if can_validate { Reuse::Validate(why) } else { Reuse::Forward(why) }
}

pub(super) fn ages(held: &Held<'_>, now: SystemTime) -> Ages {
    Ages { age: held.stored.age(now), lifetime: held.stored.lifetime() }
}

#[cfg(test)]
mod tests;
