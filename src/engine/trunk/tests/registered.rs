//! Registrations with carriers: whom callers depend on, and what people hear when one fails.

use secrecy::SecretString;

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
