//! Several providers of texts as one: whose number the account has goes first, then by priority; one that certainly does
//! not take a text for now is passed over for the next.
//!
//! What always holds: a text that may have been taken is given to no other provider by this, so that nobody is texted twice;
//! and one that is refused for good (a landline, STOP) is refused.

use std::sync::Arc;

use crate::base::phone::PhoneNumber;
use crate::domain::dispatch::event::Failure;
use crate::io::deliver::{Answer, Delivery, Heard, Hearing, TextMessage, Texter};
use crate::proto::sms::alphabet::{Alphabet, Coding};
use crate::proto::sms::parts::measure;

/// One of them.
pub struct Provider {
    pub name: String,
    /// Lower goes first.
    pub priority: i64,
    /// The number that texts come from, and further ones of ours with it.
    pub numbers: Vec<PhoneNumber>,
    pub texter: Arc<dyn Texter>,
}

/// All of them.
pub struct Providers(Vec<Provider>);

impl Providers {
    pub fn new(mut providers: Vec<Provider>) -> Self {
        providers.sort_by_key(|provider| provider.priority);
        Self(providers)
    }

    /// In which order they are tried for a text, and which of the account's numbers each sends it from.
    fn pick_order(&self, own: &[PhoneNumber]) -> Vec<(&Provider, Option<PhoneNumber>)> {
        let of_account = |provider: &Provider| own.iter().find(|number| provider.numbers.contains(number)).cloned();
        let mut order: Vec<_> = self.0.iter().map(|provider| (provider, of_account(provider))).collect();
        order.sort_by_key(|(_, from)| from.is_none());
        order
    }

    async fn deliver(&self, text: &TextMessage) -> Heard {
        let mut first = None;
        for (provider, from) in self.pick_order(&text.own) {
            let heard = provider.texter.send_and_hear(&TextMessage { from, ..text.clone() }).await;
            match &heard.delivery {
                Delivery::Failed { failure: Failure::Temporary, why } => {
                    tracing::warn!(provider = provider.name, why, "a provider does not take a text");
                    metrics::counter!("cordboard_texts_passed_over_total").increment(1);
                    first = first.or(Some(heard));
                }
                Delivery::Accepted { .. } => {
                    count_parts(&provider.name, &text.body);
                    return heard;
                }
                Delivery::Failed { .. } => return heard,
            }
        }
        first.unwrap_or_else(|| Delivery::failed(Failure::Temporary, "not_configured").into())
    }
}

/// What it costs: carriers bill each part of a long text, and a single letter outside the GSM alphabet makes parts shorter by half.
fn count_parts(provider: &str, body: &str) {
    // What the network bills, whatever the carrier takes it in.
    let size = measure(body, Alphabet::Gsm7);
    let coding = if size.coding == Coding::Gsm7 { "gsm7" } else { "ucs2" };
    let parts = u64::try_from(size.parts).unwrap_or(u64::MAX);
    metrics::counter!("cordboard_text_parts_total", "provider" => provider.to_owned(), "coding" => coding)
        .increment(parts);
}

impl Texter for Providers {
    fn send<'a>(&'a self, text: &'a TextMessage) -> Answer<'a> {
        Box::pin(async move { self.deliver(text).await.delivery })
    }

    fn send_and_hear<'a>(&'a self, text: &'a TextMessage) -> Hearing<'a> {
        Box::pin(self.deliver(text))
    }

    fn pick_provider(&self, own: &[PhoneNumber]) -> Option<String> {
        self.pick_order(own).first().map(|(provider, _)| provider.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::base::id::AttemptId;

    type Sent = Arc<Mutex<Vec<(&'static str, Option<String>)>>>;

    struct Double(&'static str, Delivery, Sent);

    impl Texter for Double {
        fn send<'a>(&'a self, text: &'a TextMessage) -> Answer<'a> {
            let from = text.from.as_ref().map(|number| number.as_e164().to_owned());
            self.2.lock().expect("unpoisoned").push((self.0, from));
            let answer = self.1.clone();
            Box::pin(async move { answer })
        }
    }

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text).expect("a valid number")
    }

    const ONE: &str = "+12025550101";
    const TWO: &str = "+12025550102";

    async fn send(own: &[&str], answers: [Delivery; 2]) -> (Delivery, Vec<(&'static str, Option<String>)>) {
        let sent = Sent::default();
        let provider = |name, priority, from, answer| Provider {
            name: String::from(name),
            priority,
            numbers: vec![number(from)],
            texter: Arc::new(Double(name, answer, sent.clone())),
        };
        let [one, two] = answers;
        let providers = Providers::new(vec![provider("two", 20, TWO, two), provider("one", 10, ONE, one)]);
        let own = own.iter().map(|text| number(text)).collect();
        let text = TextMessage {
            attempt: AttemptId::named("a"),
            to: number("+12025550110"),
            own,
            from: None,
            body: "x".into(),
        };
        let delivery = providers.send(&text).await;
        let sent = sent.lock().expect("unpoisoned").clone();
        (delivery, sent)
    }

    fn taken(id: &str) -> Delivery {
        Delivery::Accepted { provider_id: Some(id.to_owned()) }
    }

    fn failed(failure: Failure) -> Delivery {
        Delivery::failed(failure, "x")
    }

    #[tokio::test]
    async fn the_account_s_own_number_picks_its_provider_and_priority_the_rest() {
        let (delivery, sent) = send(&[], [taken("1"), taken("2")]).await;
        assert_eq!((delivery, sent), (taken("1"), vec![("one", None)]));
        let (delivery, sent) = send(&["+12025550199", TWO], [taken("1"), taken("2")]).await;
        assert_eq!((delivery, sent), (taken("2"), vec![("two", Some(TWO.to_owned()))]));
    }

    #[tokio::test]
    async fn one_that_is_down_is_passed_over_and_one_that_may_have_it_is_not() {
        let (delivery, sent) = send(&[], [failed(Failure::Temporary), taken("2")]).await;
        assert_eq!((delivery, sent.len()), (taken("2"), 2));
        let (delivery, sent) = send(&[TWO], [taken("1"), failed(Failure::Temporary)]).await;
        assert_eq!((delivery, sent), (taken("1"), vec![("two", Some(TWO.to_owned())), ("one", None)]));
        for failure in [Failure::Unknown, Failure::Permanent] {
            let (delivery, sent) = send(&[], [failed(failure), taken("2")]).await;
            assert_eq!((delivery, sent.len()), (failed(failure), 1));
        }
        let (delivery, sent) = send(&[], [failed(Failure::Temporary), failed(Failure::Temporary)]).await;
        assert_eq!((delivery, sent.len()), (failed(Failure::Temporary), 2));
    }

    #[test]
    fn it_says_beforehand_whom_it_asks_first() {
        let provider = |name: &str, priority, from| Provider {
            name: name.to_owned(),
            priority,
            numbers: vec![number(from)],
            texter: Arc::new(crate::io::deliver::NotConfigured),
        };
        let providers = Providers::new(vec![provider("two", 20, TWO), provider("one", 10, ONE)]);
        assert_eq!(providers.pick_provider(&[]).as_deref(), Some("one"));
        assert_eq!(providers.pick_provider(&[number(TWO)]).as_deref(), Some("two"));
        assert_eq!(Providers::new(vec![]).pick_provider(&[]), None);
    }
}
