//! The one door of the portal: a client's token opens nothing else, an account that is not theirs is not there, and a right that is
//! missing is missing everywhere.

use axum::http::{Method, StatusCode};
use cordboard::base::id::{AccountId, CallTypeId, ContactId, DestinationId, MessageId, UserId};
use cordboard::domain::account::{Account, Contact, Destination, Reach};
use cordboard::domain::message::Message;
use cordboard::domain::message::form::Answers;
use serde_json::{Value, json};

use crate::feed::{console, hear};
use crate::support::{Got, House, PASSWORD, START, number};

/// Signs in as somebody of Imaginary Plumbing's, with these rights.
pub async fn client(house: &House, login: &str, rights: &[&str]) -> String {
    client_of(house, login, "acc_plumbing", rights).await
}

/// The same of another account.
pub async fn client_of(house: &House, login: &str, account: &str, rights: &[&str]) -> String {
    let sam = house.sign_in("sam").await;
    let accounts = json!([{"account": account, "rights": rights}]);
    let new = json!({"login": login, "name": login.to_uppercase(), "password": PASSWORD, "accounts": accounts});
    let got = house.ask(Method::POST, "/api/v1/clients", &sam, new).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    house.sign_in(login).await
}

pub const EVERYTHING: [&str; 7] = ["schedule", "messages", "contacts", "protocol", "reports", "recordings", "settings"];

pub const HERE: &str = "/api/v1/portal/accounts/acc_plumbing";

/// Another client's account, with a person, a message, a proposal and a schedule in it: the ids of the last two.
async fn other_account(house: &House) -> (String, String) {
    let plumbing = house.store.find_account(&AccountId::named("plumbing")).await.expect("a store").expect("there");
    let mut call_type = plumbing.call_types[0].clone();
    call_type.id = CallTypeId::named("others");
    call_type.protocol = None;
    let account = Account {
        id: AccountId::named("other"),
        name: "Other Ltd".into(),
        dids: vec![],
        call_types: vec![call_type.clone()],
        ..plumbing
    };
    let contact = Contact {
        id: ContactId::named("olga"),
        account: account.id.clone(),
        name: "Olga".into(),
        title: String::new(),
        language: None,
        zone: None,
        destinations: vec![Destination {
            id: DestinationId::named("olga-mobile"),
            label: "mobile".into(),
            reach: Reach::Phone(number("+12025550199")),
            ring_secs: 30,
            blocked: false,
            hours: Vec::new(),
        }],
    };
    let message = Message {
        id: MessageId::named("others"),
        account: account.id.clone(),
        call_type: call_type.id,
        call: None,
        caller: None,
        urgency: call_type.urgency,
        taken_by: Some(UserId::named("kim")),
        taken_at: START,
        begun_at: None,
        form: call_type.form,
        answers: Answers::default(),
        edition: 1,
        changed: None,
        graded: None,
    };
    let mut tx = house.store.write().await.expect("the store writes");
    tx.upsert_account(&account, START).await.expect("an account");
    tx.upsert_contact(&contact).await.expect("a contact");
    tx.insert_message(&message).await.expect("a message");
    tx.commit("test").await.expect("committed");
    let olga = client_of(house, "olga", "acc_other", &EVERYTHING).await;
    let step = json!({"method": {"kind": "text"}, "to": [{"kind": "contact", "contact": "con_olga", "destination": "mobile"}]});
    let protocol = json!({"name": "others", "steps": [step], "until": "handed_over", "call_types": ["ct_others"]});
    let path = "/api/v1/portal/accounts/acc_other/protocol_changes";
    let got = house.ask(Method::POST, path, &olga, json!({"protocol": protocol, "note": ""})).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    let change = got.json()["id"].as_str().expect("an id").to_owned();
    let turns = json!([{"people": ["con_olga"], "length": {"unit": "weeks", "count": 1}}]);
    let layer = json!({"name": "always", "rotation": {"anchor": "2026-03-02T08:00", "turns": turns}});
    let schedule = json!({"role": "technician", "layers": [layer]});
    let sam = house.sign_in("sam").await;
    let got = house.ask(Method::POST, "/api/v1/accounts/acc_other/schedules", &sam, schedule).await;
    assert_eq!(got.status, StatusCode::CREATED, "{}", got.json());
    (change, got.json()["id"].as_str().expect("an id").to_owned())
}

