use httplib2_syntax::challenge;

use super::*;
use crate::{CannotAnswer, Signer};

/// A scheme of which only name and strength matter.
#[derive(Debug)]
struct Named(&'static str, u8);

impl Scheme for Named {
    fn name(&self) -> &'static str {
        self.0
    }

    fn strength(&self) -> u8 {
        self.1
    }

    fn preference(&self, challenge: &Challenge) -> u8 {
        challenge.params().text("grade").map_or(0, |grade| grade.parse().unwrap())
    }

    fn reveals_secret(&self) -> bool {
        false
    }

    fn answer(&self, _: &Challenge, _: &Credential) -> Result<Arc<dyn Signer>, CannotAnswer> {
        Err(CannotAnswer::Malformed("nobody asks it"))
    }
}

fn rules() -> Rules {
    let schemes: [Arc<dyn Scheme>; 3] =
        [Arc::new(Named("weak", 0)), Arc::new(Named("strong", 30)), Arc::new(Named("middle", 20))];
    Rules { schemes: schemes.into(), ..Rules::default() }
}

fn walk(names: &[&str]) -> Walk {
    let candidate =
        |name: &&str| Candidate { holder: Holder::Given(Credential::login(*name, "")), scope: Scope::Domain };
    Walk::new(Origin::of(&"http://a.example/".parse().unwrap()).unwrap(), names.iter().map(candidate).collect())
}

/// Lets a server refuse everything, and returns what was answered, as `credential scheme realm`.
fn answers(rules: &Rules, walk: &mut Walk, rounds: &[&str]) -> Vec<String> {
    let mut answered: Vec<String> = Vec::new();
    let mut last: Option<(Credential, Arc<dyn Scheme>)> = None;
    for round in rounds {
        let challenges = challenge::parse([round.as_bytes()]);
        walk.look_again();
        if let Some((credential, scheme)) = last.take() {
            walk.refused(&credential, &*scheme);
        }
        let offers = offers(rules, &challenges, |scheme| scheme.name() != "middle" || !round.contains("insecure"));
        loop {
            match walk.next(rules, &Accepted::default(), &offers) {
                Step::Answer { seat, offer } => {
                    let offer = &offers[offer];
                    if offer.challenge.params().text("odd").is_some() {
                        let at =
                            offers.iter().position(|other| std::ptr::eq(other.challenge, offer.challenge)).unwrap();
                        let what = CannotAnswer::Unsupported("odd".into());
                        walk.unfit(seat, at, Unanswered::because(offer.scheme.name(), what));
                        continue;
                    }
                    let credential = walk.credential(seat).unwrap().0.clone();
                    let realm = offer.challenge.params().text("realm").unwrap_or("-");
                    let name = credential.as_login().unwrap().name();
                    answered.push(format!("{name} {} {realm}", offer.scheme.name()));
                    walk.sent(Some(seat), Some(offer));
                    last = Some((credential.clone(), Arc::clone(offer.scheme)));
                    break;
                }
                Step::Ask { .. } => unreachable!("nobody can be asked"),
                Step::Return => return answered,
            }
        }
    }
    answered
}

#[test]
fn each_credential_answers_the_strongest_offer_that_is_left_to_it() {
    const ALL: &str = "Weak realm=r, Strong realm=r, Middle realm=r";
    const STRONG: Unanswered = Unanswered::Rejected("strong");
    for (names, rounds, expected, reasons) in [
        (&["a"][..], &[ALL, ALL][..], &["a strong r"][..], &[STRONG, down("middle"), down("weak")][..]),
        (&["a", "b"], &[ALL, ALL, ALL], &["a strong r", "b strong r"], &[STRONG, down("middle"), down("weak")]),
        (
            &["a"],
            &["Weak realm=r, Middle realm=r", ALL, ALL],
            &["a middle r", "a strong r"],
            &[Unanswered::Rejected("middle"), STRONG, down("weak")],
        ),
        // What was weaker than the refused one before it was asked for.
        (&["a"], &["Strong realm=r", "Weak realm=r"], &["a strong r"], &[STRONG, down("weak")]),
        (&["a"], &["Strong realm=r, odd=1, Weak realm=r", ALL], &["a weak r", "a strong r"], &[]),
        (&["a"], &["Strong realm=r, odd=1"], &[], &[odd("strong")]),
        (&["a"], &["Strong realm=r, odd=1, Strong realm=s"], &["a strong s"], &[odd("strong")]),
        // Another realm is another question, but not for ever.
        (
            &["a"],
            &["Strong realm=1", "Strong realm=2", "Strong realm=3"],
            &["a strong 1", "a strong 2"],
            &[STRONG, Unanswered::Limit(2)],
        ),
        (&["a"], &["Middle insecure=1"], &[], &[Unanswered::Insecure("middle")]),
        (&["a"], &["Newauth"], &[], &[]),
        (&[], &[ALL], &[], &[]),
    ] {
        let mut walk = walk(names);
        assert_eq!(answers(&rules(), &mut walk, rounds), expected, "{names:?} {rounds:?}");
        if !reasons.is_empty() {
            assert_eq!(walk.reasons(), reasons, "{names:?} {rounds:?}");
        }
    }

    fn down(scheme: &'static str) -> Unanswered {
        Unanswered::Downgrade(scheme)
    }

    fn odd(scheme: &'static str) -> Unanswered {
        Unanswered::Unsupported { scheme, what: "odd".into() }
    }
}

