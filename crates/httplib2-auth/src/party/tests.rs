use super::*;
use crate::{Basic, Credential, InAdvance, Scheme};

fn shared(credentials: &Credentials) -> Arc<Shared> {
    let rules = Rules { secrets_over_http: true, in_advance: InAdvance::Always, ..Rules::default() };
    let schemes: Vec<Arc<dyn Scheme>> = vec![Arc::new(Basic)];
    Arc::new(Shared { rules: Rules { schemes, ..rules }, credentials: credentials.clone(), spaces: Arc::default() })
}

fn party(shared: &Arc<Shared>) -> Party {
    match shared.party(&"http://a.example/".parse().unwrap(), &Extensions::new()) {
        Concern::Party(party) => party,
        Concern::None | Concern::Unmatched(_) => panic!("there are credentials"),
    }
}

fn learn(party: &Party, site: &Site, validity: Validity) {
    let credential = Credential::login("u", "p");
    let made = party.signer_in_advance(&credential).unwrap();
    let learnt = Learnt::new(party.origin(), made, (credential, Scope::All), validity);
    site.learn(vec!["/".into()], &Arc::new(learnt));
}

#[test]
fn what_a_request_learns_that_began_before_the_credentials_were_cleared_is_never_used() {
    let credentials = Credentials::new();
    credentials.add(Credential::login("u", "p"));
    let shared = shared(&credentials);
    let before = party(&shared);
    credentials.clear();
    credentials.add(Credential::login("u", "p"));
    // It learns although all was forgotten in the meantime, and its site is known anew.
    let after = party(&shared);
    let challenged = |party: &Party| Validity { changes: None, ..party.validity };
    learn(&before, &after.site, challenged(&before));
    assert!(after.nearest("/").is_none());
    learn(&after, &after.site, challenged(&after));
    assert!(after.nearest("/").is_some());
}

#[test]
fn what_was_never_challenged_for_is_asked_for_anew_when_credentials_were_added() {
    let credentials = Credentials::new();
    credentials.add(Credential::login("u", "p"));
    let shared = shared(&credentials);
    let before = party(&shared);
    learn(&before, &before.site, before.validity);
    assert!(before.nearest("/").is_some());
    credentials.add(Credential::login("v", "p"));
    assert!(party(&shared).nearest("/").is_none());
}

#[test]
fn who_waited_while_the_credentials_were_cleared_signs_with_nothing_that_was_known_before() {
    let credentials = Credentials::new();
    credentials.add(Credential::login("u", "p"));
    let shared = shared(&credentials);
    let waiting = party(&shared);
    learn(&waiting, &waiting.site, waiting.validity);
    assert!(waiting.nearest("/").is_some() && !waiting.is_revoked());
    credentials.clear();
    assert!(waiting.nearest("/").is_none() && waiting.is_revoked());
}