fn over() -> Value {
    json!({"kind": "only", "contact": "con_olga", "from": START.0, "until": START.0 + 3_600_000})
}

/// Bodies that are right, so that nothing but the door refuses them.
fn body_of(path: &str, method: &Method) -> Value {
    if *method == Method::GET || *method == Method::DELETE {
        return Value::Null;
    }
    let protocol = json!({"name": "x", "steps": [], "until": "confirmed"});
    match path.rsplit('/').next().unwrap_or_default() {
        "verification" => json!({"by": "text"}),
        "code" => json!({"code": "123456"}),
        "pin" => json!({"pin": "4711"}),
        "spoken_as" | "listen" => json!({"spoken_as": "Ol-ga"}),
        "holidays" => json!({"edition": 1, "holidays": []}),
        "status_greeting" => json!({"text": "Closed today."}),
        "recap" => json!({"times": ["08:00"], "to": []}),
        "check" => protocol,
        "protocol_changes" => json!({"protocol": protocol, "note": ""}),
        "approvals" => json!({"part": "contacts", "version": "x", "name": "Olga"}),
        "withdraw" => Value::Null,
        "overrides" => over(),
        "changes" => json!({"add": [over()]}),
        "undo" => json!({"change": 1}),
        "swap" => {
            let shift = json!({"contact": "con_olga", "from": START.0, "until": START.0 + 3_600_000});
            json!({"one": shift, "other": shift})
        }
        _ => json!({"edition": 1, "name": "Olga", "destinations": []}),
    }
}

/// Every route there is: method and path, with `{}` of what it names.
async fn routes(house: &House) -> Vec<(Method, String)> {
    let document = house.fetch("/api/openapi.json", "").await.json();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("methods").keys() {
            if let Ok(method) = method.to_uppercase().parse::<Method>()
                && [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&method)
            {
                routes.push((method, path.clone()));
            }
        }
    }
    assert!(routes.len() > 150, "{}", routes.len());
    routes
}

