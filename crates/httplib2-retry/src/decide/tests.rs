use super::*;
use crate::{MaxTries, RetryStatuses};

const DEAD: Failure = Failure::Lost { reused: true, unprocessed: false };
const DEAD_UNPROCESSED: Failure = Failure::Lost { reused: true, unprocessed: true };
const BROKEN: Failure = Failure::Lost { reused: false, unprocessed: false };
const BROKEN_UNPROCESSED: Failure = Failure::Lost { reused: false, unprocessed: true };

/// The first try of a GET, to be changed by each test.
struct Case {
    rules: Rules,
    method: &'static str,
    headers: HeaderMap,
    options: Extensions,
    body_is_whole: bool,
    tries: u32,
    dead_connections: u32,
}

fn case() -> Case {
    Case {
        rules: Rules { statuses: RetryStatuses::transient(), ..Rules::default() },
        method: "GET",
        headers: HeaderMap::new(),
        options: Extensions::new(),
        body_is_whole: true,
        tries: 1,
        dead_connections: 0,
    }
}

impl Case {
    fn decide(&self, outcome: Outcome<'_>) -> Decision {
        let sent = Sent {
            method: &self.method.parse().unwrap(),
            headers: &self.headers,
            options: &self.options,
            body_is_whole: self.body_is_whole,
            tries: self.tries,
            dead_connections: self.dead_connections,
        };
        decide(&self.rules, sent, outcome, SystemTime::UNIX_EPOCH)
    }

    fn answered(&self, status: u16, retry_after: &[&str]) -> Decision {
        let mut headers = HeaderMap::new();
        for value in retry_after {
            headers.append(header::RETRY_AFTER, value.parse().unwrap());
        }
        self.decide(Outcome::Answered(StatusCode::from_u16(status).unwrap(), &headers))
    }

    fn failed(&self, failure: Failure) -> Decision {
        self.decide(Outcome::Failed(failure))
    }
}

const AT_ONCE: Decision = Decision::SendAgain(When::AtOnce);

fn after(seconds: u64) -> Decision {
    Decision::SendAgain(When::After(Duration::from_secs(seconds)))
}

#[test]
fn what_was_acted_on_is_sent_again_only_if_that_is_harmless() {
    // H-RETRY-02, RTY-01, RTY-02; traps 38, 45, 57.
    let kept = || Decision::Keep(Reason::Unsafe);
    for (failure, harmless, other) in [
        (Failure::Unknown, Decision::Return, Decision::Return),
        (Failure::Final, Decision::Return, Decision::Return),
        (Failure::Unprocessed, after(0), after(0)),
        (DEAD, AT_ONCE, kept()),
        (DEAD_UNPROCESSED, AT_ONCE, AT_ONCE),
        (BROKEN, after(0), kept()),
        (BROKEN_UNPROCESSED, after(0), after(0)),
    ] {
        for method in ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"] {
            assert_eq!(Case { method, ..case() }.failed(failure), harmless, "{method}, {failure:?}");
        }
        for method in ["POST", "PATCH", "X-OWN", "get"] {
            assert_eq!(Case { method, ..case() }.failed(failure), other, "{method}, {failure:?}");
        }
    }
}

#[test]
fn a_status_leads_to_another_try_only_of_a_harmless_request() {
    // Trap 45.
    for (status, get, post) in [
        (200, Decision::Return, Decision::Return),
        (408, after(0), Decision::Keep(Reason::Unsafe)),
        (429, after(0), Decision::Keep(Reason::Unsafe)),
        (500, Decision::Return, Decision::Return),
        (501, Decision::Return, Decision::Return),
        (502, after(0), Decision::Keep(Reason::Unsafe)),
        (503, after(0), Decision::Keep(Reason::Unsafe)),
        (504, after(0), Decision::Keep(Reason::Unsafe)),
    ] {
        assert_eq!(case().answered(status, &[]), get, "{status}");
        assert_eq!(Case { method: "POST", ..case() }.answered(status, &[]), post, "{status}");
    }
}

#[test]
fn by_default_no_status_leads_to_another_try() {
    // H-RETRY-05.
    let case = Case { rules: Rules::default(), ..case() };
    assert_eq!(case.answered(503, &["1"]), Decision::Return);
}

#[test]
fn an_idempotency_key_makes_a_request_harmless() {
    let mut case = Case { method: "POST", ..case() };
    case.headers.insert(IDEMPOTENCY_KEY, "\"8e03978e\"".parse().unwrap());
    assert_eq!(case.answered(503, &[]), after(0));
    assert_eq!(case.failed(DEAD), AT_ONCE);
    assert_eq!(case.failed(Failure::Unknown), Decision::Return);
}

