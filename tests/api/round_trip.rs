//! Accounts as documents: out of one account and into another, and out again, the same text; and what an import refuses, as
//! saving does.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

use cordboard::base::rng::Rng;
use cordboard::engine::clients::Refusal;
use cordboard::engine::clients::document::Document;
use serde_json::{Value, json};

use crate::support::House;

/// Any account that could be written: people, of whom some have the same name, and hours and menus that lead to them.
struct Writer(Rng);

impl Writer {
    fn below(&mut self, n: u64) -> u64 {
        self.0.below(n)
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()].clone()
    }

    fn speech(&mut self) -> Value {
        match self.below(2) {
            0 => json!({"kind": "spoken", "text": format!("Words {}.", self.below(1_000))}),
            _ => json!({"kind": "recorded", "prompt": "apology"}),
        }
    }

    /// As documents write them: who is not the only one of a name by number.
    fn people(&mut self) -> (Vec<Value>, Vec<String>) {
        let names: Vec<&str> = (0..1 + self.below(5)).map(|_| self.pick(&["Ann", "Ben", "ben", "Cy #2"])).collect();
        let contacts = names.iter().enumerate().map(|(n, name)| {
            let address = format!("+1202555{:04}", 1_000 + n);
            let phone = json!({"label": "mobile", "reach": {"kind": "phone", "address": address}, "ring_secs": 20 + n});
            let email = json!({"label": "email", "reach": {"kind": "email", "address": format!("{n}@example.com")}});
            json!({"name": name, "title": if n % 2 == 0 { "doctor" } else { "" }, "destinations": [phone, email]})
        });
        let same = |one: &&&str, name: &str| one.to_lowercase() == name.to_lowercase();
        let written = names.iter().enumerate().map(|(n, name)| {
            let all = names.iter().filter(|one| same(one, name)).count();
            let before = names[..n].iter().filter(|one| same(one, name)).count();
            if all == 1 { (*name).to_owned() } else { format!("{name} #{}", before + 1) }
        });
        (contacts.collect(), written.collect())
    }

    fn flow(&mut self, people: &[String], menus: bool) -> Value {
        let call_type = if self.below(2) == 0 { json!("Urgent") } else { Value::Null };
        match self.below(if menus { 7 } else { 6 }) {
            0 => json!({"kind": "queue", "priority": self.below(9), "call_type": call_type}),
            1 => json!({"kind": "voicemail", "speech": self.speech(), "call_type": "Routine"}),
            2 => json!({"kind": "announcement", "speech": self.speech()}),
            3 => json!({"kind": "check_in"}),
            4 => json!({"kind": "spill", "number": "+12025559999", "ring_secs": 25, "failed": "apology"}),
            5 => {
                let mut whom = vec![json!({"by": "role", "role": "technician"})];
                for _ in 0..self.below(3) {
                    whom.push(json!({"by": "contact", "contact": self.pick(people)}));
                }
                let failed = match self.below(3) {
                    0 => json!({"kind": "queue", "call_type": call_type}),
                    1 => json!({"kind": "voicemail", "speech": self.speech(), "call_type": "Urgent"}),
                    _ => json!({"kind": "apology"}),
                };
                json!({"kind": "patch", "whom": whom, "speech": null, "failed": failed})
            }
            _ => json!({"kind": "menu", "menu": "main"}),
        }
    }

    fn hours(&mut self, people: &[String], did: &str) -> Value {
        let windows: Vec<_> = (0..self.below(3))
            .map(|n| {
                let flow = self.flow(people, true);
                json!({"name": format!("w{n}"), "days": ["monday"], "from": "18:00", "until": "08:00", "flow": flow})
            })
            .collect();
        let holidays: Vec<_> = (0..self.below(2))
            .map(|_| json!({"name": "Christmas", "date": "12-25", "greeting": self.speech(), "flow": self.flow(people, true)}))
            .collect();
        let overrides: Vec<_> = (0..self.below(2))
            .map(|_| json!({"from": 1, "until": 2, "reason": "storm", "made_at": 0, "flow": self.flow(people, true)}))
            .collect();
        let check_in = if self.below(2) == 0 { json!(did) } else { Value::Null };
        let usual = self.flow(people, true);
        json!({"usual": usual, "windows": windows, "holidays": holidays, "overrides": overrides, "check_in": check_in})
    }

    fn document(&mut self) -> Value {
        let (contacts, people) = self.people();
        let did = "+12025550701";
        let rotation = json!({"people": [self.pick(&people), self.pick(&people)], "anchor": "2026-11-02T08:00",
            "length": {"unit": "weeks", "count": 1}});
        let rotation = if self.below(2) == 0 { rotation } else { Value::Null };
        let schedule = json!({"role": "technician", "fallback": self.pick(&people), "rotation": rotation});
        let to = json!([{"kind": "contact", "contact": self.pick(&people), "destination": "mobile"},
            {"kind": "on_call", "role": "technician", "destination": "mobile"}]);
        let recap = json!({"times": ["08:00", "17:30"], "empty": self.below(2) == 0,
            "to": [{"contact": self.pick(&people), "destination": "email"}]});
        let recap = if self.below(2) == 0 { recap } else { Value::Null };
        let protocol = json!({"name": "Tell", "until": "confirmed", "repeat": {"from_step": 1},
            "steps": [{"method": {"kind": "text_confirm"}, "to": to, "wait_secs": 60 * self.below(20)}]});
        let form = json!({"fields": [{"label": "Name", "kind": {"kind": "text"}, "required": true}]});
        let call_type = |name: &str, urgency: &str, protocol: Value| json!({"name": name, "urgency": urgency, "form": form, "protocol": protocol});
        let hold = json!({"name": "Hold", "until": "handed_over",
            "steps": [{"method": {"kind": "hold_for_recap"}, "to": []}]});
        let routine = if recap.is_null() { Value::Null } else { json!("Hold") };
        let protocols = if recap.is_null() { vec![protocol] } else { vec![protocol, hold] };
        let exit = self.flow(&people, false);
        let nodes = json!([
            {"id": "ask", "step": "gather", "speech": self.speech(), "choices":
                [{"digits": "1", "label": "them", "next": "out"}]},
            {"id": "out", "step": "exit", "flow": exit},
        ]);
        let otherwise = self.flow(&people, false);
        let menus = json!([{"name": "main", "start": "ask", "nodes": nodes, "otherwise": otherwise}]);
        json!({
            "account": {"name": "First Account", "zone": "America/Chicago", "dids": [did, "+12025550702"],
                "greeting": self.speech(), "priority": self.below(5)},
            "contacts": contacts, "schedules": [schedule], "protocols": protocols,
            "call_types": [call_type("Urgent", "urgent", json!("Tell")), call_type("Routine", "routine", routine)],
            "recap": recap,
            "flow": {"hours": self.hours(&people, did), "menus": menus},
        })
    }
}