/// What a path may name.
fn filled(path: &str, account: &str, names: &[(&str, &str)]) -> String {
    let mut path = path.replace("{account}", account);
    for (name, value) in names {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    path
}

#[tokio::test]
async fn a_clients_token_opens_nothing_outside_the_portal() {
    let house = House::new().await;
    let ada = client(&house, "pat", &EVERYTHING).await;
    let own = ["/api/v1/me", "/api/v1/sessions/current"];
    let mut closed = 0;
    for (method, path) in routes(&house).await {
        if path.starts_with("/api/v1/portal") || own.contains(&path.as_str()) {
            continue;
        }
        // Whatever `{id}` stands for: of the kinds there are, one that exists.
        for id in ["acc_plumbing", "usr_kim", "con_ben", "ct_urgent", "pro_urgent", "msg_x", "call_1", "x"] {
            let asked = path.split('/').map(|part| if part.starts_with('{') { id } else { part }).collect::<Vec<_>>();
            let asked = asked.join("/");
            let body = if method == Method::GET { Value::Null } else { json!({}) };
            let got = house.ask(method.clone(), &asked, &ada, body.clone()).await;
            let nobody = house.ask(method.clone(), &asked, "", body).await;
            let shut = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&got.status);
            // What is no business of a token (a hook, a link, the health) answers as to anybody; where a token is asked for, it is refused.
            let same = got.status == nobody.status && nobody.headers.get("www-authenticate").is_none();
            let inbox = path.starts_with("/api/v1/inbox") && got.status == StatusCode::UNAUTHORIZED;
            assert!(shut || same || inbox, "{method} {asked}: {} ({} to nobody)", got.status, nobody.status);
            closed += u32::from(shut);
            if !path.contains('{') {
                break;
            }
        }
    }
    assert!(closed > 100, "{closed} routes refused it");
    let me = house.fetch("/api/v1/me", &ada).await.json();
    assert_eq!((&me["user"]["role"], me.get("seat")), (&json!("client"), None));
    assert_eq!(
        house.ask(Method::DELETE, "/api/v1/sessions/current", &ada, Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn a_client_sees_nothing_live() {
    let house = House::new().await;
    let pat = client(&house, "pat", &EVERYTHING).await;
    let mut socket = console(house.listen().await, &pat).await;
    let told = hear(&mut socket).await;
    assert_eq!((&told["type"], &told["code"]), (&json!("problem"), &json!("auth.role")));
    assert!(hear(&mut socket).await.get("close").is_some());
}

#[tokio::test]
async fn what_is_of_another_account_answers_as_what_is_not_there() {
    let house = House::new().await;
    let (change, schedule) = other_account(&house).await;
    let pat = client(&house, "pat", &EVERYTHING).await;
    let theirs = [
        ("messages/{id}", "msg_others"),
        ("contacts/{id}", "con_olga"),
        ("protocol_changes/{id}", change.as_str()),
        ("schedules/{id}", schedule.as_str()),
    ];
    let mut tried = 0;
    for (method, path) in routes(&house).await {
        let Some(below) = path.strip_prefix("/api/v1/portal/accounts/{account}/") else { continue };
        let body = body_of(&path, &method);
        // Their account, and one that there is not.
        let id = theirs.iter().find(|(of, _)| below.starts_with(of)).map_or("x", |(_, id)| *id);
        let names = [("id", id), ("destination", "dst_olga-mobile"), ("over", "ovr_x")];
        let theirs_got = house.ask(method.clone(), &filled(&path, "acc_other", &names), &pat, body.clone()).await;
        let missing = house.ask(method.clone(), &filled(&path, "acc_nowhere", &names), &pat, body.clone()).await;
        alike(&method, &path, &theirs_got, &missing);
        tried += 1;
        // My account, with what is theirs in it.
        if below.contains("{id}") {
            let got = house.ask(method.clone(), &filled(&path, "acc_plumbing", &names), &pat, body.clone()).await;
            let kind = id.split('_').next().expect("a prefix");
            let nobody = format!("{kind}_nobody");
            let none = [("id", nobody.as_str()), ("destination", "dst_olga-mobile"), ("over", "ovr_x")];
            let missing = house.ask(method.clone(), &filled(&path, "acc_plumbing", &none), &pat, body).await;
            alike(&method, &path, &got, &missing);
        }
    }
    assert!(tried > 25, "{tried}");
    // A destination of somebody else's within my own account.
    let path = format!("{HERE}/contacts/con_ben/destinations/dst_olga-mobile/verification");
    assert_eq!(house.ask(Method::POST, &path, &pat, json!({"by": "text"})).await.status, StatusCode::NOT_FOUND);
    // And nothing of theirs has changed.
    let olga = house.store.find_contact(&ContactId::named("olga")).await.expect("a store").expect("still there");
    assert_eq!((olga.name.as_str(), olga.destinations.len()), ("Olga", 1));
}

fn alike(method: &Method, path: &str, got: &Got, missing: &Got) {
    assert_eq!(got.status, StatusCode::NOT_FOUND, "{method} {path}: {:?}", String::from_utf8_lossy(&got.body));
    assert_eq!((got.status, &got.body), (missing.status, &missing.body), "{method} {path}");
}

#[tokio::test]
async fn a_right_that_is_missing_is_missing_on_every_route() {
    let house = House::new().await;
    // Nobody has none: this one may see schedules, which are tried in `portal_schedules`.
    let pat = client(&house, "pat", &["schedule"]).await;
    for (method, path) in routes(&house).await {
        let Some(below) = path.strip_prefix("/api/v1/portal/accounts/{account}/") else { continue };
        let schedules = ["schedules", "calendar", "on_call"].iter().any(|known| below.starts_with(known));
        if schedules || below == "going_live" {
            continue;
        }
        let asked = filled(&path, "acc_plumbing", &[("id", "con_ben"), ("destination", "dst_ben-mobile")]);
        let got = house.ask(method.clone(), &asked, &pat, body_of(&path, &method)).await;
        assert_eq!((got.status, got.problem().as_str()), (StatusCode::FORBIDDEN, "portal.right"), "{method} {path}");
    }
    // How the account stands they may know, and not what they may not read.
    let stands = house.fetch(&format!("{HERE}/going_live"), &pat).await.json();
    assert_eq!(stands["state"], "draft");
    assert!(stands["parts"].as_array().expect("parts").iter().all(|part| part["lines"] == json!([])), "{stands}");
}

#[tokio::test]
async fn operators_have_no_portal_and_nobody_signs_in_who_is_locked() {
    let house = House::new().await;
    for login in ["kim", "sam", "ada"] {
        let token = house.sign_in(login).await;
        assert_eq!(house.fetch("/api/v1/portal", &token).await.problem(), "auth.role");
        assert_eq!(house.fetch(&format!("{HERE}/messages"), &token).await.problem(), "auth.role");
    }
    let pat = client(&house, "pat", &["messages"]).await;
    let home = house.fetch("/api/v1/portal", &pat).await.json();
    assert_eq!(home["accounts"][0]["rights"], json!(["messages"]));
    assert_eq!(home["accounts"][0]["missing"], json!(["scripts", "contacts", "escalation"]));
    let sam = house.sign_in("sam").await;
    let listed = house.fetch("/api/v1/clients", &sam).await.json();
    let path = format!("/api/v1/clients/{}", listed["items"][0]["id"].as_str().expect("an id"));
    // Another right counts from the next request on.
    let accounts = json!([{"account": "acc_plumbing", "rights": ["reports"]}]);
    let got = house.ask(Method::PATCH, &path, &sam, json!({"accounts": accounts})).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.json());
    let got = house.fetch(&format!("{HERE}/messages"), &pat).await;
    assert_eq!(got.problem(), "portal.right");
    assert_eq!(got.json()["detail"], "Your log-in has no right to this: ask your answering service for it.");
    // The menu is drawn by what is left.
    let home = house.fetch("/api/v1/portal", &pat).await.json();
    assert_eq!(home["accounts"][0]["rights"], json!(["reports"]));
    assert_eq!(house.fetch(&format!("{HERE}/report"), &pat).await.status, StatusCode::OK);
    // Locked, no clock has to move.
    house.ask(Method::PATCH, &path, &sam, json!({"disabled": true})).await;
    assert_eq!(house.fetch("/api/v1/portal", &pat).await.problem(), "auth.ended");
    let sign_in = json!({"login": "pat", "password": PASSWORD});
    assert_eq!(house.ask(Method::POST, "/api/v1/sessions", "", sign_in).await.problem(), "auth.wrong");
}

#[tokio::test]
async fn clients_are_made_by_the_service_alone_and_belong_to_accounts() {
    let house = House::new().await;
    let (kim, sam, ada) = (house.sign_in("kim").await, house.sign_in("sam").await, house.sign_in("ada").await);
    assert_eq!(house.fetch("/api/v1/clients", &kim).await.problem(), "auth.role");
    let none = json!({"login": "pat", "name": "Pat", "password": PASSWORD, "accounts": []});
    let got = house.ask(Method::POST, "/api/v1/clients", &sam, none).await;
    assert_eq!(
        (got.status, &got.json()["errors"][0]["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("client.accounts"))
    );
    let wrong = json!([{"account": "acc_nowhere", "rights": []}]);
    let new = json!({"login": "pat", "name": "Pat", "password": PASSWORD, "accounts": wrong});
    let got = house.ask(Method::POST, "/api/v1/clients", &sam, new).await.json();
    let codes: Vec<&str> =
        got["errors"].as_array().expect("errors").iter().filter_map(|e| e["code"].as_str()).collect();
    assert_eq!(codes, ["client.account", "client.rights"]);
    // Nor does an admin make one where operators are made, or an operator of a client.
    let user = json!({"login": "pat", "role": "client", "password": PASSWORD});
    assert_eq!(house.ask(Method::POST, "/api/v1/users", &ada, user).await.problem(), "user.invalid");
    client(&house, "pat", &["messages"]).await;
    let listed = house.fetch("/api/v1/users", &ada).await.json();
    assert!(listed["items"].as_array().expect("users").iter().all(|user| user["role"] != "client"), "{listed}");
    let id = house.fetch("/api/v1/clients", &sam).await.json()["items"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/users/{id}");
    assert_eq!(house.ask(Method::PATCH, &path, &ada, json!({"role": "admin"})).await.status, StatusCode::NOT_FOUND);
    let path = "/api/v1/clients/usr_kim";
    assert_eq!(house.ask(Method::PATCH, path, &sam, json!({"disabled": true})).await.status, StatusCode::NOT_FOUND);
}
