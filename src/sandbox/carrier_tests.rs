//! Two sandboxes call each other over real loopback sockets; texts and replies go over real HTTP.

use std::sync::Mutex;

use axum::Form;
use axum::extract::{OriginalUri, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;

use super::*;
use crate::base::clock::SystemClock;
use crate::sandbox::exchange::{Action, OrderError};
use crate::sandbox::phone::Mode;

const CALLER: &str = "+12025550190";
const BEN: &str = "+12025550110";

fn number(text: &str) -> PhoneNumber {
    PhoneNumber::parse(text).expect("a number")
}

async fn carrier(ports: RangeInclusive<u16>, http_base: &str) -> Carrier {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = SandboxConfig {
        clock: Arc::new(SystemClock),
        sip_bind: loopback,
        trunk_target: loopback,
        rtp_ports: ports,
        smtp_bind: loopback,
        http_base: http_base.to_owned(),
        inbound_path: "/hooks/sms/sandbox/inbound".to_owned(),
        sms_sid: "ACsandbox".to_owned(),
        sms_token: "secret".to_owned(),
        caller: number(CALLER),
        phones: vec![PhoneEntry { number: number(BEN), name: "Ben".to_owned(), title: "mobile".to_owned() }],
        mailboxes: Vec::new(),
        numbers: Vec::new(),
        logins: Vec::new(),
    };
    Carrier::start(config).await.expect("a sandbox starts")
}

/// Waits until the page shows what is looked for.
async fn shows(carrier: &Carrier, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let mut view = carrier.exchange().view();
    let seen = async {
        loop {
            let now: Value = serde_json::from_str(&view.borrow_and_update()).expect("JSON");
            if is_it(&now) {
                return now;
            }
            view.changed().await.expect("the sandbox lives");
        }
    };
    tokio::time::timeout(Duration::from_secs(10), seen).await.unwrap_or_else(|_| panic!("never shown: {what}"))
}

async fn orders(carrier: &Carrier, phone: &str, action: Action) {
    carrier.exchange().phone(number(phone), action, None).await.expect("the order fits");
}

fn ben(view: &Value, state: &str) -> bool {
    view["phones"][0]["state"] == state
}

fn me(view: &Value, state: &str) -> bool {
    view["caller"]["state"] == state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_rings_is_answered_declined_given_up_or_refused() {
    let (ours, theirs) =
        (carrier(28_000..=28_099, "http://127.0.0.1:9").await, carrier(28_100..=28_199, "http://127.0.0.1:9").await);
    ours.exchange().aim(theirs.sip_addr()).await;
    theirs.exchange().aim(ours.sip_addr()).await;
    let dial = || Action::Dial("202 555 0110".to_owned());

    orders(&ours, CALLER, dial()).await;
    shows(&ours, "it rings there", |v| me(v, "alerting")).await;
    let view = shows(&theirs, "Ben's phone rings", |v| ben(v, "ringing")).await;
    assert_eq!(view["phones"][0]["with"], CALLER);
    let early = theirs.exchange().phone(number(BEN), Action::Key('1'), None).await;
    assert_eq!(early, Err(OrderError::NotNow));
    orders(&theirs, BEN, Action::Answer).await;
    shows(&ours, "the caller is connected", |v| me(v, "talking")).await;
    orders(&theirs, BEN, Action::Key('1')).await;
    orders(&ours, CALLER, Action::HangUp).await;
    let view = shows(&theirs, "Ben's call is over", |v| ben(v, "idle")).await;
    assert!(view["phones"][0]["last"].as_str().is_some_and(|l| l.starts_with("They hung up")), "{view}");

    orders(&ours, CALLER, dial()).await;
    shows(&theirs, "Ben's phone rings", |v| ben(v, "ringing")).await;
    orders(&theirs, BEN, Action::Decline).await;
    let refused = |view: &Value| me(view, "idle") && view["caller"]["last"] == "The call was refused.";
    shows(&ours, "the refusal", refused).await;

    orders(&ours, CALLER, dial()).await;
    shows(&theirs, "Ben's phone rings", |v| ben(v, "ringing")).await;
    orders(&ours, CALLER, Action::HangUp).await;
    let missed = |v: &Value| v["phones"][0]["last"].as_str().is_some_and(|l| l.starts_with("Missed"));
    shows(&theirs, "a missed call", missed).await;

    orders(&theirs, BEN, Action::SetMode(Mode::Busy)).await;
    orders(&ours, CALLER, dial()).await;
    shows(&ours, "busy", |v| v["caller"]["last"] == "The line is busy.").await;

    orders(&ours, CALLER, Action::Dial("2025550111".to_owned())).await;
    shows(&ours, "no such number", |v| v["caller"]["last"] == "That number is not in service.").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handset_is_offered_and_a_useless_answer_closes_it() {
    let carrier = carrier(28_200..=28_299, "http://127.0.0.1:9").await;
    let (id, offer) = carrier.exchange().open_handset().await.expect("a handset");
    assert!(offer.contains("UDP/TLS/RTP/SAVPF"), "{offer}");
    carrier.exchange().answer_handset(id, "nonsense".to_owned()).await.expect("the answer is handed on");
    assert_eq!(carrier.exchange().answer_handset(999, String::new()).await, Err(OrderError::NoHandset));
    for _ in 0..7 {
        carrier.exchange().open_handset().await.expect("a handset");
    }
    carrier.exchange().close_handset(id).await.expect("it closes");
    carrier.exchange().open_handset().await.expect("there is room again");
}

/// What the demo's webhooks were told.
type Told = Arc<Mutex<Vec<(String, HeaderMap, Vec<(String, String)>)>>>;

async fn hook(
    State(told): State<Told>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    Form(form): Form<Vec<(String, String)>>,
) -> StatusCode {
    told.lock().expect("no test panics holding it").push((uri.path().to_owned(), headers, form));
    StatusCode::NO_CONTENT
}

async fn told(told: &Told, count: usize) -> Vec<(String, HeaderMap, Vec<(String, String)>)> {
    for _ in 0..200 {
        let now = told.lock().expect("no test panics holding it").clone();
        if now.len() >= count {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("fewer than {count} webhooks");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_delivered_with_signed_reports_and_its_reply_comes_back_signed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
    let base = format!("http://{}", listener.local_addr().expect("a bound socket"));
    let carrier = carrier(28_300..=28_399, &base).await;
    let hooks: Told = Arc::default();
    let app = Router::new()
        .route("/hooks/sms/sandbox/{what}", post(hook))
        .with_state(Arc::clone(&hooks))
        .nest("/sandbox", carrier.router());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });

    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let send = |to: &str, token: &str| {
        let callback = format!("{base}/hooks/sms/sandbox/status");
        let form = [
            ("To", to.to_owned()),
            ("From", "+12025550102".to_owned()),
            ("Body", "Leak. Reply 1ok".to_owned()),
            ("StatusCallback", callback),
        ];
        let url = format!("{base}/sandbox/twilio/2010-04-01/Accounts/ACsandbox/Messages.json");
        client.post(url).basic_auth("ACsandbox", Some(token)).form(&form).send()
    };
    assert_eq!(send(BEN, "wrong").await.expect("an answer").status(), 401);
    let accepted = send(BEN, "secret").await.expect("an answer");
    assert_eq!(accepted.status(), 201);
    let accepted: Value = serde_json::from_str(&accepted.text().await.expect("a body")).expect("JSON");
    assert_eq!(accepted["status"], "queued");

    let reports = told(&hooks, 2).await;
    let field = |form: &[(String, String)], name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let statuses: Vec<_> = reports.iter().filter_map(|(_, _, form)| field(form, "MessageStatus")).collect();
    assert_eq!(statuses, ["sent", "delivered"]);
    for (path, headers, form) in &reports {
        assert_eq!(field(form, "MessageSid").as_deref(), accepted["sid"].as_str());
        assert_eq!(headers["x-twilio-signature"], sms::sign("secret", &format!("{base}{path}"), form));
    }
    shows(&carrier, "the text", |v| v["phones"][0]["texts"][0]["body"] == "Leak. Reply 1ok").await;

    let reply = client
        .post(format!("{base}/sandbox/api/phones/%2B12025550110/reply"))
        .header("content-type", "application/json")
        .body(r#"{"body":"1ok"}"#)
        .send();
    assert_eq!(reply.await.expect("an answer").status(), 204);
    let (path, headers, form) = told(&hooks, 3).await.remove(2);
    assert_eq!(path, "/hooks/sms/sandbox/inbound");
    assert_eq!(field(&form, "From").as_deref(), Some(BEN));
    assert_eq!(field(&form, "To").as_deref(), Some("+12025550102"));
    assert_eq!(field(&form, "Body").as_deref(), Some("1ok"));
    assert_eq!(headers["x-twilio-signature"], sms::sign("secret", &format!("{base}{path}"), &form));

    send("+12025550139", "secret").await.expect("an answer");
    let lost = told(&hooks, 5).await.remove(4).2;
    assert_eq!(field(&lost, "MessageStatus").as_deref(), Some("undelivered"));
    assert_eq!(field(&lost, "ErrorCode").as_deref(), Some("30006"));
    server.abort();
}
