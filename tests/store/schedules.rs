//! Part of the contract: schedules with their layers, history, calendars and reminders.

use cordboard::base::id::{ContactId, OverrideId, ScheduleFeedId, ScheduleId, UserId};
use cordboard::domain::oncall::reminder::{Kind, Notice, Reminder};
use cordboard::domain::oncall::{
    Days, Layer, Override, OverrideAct, Rotation, Schedule, ShiftLength, ShiftTurn, Temporary, TemporaryShift,
};
use cordboard::io::store::audit::Who;
use cordboard::io::store::schedule_feeds::ScheduleFeed;
use cordboard::io::store::schedule_history::Noted;
use cordboard::io::store::{Arg, Store};

use super::NOW;

use super::contract::*;

/// The cases of this file by name.
pub fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("schedules_come_back_as_written", |s| Box::pin(schedules_come_back_as_written(s))),
        ("changes_of_schedules_are_noted_one_after_another", |s| {
            Box::pin(changes_of_schedules_are_noted_one_after_another(s))
        }),
        ("a_calendar_is_read_by_its_secret_until_it_is_revoked", |s| {
            Box::pin(a_calendar_is_read_by_its_secret_until_it_is_revoked(s))
        }),
        ("a_reminder_is_sent_by_whoever_claims_it_and_once", |s| {
            Box::pin(a_reminder_is_sent_by_whoever_claims_it_and_once(s))
        }),
    ]
}

async fn schedules_come_back_as_written(store: Store) {
    with_account(&store).await;
    let written = Schedule {
        id: ScheduleId::named("technician"),
        account: account().id,
        role: "technician".into(),
        zone: "America/New_York".into(),
        layers: vec![
            Layer::plain(
                "rotation A",
                Rotation::even(
                    vec![ContactId::named("ben"), ContactId::named("zoe")],
                    "2026-11-02T08:00",
                    ShiftLength::Days(1),
                ),
            ),
            Layer {
                zone: Some("UTC".into()),
                days: Days::NotHolidays,
                from: Some(NOW),
                beside: true,
                ..Layer::plain(
                    "both",
                    Rotation {
                        anchor: "2026-11-02T08:00".into(),
                        turns: vec![ShiftTurn {
                            people: vec![ContactId::named("zoe"), ContactId::named("ben")],
                            length: ShiftLength::Months(2),
                        }],
                    },
                )
            },
        ],
        temporary: vec![Temporary {
            name: "storm".into(),
            from: NOW,
            until: NOW.plus_secs(600),
            shifts: vec![TemporaryShift { contact: ContactId::named("zoe"), from: NOW, until: NOW.plus_secs(300) }],
            by: "Kim".into(),
            made_at: NOW,
        }],
        overrides: [
            OverrideAct::Only { contact: ContactId::named("zoe") },
            OverrideAct::Replace { contact: ContactId::named("zoe"), instead_of: ContactId::named("ben") },
            OverrideAct::Add { contact: ContactId::named("ben") },
            OverrideAct::Remove { contact: ContactId::named("ben") },
        ]
        .into_iter()
        .enumerate()
        .map(|(n, act)| Override {
            id: OverrideId::named(&format!("o{n}")),
            act,
            from: NOW,
            until: NOW.plus_secs(60),
            by: "the office".into(),
            made_at: NOW,
            note: format!("note {n}"),
        })
        .collect(),
        fallback: Some(ContactId::named("ben")),
        remind: false,
        // The account's, as a layer asks for them.
        holidays: account().hours.holidays,
    };
    let mut tx = store.write().await.unwrap();
    tx.upsert_contact(&contact("ben")).await.unwrap();
    tx.upsert_contact(&contact("zoe")).await.unwrap();
    tx.upsert_schedule(&written).await.unwrap();
    tx.upsert_schedule(&written).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_schedule(&written.id).await.unwrap(), Some(written.clone()));
    assert_eq!(store.list_schedules(&account().id).await.unwrap(), vec![written.clone()]);
    assert_eq!(store.list_all_schedules().await.unwrap(), vec![written.clone()]);
    let mut tx = store.write().await.unwrap();
    // Written before there were layers: the one rotation that it had is read as its one layer.
    let old = r#"{"people":["con_ben","con_zoe"],"anchor":"2026-11-02T08:00","length":{"unit":"days","count":1}}"#;
    tx.execute("UPDATE schedule SET layers = NULL, rotation = $1", vec![Arg::Text(Some(old.to_owned()))])
        .await
        .unwrap();
    tx.commit("test").await.unwrap();
    let read = store.find_schedule(&written.id).await.unwrap().unwrap();
    let rotation = written.layers[0].rotation.clone();
    assert_eq!(read.layers, [Layer::plain("rotation", rotation)]);
    let mut tx = store.write().await.unwrap();
    tx.delete_schedule(&written.id).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.list_schedules(&account().id).await.unwrap(), vec![]);
}

