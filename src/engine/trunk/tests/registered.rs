//! Registrations with carriers: whom callers depend on, and what people hear when one fails.

use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;
use crate::proto::sip::digest::client::Login;

fn registering(far: &Far) -> Carrier {
    let mut carrier = carrier(far, 10);
    let login = Login { user: "cordboard".to_owned(), password: SecretString::from("x".to_owned()), realm: None };
    let register = Some(Registering { domain: "carrier.example".to_owned(), expires: 600 });
    carrier.account = Some(CarrierAccount { login, register });
    carrier
}

#[tokio::test]
async fn a_carrier_that_refuses_our_registration_and_answers_pings_is_an_alarm() {
    let far = Far::open().await;
    let mut only = registering(&far);
    only.ping_every = Some(PING_EVERY);
    let mut house = house(vec![only], |_| {}).await;
    let mut asked = far.gets_any().await;
    while !asked.line().starts_with("REGISTER ") {
        far.says(&asked, "200 OK", false).await;
        asked = far.gets_any().await;
    }
    far.says(&asked, "403 Forbidden", false).await;
    let FeedEvent::Alarm { alarm } = house.told().await else { panic!("an alarm") };
    assert_eq!((alarm.id.as_str(), alarm.level), (alarms::UNREGISTERED, AlarmLevel::Critical));
    assert!(alarm.text.starts_with("The carrier of the trunk carrier-10 does not have us registered (403: "));
    assert!(!alarm.dismissible);
}

#[tokio::test]
async fn the_way_a_carrier_calls_in_by_has_a_word_before_a_nat_forgets_it_though_pings_are_off() {
    let clock = Arc::new(TestClock::at(UtcMs(1_700_000_000_000)));
    let far = Far::open().await;
    let house = house_at(clock.clone(), vec![registering(&far)], |_| {}).await;
    let asked = far.gets("REGISTER").await;
    far.says(&asked, "200 OK", false).await;
    far.is_heard(&house).await;
    for _ in 0..3 {
        let mut come = None;
        // The answer above may be read after the clock has moved on.
        for _ in 0..10 {
            if come.is_none() {
                clock.advance(Duration::from_secs(26));
                come = timeout(Duration::from_secs(3), far.gets_any()).await.ok();
            }
        }
        assert_eq!(come.map(|got| got.text).as_deref(), Some("\r\n"));
    }
}

#[tokio::test]
async fn a_registered_connection_has_a_word_before_a_nat_forgets_it() {
    let clock = Arc::new(TestClock::at(UtcMs(1_700_000_000_000)));
    let (far, listener) = (Far::open().await, TcpListener::bind("127.0.0.1:0").await.expect("a free port"));
    let mut only = registering(&far);
    only.target = listener.local_addr().expect("bound").into();
    only.over = Carriage::Tcp;
    let house = house_at(clock.clone(), vec![only], |_| {}).await;
    let (mut stream, from) = timeout(PATIENCE, listener.accept()).await.expect("in time").expect("it connects");
    let mut buffer = [0; 4_096];
    let len = timeout(PATIENCE, stream.read(&mut buffer)).await.expect("in time").expect("a request");
    let asked = Got { text: String::from_utf8_lossy(&buffer[..len]).into_owned(), from };
    let echoed = ["Via", "From", "To", "Call-ID", "CSeq", "Contact"]
        .map(|name| format!("{name}: {}\r\n", asked.header(name).expect("each has it")))
        .concat();
    let taken = format!("SIP/2.0 200 OK\r\n{echoed}Content-Length: 0\r\n\r\n");
    stream.write_all(taken.as_bytes()).await.expect("connected");
    for _ in 0..2 {
        let mut word = [0; 4];
        let mut come = false;
        // The answer above may be read after the clock has moved on.
        for _ in 0..10 {
            if !come {
                clock.advance(Duration::from_secs(26));
                come = timeout(Duration::from_secs(3), stream.read_exact(&mut word)).await.is_ok();
            }
        }
        assert!(come && word == *b"\r\n\r\n", "{word:?}");
    }
    drop(house);
}

#[tokio::test]
async fn a_carrier_that_does_not_have_us_registered_is_called_after_one_that_needs_no_registration() {
    let (first, second) = (Far::open().await, Far::open().await);
    let house = house(vec![registering(&first), carrier(&second, 20)], |_| {}).await;
    let asked = first.gets("REGISTER").await;
    let mut caller = house.dials(BEN);
    let called = second.gets("INVITE").await;
    second.says(&called, "486 Busy Here", false).await;
    assert_eq!(caller.ends().await, Cause::Busy);
    // Its own order again, once it has us.
    first.says(&asked, "200 OK", false).await;
    first.is_heard(&house).await;
    let mut caller = house.dials(BEN);
    let called = first.gets("INVITE").await;
    first.says(&called, "486 Busy Here", false).await;
    assert_eq!(caller.ends().await, Cause::Busy);
}
