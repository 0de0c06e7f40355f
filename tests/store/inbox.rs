//! Part of the contract: devices, links and sessions of secure inboxes, the messages in them, and the push key.

use cordboard::base::id::{ContactId, InboxDeviceId};
use cordboard::io::store::Store;
use cordboard::io::store::inbox::{INVITATION_MS, LONGEST_SESSION_MS, LinkPurpose, SESSION_MS, Subscription};
use secrecy::{ExposeSecret as _, SecretString};

use super::NOW;
use super::contract::*;

/// As the account says how long its messages can be opened.
const CONTENT_MS: i64 = 2 * 24 * 3_600_000;

/// All cases by name.
pub fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("an_inbox_link", |s| {
            Box::pin(a_link_leads_to_one_person_until_it_is_over_and_an_invitation_that_was_sent_voids_those_before(s))
        }),
        ("an_inbox_device", |s| Box::pin(a_device_keeps_its_subscription_sealed_until_it_is_gone_or_taken_away(s))),
        ("an_endpoint_is_one_devices", |s| Box::pin(an_endpoint_belongs_to_whoever_subscribed_with_it_last(s))),
        ("too_many_inbox_devices", |s| Box::pin(of_too_many_devices_the_one_not_seen_for_longest_makes_room(s))),
        ("an_inbox_session", |s| Box::pin(a_session_stays_open_while_it_is_used_and_for_eight_hours_at_most(s))),
        ("the_first_push_key_stays", |s| Box::pin(the_first_push_key_stays(s))),
    ]
}

fn subscription(endpoint: &str) -> Subscription {
    Subscription { endpoint: endpoint.into(), p256dh: vec![4; 65], auth: vec![7; 16] }
}

/// An account with Ben in it.
async fn with_ben(store: &Store) -> ContactId {
    with_account(store).await;
    let ben = contact("ben");
    let mut tx = store.write().await.unwrap();
    tx.upsert_contact(&ben).await.unwrap();
    tx.commit("test").await.unwrap();
    ben.id
}

async fn a_link_leads_to_one_person_until_it_is_over_and_an_invitation_that_was_sent_voids_those_before(store: Store) {
    let ben = with_ben(&store).await;
    let mut tx = store.write().await.unwrap();
    let (first, _) = tx.insert_inbox_link(&ben, LinkPurpose::Invitation, INVITATION_MS, NOW).await.unwrap();
    let (notice, until) = tx.insert_inbox_link(&ben, LinkPurpose::Notice, CONTENT_MS, NOW).await.unwrap();
    let (second, _) = tx.insert_inbox_link(&ben, LinkPurpose::Invitation, INVITATION_MS, NOW.plus_ms(1)).await.unwrap();
    tx.commit("test").await.unwrap();
    let find = |token: &SecretString, after: i64| {
        let (store, token) = (store.clone(), token.clone());
        async move { store.find_inbox_link(&token, NOW.plus_ms(after)).await.unwrap() }
    };
    assert!(find(&first, 2).await.is_some(), "the second may not have left yet");
    let mut tx = store.write().await.unwrap();
    tx.void_other_invitations(&ben, &second).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(find(&first, 2).await, None);
    let link = find(&second, 2).await.unwrap();
    assert_eq!((&link.contact, link.purpose), (&ben, LinkPurpose::Invitation));
    assert_eq!(find(&second, INVITATION_MS + 1).await, None);
    assert_eq!(
        (until, find(&notice, CONTENT_MS - 1).await.map(|l| l.purpose)),
        (NOW.plus_ms(CONTENT_MS), Some(LinkPurpose::Notice))
    );
    assert_eq!(find(&notice, CONTENT_MS).await, None);
    assert_eq!(find(&SecretString::from("another"), 2).await, None);
    assert_eq!(store.find_invitation(&ben, NOW.plus_ms(2)).await.unwrap(), Some(link));
    let mut tx = store.write().await.unwrap();
    tx.void_link(&second).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(find(&second, 2).await, None);
    assert!(find(&notice, 2).await.is_some(), "a notice is no invitation");
}