fn read(document: &Value) -> Document {
    serde_json::from_value(document.clone()).unwrap_or_else(|why| panic!("{why}: {document:#}"))
}

/// The same account under another name and other numbers.
fn renamed(text: &str) -> String {
    text.replace("First Account", "Other Account").replace("+1202555070", "+1202555080")
}

async fn export(house: &House, name: &str) -> String {
    let document = house.front.clients.export(name).await.expect("it is there");
    serde_json::to_string_pretty(&document).unwrap()
}

/// What an import refuses: pointers, codes, and all words.
async fn refused(house: &House, document: &Value) -> (Vec<(String, String)>, String) {
    match house.front.clients.import(&read(document)).await {
        Err(Refusal::Faulty(faults)) => {
            let told = faults.iter().map(|f| (f.pointer.clone(), f.code.to_string())).collect();
            (told, faults.iter().map(|f| format!("{} {}\n", f.detail, f.cure)).collect())
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn what_is_exported_and_imported_into_another_account_is_exported_as_the_same_text() {
    let house = House::new().await;
    let (mut patched, mut recaps) = (0, 0);
    for seed in 0..60 {
        let document = Writer(Rng::seeded(seed)).document();
        let clients = &house.front.clients;
        let imported = clients.import(&read(&document)).await;
        imported.unwrap_or_else(|why| panic!("seed {seed}: {why:?}: {document:#}"));
        let first = export(&house, "First Account").await;
        assert!(!first.contains("con_") && !first.contains("ct_"), "seed {seed}: bare identifiers: {first}");
        let other: Document = serde_json::from_str(&renamed(&first)).unwrap();
        clients.import(&other).await.unwrap_or_else(|why| panic!("seed {seed}: {why:?}: {first}"));
        assert_eq!(export(&house, "Other Account").await, renamed(&first), "seed {seed}");
        // Read again where it came from, it changes nothing.
        clients.import(&serde_json::from_str(&first).unwrap()).await.unwrap();
        assert_eq!(export(&house, "First Account").await, first, "seed {seed}");
        recaps += first.matches(r#""recap": {"#).count();
        patched += first.matches(r#""by": "contact""#).count();
        for name in ["First Account", "Other Account"] {
            let account = house.store.find_account_by_name(name).await.unwrap().unwrap();
            forget(&house, &account.id).await;
        }
    }
    assert!(patched > 5, "{patched} patches to somebody by name");
    assert!(recaps > 10, "{recaps} recaps");
}

/// Their numbers and names are free for the next.
async fn forget(house: &House, id: &cordboard::base::id::AccountId) {
    let mut account = house.store.find_account(id).await.unwrap().unwrap();
    account.name = format!("past {id}");
    account.dids.clear();
    account.hours = Default::default();
    account.menus.clear();
    let mut tx = house.store.write().await.unwrap();
    tx.upsert_account(&account, cordboard::base::clock::Clock::utc(&house.clock)).await.unwrap();
    tx.commit("test").await.unwrap();
}

/// A document whose usual flow is this one.
fn usually(flow: Value) -> Value {
    let mut document = Writer(Rng::seeded(1)).document();
    document["flow"] = json!({"hours": {"usual": flow}});
    document
}

fn at(pointer: &str, code: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), code.to_owned())]
}

#[tokio::test]
async fn an_import_refuses_whom_callers_cannot_be_put_through_to() {
    let house = House::new().await;
    let patch = |whom: Value| usually(json!({"kind": "patch", "whom": [whom]}));
    let (told, words) = refused(&house, &patch(json!({"by": "contact", "contact": "Dee"}))).await;
    assert_eq!(told, at("/flow", "flow.unknown_contact"));
    assert!(words.contains("There is no contact called Dee"), "{words}");
    let (told, _) = refused(&house, &patch(json!({"by": "role", "role": "plumber"}))).await;
    assert_eq!(told, at("/flow/hours/usual/whom/0/role", "flow.unknown_role"));
    let mut mute = patch(json!({"by": "contact", "contact": "Eve"}));
    let email = json!({"label": "email", "reach": {"kind": "email", "address": "eve@example.com"}});
    mute["contacts"].as_array_mut().unwrap().push(json!({"name": "Eve", "destinations": [email]}));
    let (told, _) = refused(&house, &mute).await;
    assert_eq!(told, at("/flow/hours/usual/whom/0/contact", "flow.no_telephone"));
}

#[tokio::test]
async fn an_import_that_takes_a_contacts_telephone_away_says_who_is_put_through_to_it() {
    let house = House::new().await;
    let mut document = usually(json!({"kind": "patch", "whom": [{"by": "contact", "contact": "Eve"}]}));
    let phone = json!({"label": "mobile", "reach": {"kind": "phone", "address": "+12025551099"}});
    document["contacts"].as_array_mut().unwrap().push(json!({"name": "Eve", "destinations": [phone]}));
    house.front.clients.import(&read(&document)).await.unwrap();
    let email = json!({"label": "email", "reach": {"kind": "email", "address": "eve@example.com"}});
    document["contacts"].as_array_mut().unwrap().last_mut().unwrap()["destinations"] = json!([email]);
    document.as_object_mut().unwrap().remove("flow");
    let (told, _) = refused(&house, &document).await;
    assert_eq!(told, at("", "flow.no_telephone"));
}

#[tokio::test]
async fn an_import_refuses_numbers_of_this_house_and_words_that_cannot_be_said() {
    let house = House::new().await;
    let spill = |number: &str| usually(json!({"kind": "spill", "number": number}));
    // Imaginary Plumbing's.
    let (told, words) = refused(&house, &spill("+12025550102")).await;
    assert_eq!(told, at("/flow/hours/usual/number", "flow.round"));
    assert!(words.contains("Imaginary Plumbing"), "{words}");
    let (told, _) = refused(&house, &spill("+911")).await;
    assert_eq!(told, at("/flow/hours/usual/number", "flow.spill_number"));
    let gone = json!({"kind": "announcement", "speech": {"kind": "recorded", "prompt": "no-such-prompt"}});
    let (told, _) = refused(&house, &usually(gone)).await;
    assert_eq!(told, at("/flow/hours/usual/speech", "speech.no_recording"));
}

#[tokio::test]
async fn two_schedules_for_one_role_are_refused() {
    let house = House::new().await;
    let mut document = Writer(Rng::seeded(2)).document();
    let mut twice = document["schedules"][0].clone();
    twice["role"] = json!(" technician ");
    document["schedules"].as_array_mut().unwrap().push(twice);
    let (told, _) = refused(&house, &document).await;
    assert_eq!(told, at("/schedules/1/role", "schedule.role_twice"));
}

#[tokio::test]
async fn an_import_refuses_a_recap_to_nobody_and_a_protocol_that_holds_for_none() {
    let house = House::new().await;
    let with = (0..).map(|seed| Writer(Rng::seeded(seed)).document()).find(|d| !d["recap"].is_null()).unwrap();
    let mut none = with.clone();
    none.as_object_mut().unwrap().remove("recap");
    let (told, words) = refused(&house, &none).await;
    assert_eq!(told, at("", "protocol.no_recap"));
    assert!(words.contains("The protocol Hold, which is in force"), "{words}");
    let mut unknown = with.clone();
    unknown["recap"]["to"] = json!([{"contact": "Dee", "destination": "email"}]);
    assert!(refused(&house, &unknown).await.0.contains(&at("/recap/to/0/contact", "contact.unknown")[0]));
    let mut by_phone = with.clone();
    by_phone["recap"]["to"][0]["destination"] = json!("mobile");
    assert!(refused(&house, &by_phone).await.0.contains(&at("/recap/to/0/destination", "recap.no_email")[0]));
    // Once it is set, a document without one keeps it, and does not take the address away.
    house.front.clients.import(&read(&with)).await.unwrap();
    let imported = house.front.clients.import(&read(&none)).await.unwrap();
    let kept = house.front.clients.find_recap_plan(&imported.account.id).await.unwrap().expect("it is kept");
    assert_eq!(kept.plan.times.len(), 2);
    for contact in none["contacts"].as_array_mut().unwrap() {
        contact["destinations"].as_array_mut().unwrap().truncate(1);
    }
    assert_eq!(refused(&house, &none).await.0, at("/recap/to/0/destination", "recap.no_email"));
}