#[test]
fn the_callers_word_makes_a_request_harmless() {
    let mut case = Case { method: "POST", ..case() };
    case.options.insert(Repeatable(true));
    assert_eq!(case.answered(503, &[]), after(0));
    assert_eq!(case.failed(DEAD), AT_ONCE);
    assert_eq!(case.failed(BROKEN), after(0));
    assert_eq!(case.failed(Failure::Unknown), after(0));
    assert_eq!(case.failed(Failure::Final), Decision::Return);
}

#[test]
fn the_callers_word_makes_a_request_harmful() {
    let mut case = case();
    case.options.insert(Repeatable(false));
    for decision in [case.answered(503, &[]), case.failed(DEAD), case.failed(BROKEN)] {
        assert_eq!(decision, Decision::Keep(Reason::Unsafe));
    }
    assert_eq!(case.failed(Failure::Unknown), Decision::Return);
    assert_eq!(case.failed(DEAD_UNPROCESSED), AT_ONCE);
    assert_eq!(case.failed(Failure::Unprocessed), after(0));
}

#[test]
fn a_method_can_be_declared_idempotent() {
    let rules = Rules { idempotent_methods: vec!["REPORT".parse().unwrap()], ..Rules::default() };
    assert_eq!(Case { rules: rules.clone(), method: "REPORT", ..case() }.failed(DEAD), AT_ONCE);
    assert_eq!(Case { rules, ..case() }.failed(DEAD), Decision::Keep(Reason::Unsafe));
}

#[test]
fn a_body_that_is_gone_is_not_sent_again() {
    let case = Case { method: "PUT", body_is_whole: false, ..case() };
    for decision in [case.failed(DEAD), case.failed(Failure::Unprocessed), case.answered(503, &[])] {
        assert_eq!(decision, Decision::Keep(Reason::BodyGone));
    }
}

#[test]
fn dead_connections_cost_no_try_up_to_their_bound() {
    for (dead_connections, tries, expected) in [
        (0, 1, AT_ONCE),
        (2, 1, AT_ONCE),
        (3, 1, after(0)),
        (0, 2, AT_ONCE),
        (3, 2, Decision::Keep(Reason::TriesUsedUp(2))),
    ] {
        let case = Case { dead_connections, tries, ..case() };
        assert_eq!(case.failed(DEAD), expected, "{dead_connections} dead, try {tries}");
    }
    let rules = Rules { dead_connections: 0, ..Rules::default() };
    assert_eq!(Case { rules, ..case() }.failed(DEAD), after(0));
}

#[test]
fn tries_are_counted_with_the_first() {
    // H-RETRY-01.
    for (max, tries, expected) in [
        (0, 1, Decision::Return),
        (1, 1, Decision::Return),
        (2, 1, after(0)),
        (2, 2, Decision::Keep(Reason::TriesUsedUp(2))),
        (5, 4, after(0)),
        (5, 5, Decision::Keep(Reason::TriesUsedUp(5))),
    ] {
        let mut by_layer = Case { tries, ..case() };
        by_layer.rules.tries = max;
        assert_eq!(by_layer.failed(Failure::Unprocessed), expected, "try {tries} of {max}");
        let mut by_option = Case { tries, ..case() };
        by_option.options.insert(MaxTries(max));
        assert_eq!(by_option.failed(Failure::Unprocessed), expected, "try {tries} of {max}");
    }
}

#[test]
fn the_server_says_how_long_it_wants_to_be_left_alone() {
    // RTY-05, RFC 9110 §10.2.3. The time is 1 January 1970, 00:00:00.
    let too_much = |seconds| Decision::Keep(Reason::AsksTooMuch(Duration::from_secs(seconds)));
    for (values, expected) in [
        (&[][..], after(0)),
        (&["0"], after(0)),
        (&["30"], after(30)),
        (&["31"], too_much(31)),
        (&["999999999"], too_much(999_999_999)),
        (&["99999999999999999999"], too_much(u64::MAX)),
        (&["Thu, 01 Jan 1970 00:00:00 GMT"], after(0)),
        (&["Thu, 01 Jan 1970 00:00:07 GMT"], after(7)),
        (&["Thursday, 01-Jan-70 00:00:07 GMT"], after(7)),
        (&["Thu Jan  1 00:00:07 1970"], after(7)),
        (&["Fri, 31 Dec 9999 23:59:59 GMT"], too_much(253_402_300_799)),
        (&["soon"], after(0)),
        (&["-1"], after(0)),
        (&["1.5"], after(0)),
        (&[""], after(0)),
        (&["2", "5"], after(5)),
        (&["soon", "5"], after(5)),
    ] {
        assert_eq!(case().answered(503, values), expected, "{values:?}");
    }
}

#[test]
fn statuses_of_a_request_replace_those_of_the_layer() {
    let mut case = case();
    case.options.insert(RetryStatuses::new([StatusCode::INTERNAL_SERVER_ERROR]));
    assert_eq!(case.answered(500, &[]), after(0));
    assert_eq!(case.answered(503, &[]), Decision::Return);
}