async fn a_device_keeps_its_subscription_sealed_until_it_is_gone_or_taken_away(store: Store) {
    let ben = with_ben(&store).await;
    let mut tx = store.write().await.unwrap();
    let (id, token) = tx.insert_inbox_device(&ben, "iPhone", NOW).await.unwrap();
    tx.set_subscription(&id, Some(&subscription("https://push.example.net/secret-path")), NOW).await.unwrap();
    let (session, open) = tx.open_inbox(&ben, Some(&id), NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    let device = store.find_inbox_device(&token).await.unwrap().unwrap();
    assert_eq!((device.name.as_str(), &device.contact), ("iPhone", &ben));
    assert_eq!(device.subscription, Some(subscription("https://push.example.net/secret-path")));
    assert_eq!(store.find_inbox_session(&open, NOW).await.unwrap(), Some(session));

    // What was gone before it was made anew is not what is there now.
    let mut tx = store.write().await.unwrap();
    tx.set_subscription(&id, Some(&subscription("https://push.example.net/new")), NOW).await.unwrap();
    tx.drop_subscription(&device, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    let device = store.find_inbox_device(&token).await.unwrap().unwrap();
    assert_eq!(device.subscription, Some(subscription("https://push.example.net/new")));
    let mut tx = store.write().await.unwrap();
    tx.drop_subscription(&device, NOW.plus_ms(5)).await.unwrap();
    tx.commit("test").await.unwrap();
    let device = store.find_inbox_device(&token).await.unwrap().unwrap();
    assert_eq!((device.subscription, device.gone_at), (None, Some(NOW.plus_ms(5))));

    let mut tx = store.write().await.unwrap();
    assert!(!tx.delete_inbox_device(&ContactId::named("ada"), &id).await.unwrap(), "it is not hers");
    tx.rollback().await.unwrap();
    let mut tx = store.write().await.unwrap();
    assert!(tx.delete_inbox_device(&ben, &id).await.unwrap());
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_inbox_device(&token).await.unwrap(), None);
    assert_eq!(store.find_inbox_session(&open, NOW).await.unwrap(), None, "and what was open on it");
}

async fn an_endpoint_belongs_to_whoever_subscribed_with_it_last(store: Store) {
    let ben = with_ben(&store).await;
    let ada = contact("ada");
    let mut tx = store.write().await.unwrap();
    tx.upsert_contact(&ada).await.unwrap();
    let (first, _) = tx.insert_inbox_device(&ben, "iPhone", NOW).await.unwrap();
    let (again, _) = tx.insert_inbox_device(&ben, "iPhone", NOW.plus_ms(1)).await.unwrap();
    let (hers, _) = tx.insert_inbox_device(&ada.id, "iPhone", NOW).await.unwrap();
    let (other, _) = tx.insert_inbox_device(&ada.id, "iPad", NOW).await.unwrap();
    tx.set_subscription(&other, Some(&subscription("https://push.example.net/ipad")), NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    let at = subscription("https://push.example.net/iphone");
    for last in [&first, &again, &hers, &first] {
        let mut tx = store.write().await.unwrap();
        tx.set_subscription(last, Some(&at), NOW).await.unwrap();
        tx.commit("test").await.unwrap();
        let mut known = store.list_inbox_devices(&ben).await.unwrap();
        known.extend(store.list_inbox_devices(&ada.id).await.unwrap());
        let there: Vec<_> = known.iter().filter(|d| d.subscription.as_ref() == Some(&at)).map(|d| &d.id).collect();
        assert_eq!(there, [last]);
        assert!(known.iter().any(|d| d.id == other && d.subscription.is_some()), "another endpoint is left alone");
    }
}

async fn of_too_many_devices_the_one_not_seen_for_longest_makes_room(store: Store) {
    let ben = with_ben(&store).await;
    let mut ids: Vec<InboxDeviceId> = Vec::new();
    for n in 0..8 {
        let mut tx = store.write().await.unwrap();
        ids.push(tx.insert_inbox_device(&ben, "a browser", NOW.plus_ms(n)).await.unwrap().0);
        tx.commit("test").await.unwrap();
    }
    let mut tx = store.write().await.unwrap();
    tx.see_inbox_device(&ids[0], NOW.plus_ms(100)).await.unwrap();
    tx.insert_inbox_device(&ben, "iPhone", NOW.plus_ms(101)).await.unwrap();
    tx.commit("test").await.unwrap();
    let left = store.list_inbox_devices(&ben).await.unwrap();
    assert_eq!((left.len(), left[0].name.as_str()), (8, "iPhone"), "the newest first");
    assert!(left.iter().any(|d| d.id == ids[0]) && !left.iter().any(|d| d.id == ids[1]));
}

async fn a_session_stays_open_while_it_is_used_and_for_eight_hours_at_most(store: Store) {
    let ben = with_ben(&store).await;
    let mut tx = store.write().await.unwrap();
    let (session, token) = tx.open_inbox(&ben, None, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    assert!(!session.is_worth_touching(NOW.plus_ms(10_000)));
    let mut at = NOW;
    let mut last = session;
    while at.since(NOW) < LONGEST_SESSION_MS {
        at = at.plus_ms(SESSION_MS - 1);
        let Some(open) = store.find_inbox_session(&token, at).await.unwrap() else { break };
        let mut tx = store.write().await.unwrap();
        tx.touch_inbox(&token, &open, at).await.unwrap();
        tx.commit("test").await.unwrap();
        last = open;
    }
    assert_eq!(store.find_inbox_session(&token, NOW.plus_ms(LONGEST_SESSION_MS)).await.unwrap(), None);
    assert!(last.expires_at.since(NOW) > LONGEST_SESSION_MS - SESSION_MS, "it was open nearly as long");

    let mut tx = store.write().await.unwrap();
    let (_, one) = tx.open_inbox(&ben, None, NOW).await.unwrap();
    let (_, two) = tx.open_inbox(&ben, None, NOW).await.unwrap();
    tx.close_inbox_session(&one).await.unwrap();
    tx.commit("test").await.unwrap();
    assert!(store.find_inbox_session(&one, NOW).await.unwrap().is_none());
    assert!(store.find_inbox_session(&two, NOW).await.unwrap().is_some());
    // Whoever goes takes all of it along.
    let mut tx = store.write().await.unwrap();
    tx.insert_inbox_device(&ben, "iPhone", NOW).await.unwrap();
    tx.insert_inbox_link(&ben, LinkPurpose::Notice, CONTENT_MS, NOW).await.unwrap();
    tx.delete_contact(&ben, NOW).await.unwrap();
    tx.commit("test").await.unwrap();
    assert!(store.find_inbox_session(&two, NOW).await.unwrap().is_none());
    assert!(store.list_inbox_devices(&ben).await.unwrap().is_empty());
}

async fn the_first_push_key_stays(store: Store) {
    assert!(store.find_push_key().await.unwrap().is_none());
    for key in ["first", "second"] {
        let mut tx = store.write().await.unwrap();
        tx.insert_push_key(&SecretString::from(key), NOW).await.unwrap();
        tx.commit("test").await.unwrap();
    }
    assert_eq!(store.find_push_key().await.unwrap().unwrap().expose_secret(), "first");
}