#[test]
fn with_leave_every_offer_is_answered_from_the_strongest_down() {
    const ALL: &str = "Weak realm=r, Strong realm=r, Middle realm=r";
    let rules = Rules { allow_downgrade: true, ..rules() };
    let answered = answers(&rules, &mut walk(&["a", "b"]), &[ALL; 10]);
    // The fourth answer is the last: `max_answers`.
    assert_eq!(answered, ["a strong r", "a middle r", "a weak r", "b strong r"]);
}

#[test]
fn a_signature_in_advance_that_was_refused_counts_against_weaker_offers() {
    let rules = rules();
    let mut walk = walk(&["a"]);
    walk.refused(&Credential::login("a", ""), &Named("strong", 30));
    assert_eq!(answers(&rules, &mut walk, &["Weak realm=r"]), [""; 0]);
    // A fresh challenge of the same scheme may be answered.
    assert_eq!(answers(&rules, &mut walk, &["Strong realm=r", "Strong realm=r"]), ["a strong r"]);
}

#[test]
fn offers_stand_in_the_order_of_strength_or_of_the_layer() {
    let challenges = challenge::parse([&b"Weak, Other, Middle realm=1, STRONG, Middle realm=2"[..]]);
    let names = |rules: &Rules| {
        offers(rules, &challenges, |_| true).iter().map(|offer| offer.scheme.name()).collect::<Vec<_>>()
    };
    assert_eq!(names(&rules()), ["strong", "middle", "middle", "weak"]);
    assert_eq!(names(&Rules { order: Order::AsAdded, ..rules() }), ["weak", "strong", "middle", "middle"]);
}

#[test]
fn of_one_scheme_the_preferred_offer_comes_first() {
    // X-08: servers name MD5 first, for clients that know nothing else.
    let challenges = challenge::parse([&b"Weak grade=9, Strong realm=1, Strong realm=2, grade=2, Strong realm=3"[..]]);
    let realms = |rules: &Rules| {
        let offers = offers(rules, &challenges, |_| true);
        offers.iter().map(|offer| offer.challenge.params().text("realm").unwrap_or("-").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(realms(&rules()), ["2", "1", "3", "-"]);
    assert_eq!(realms(&Rules { order: Order::AsAdded, ..rules() }), ["-", "1", "2", "3"]);
}

#[test]
fn over_plain_http_nothing_weaker_is_answered_than_what_was_accepted() {
    const BOTH: &str = "Weak realm=w, Middle realm=m, Strong realm=s";
    let (accepted, credential) = (Accepted::default(), Credential::login("a", ""));
    accepted.note(&credential, Grade { strength: 20, preference: 1 });
    let next = |uri: &str, rules: &Rules, names: &[&str], line: &str| {
        let mut walk = Walk { origin: Origin::of(&uri.parse().unwrap()).unwrap(), ..walk(names) };
        let challenges = challenge::parse([line.as_bytes()]);
        let step = walk.next(rules, &accepted, &offers(rules, &challenges, |_| true));
        (step, walk.reasons())
    };
    let answered = |seat, offer| (Step::Answer { seat, offer }, vec![]);
    let (http, https) = ("http://a.example", "https://a.example");
    let down = |scheme| vec![Unanswered::Downgrade(scheme)];
    assert_eq!(next(http, &rules(), &["a"], BOTH), answered(0, 0));
    assert_eq!(next(http, &rules(), &["a"], "Weak realm=w"), (Step::Return, down("weak")));
    assert_eq!(next(http, &rules(), &["a"], "Middle realm=m"), (Step::Return, down("middle")));
    assert_eq!(next(http, &rules(), &["a"], "Middle realm=m, grade=1"), answered(0, 0));
    // Another credential shows nothing of the first.
    assert_eq!(next(http, &rules(), &["a", "b"], "Weak realm=w"), (Step::Answer { seat: 1, offer: 0 }, down("weak")));
    assert_eq!(next(https, &rules(), &["a"], "Weak realm=w"), answered(0, 0));
    let allowing = Rules { allow_downgrade: true, ..rules() };
    assert_eq!(next(http, &allowing, &["a"], "Weak realm=w"), answered(0, 0));
}

#[test]
fn what_goes_in_advance() {
    for (setting, scope, token, login) in [
        (InAdvance::Never, Scope::Domain, false, false),
        (InAdvance::Tokens, Scope::Domain, true, false),
        (InAdvance::Tokens, Scope::Request, true, false),
        (InAdvance::Tokens, Scope::All, false, false),
        (InAdvance::Always, Scope::All, true, true),
    ] {
        assert_eq!(goes_in_advance(setting, scope, true), token, "{setting:?} {scope:?}");
        assert_eq!(goes_in_advance(setting, scope, false), login, "{setting:?} {scope:?}");
    }
}