async fn changes_of_schedules_are_noted_one_after_another(store: Store) {
    with_account(&store).await;
    let contacts = [contact("ben")];
    let id = ScheduleId::named("technician");
    let blank = Schedule::blank(id.clone(), account().id, "technician".into(), "UTC".into());
    let stands_in = Schedule { fallback: Some(ContactId::named("ben")), ..blank.clone() };
    let mut tx = store.write().await.unwrap();
    let kim = Who::User(UserId::named("kim"));
    let made = Noted { before: None, after: Some(&blank), by: "Kim", who: &kim, at: NOW, undoes: None };
    assert!(tx.note_schedule_change(&made, &contacts).await.unwrap());
    let same = Noted { before: Some(&blank), ..made };
    assert!(!tx.note_schedule_change(&same, &contacts).await.unwrap(), "nothing was changed");
    let (after, who) = (Some(&stands_in), &Who::CommandLine);
    let changed = Noted { before: Some(&blank), after, who, at: NOW.plus_secs(1), ..made };
    assert!(tx.note_schedule_change(&changed, &contacts).await.unwrap());
    tx.commit("test").await.unwrap();
    let all = store.list_schedule_changes(&account().id, None, i64::MAX, 10).await.unwrap();
    assert_eq!(all.iter().map(|change| (change.seq, change.by.as_str())).collect::<Vec<_>>(), [(2, "Kim"), (1, "Kim")]);
    assert_eq!((&all[0].who, &all[1].who), (&Some(Who::CommandLine), &Some(kim)), "who is called Kim too is another");
    assert_eq!(all[0].lines[0].after.as_deref(), Some("ben"));
    assert_eq!((all[0].before.clone(), all[0].after.clone()), (Some(blank), Some(stands_in)));
    assert_eq!(store.list_schedule_changes(&account().id, Some(&id), 2, 10).await.unwrap(), all[1..]);
    let (owner, last) = store.find_last_schedule_change(&id).await.unwrap().unwrap();
    assert_eq!((owner, &last), (account().id, &all[0]));
    assert_eq!(store.find_last_schedule_change(&ScheduleId::named("none")).await.unwrap(), None);
    // Written before it was kept who it was.
    let mut tx = store.write().await.unwrap();
    tx.execute("UPDATE schedule_change SET made_by_who = NULL", Vec::new()).await.unwrap();
    tx.commit("test").await.unwrap();
    let (_, last) = store.find_last_schedule_change(&id).await.unwrap().unwrap();
    assert_eq!((last.by.as_str(), last.who), ("Kim", None));
}

async fn a_calendar_is_read_by_its_secret_until_it_is_revoked(store: Store) {
    with_account(&store).await;
    let feed = ScheduleFeed {
        id: ScheduleFeedId::named("one"),
        account: account().id,
        schedule: None,
        contact: Some(ContactId::named("ben")),
        by: "Kim".into(),
        made_at: NOW,
        last_read_at: None,
    };
    let mut tx = store.write().await.unwrap();
    let token = tx.insert_schedule_feed(&feed).await.unwrap();
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_schedule_feed_by_token(&token).await.unwrap(), Some(feed.clone()));
    assert_eq!(store.find_schedule_feed_by_token(&"guessed".to_owned().into()).await.unwrap(), None);
    let mut tx = store.write().await.unwrap();
    tx.touch_schedule_feed(&feed.id, NOW.plus_secs(5)).await.unwrap();
    tx.commit("test").await.unwrap();
    let read = ScheduleFeed { last_read_at: Some(NOW.plus_secs(5)), ..feed.clone() };
    assert_eq!(store.list_schedule_feeds(&account().id).await.unwrap(), [read]);
    let mut tx = store.write().await.unwrap();
    assert!(tx.delete_schedule_feed(&feed.id).await.unwrap());
    assert!(!tx.delete_schedule_feed(&feed.id).await.unwrap());
    tx.commit("test").await.unwrap();
    assert_eq!(store.find_schedule_feed_by_token(&token).await.unwrap(), None);
}

async fn a_reminder_is_sent_by_whoever_claims_it_and_once(store: Store) {
    with_account(&store).await;
    let reminder = Reminder {
        schedule: ScheduleId::named("technician"),
        contact: ContactId::named("ben"),
        kind: Kind::Before,
        from: NOW.plus_secs(3_600),
        until: None,
    };
    let (key, notice) = (reminder.key(), Notice::Shift { reminder });
    let mut tx = store.write().await.unwrap();
    assert!(tx.insert_notice(&key, &account().id, &notice, NOW).await.unwrap());
    assert!(!tx.insert_notice(&key, &account().id, &notice, NOW).await.unwrap(), "one for a shift and kind");
    tx.commit("test").await.unwrap();
    let pending = store.list_pending_notices(NOW).await.unwrap();
    assert_eq!(pending.iter().map(|p| (&p.notice, p.tries)).collect::<Vec<_>>(), [(&notice, 0)]);
    let mut tx = store.write().await.unwrap();
    assert!(tx.claim_notice(&pending[0], NOW.plus_secs(60)).await.unwrap());
    assert!(!tx.claim_notice(&pending[0], NOW.plus_secs(60)).await.unwrap(), "another node has it");
    tx.commit("test").await.unwrap();
    assert!(store.list_pending_notices(NOW).await.unwrap().is_empty());
    // Nothing was heard of it: it is sent again, by the same name.
    let again = store.list_pending_notices(NOW.plus_secs(60)).await.unwrap();
    assert_eq!((again[0].tries, &again[0].attempt), (1, &pending[0].attempt));
    let mut tx = store.write().await.unwrap();
    tx.settle_notice(&pending[0].id, "sent").await.unwrap();
    tx.commit("test").await.unwrap();
    assert!(store.list_pending_notices(NOW.plus_secs(3_600)).await.unwrap().is_empty());
}
