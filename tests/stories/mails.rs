//! Emails that come back: bounces, delays, replies that confirm and replies that an operator has to read.

use cordboard::base::id::DispatchId;
use cordboard::domain::account::MailTemplate;
use cordboard::domain::dispatch::protocol::{Method, Protocol, Until};
use cordboard::domain::dispatch::state::{AttemptState, Phase, Trouble};

use crate::desk::{Desk, Kind};
use crate::jobs::kim;
use crate::town;

/// Email the technician and wait ten minutes for an answer, then text him.
fn asks_by_mail() -> Protocol {
    let steps = vec![
        (Method::EmailConfirm, vec![town::named("Ben", "email")], 600),
        (Method::TextConfirm, vec![town::named("Ben", "mobile")], 900),
    ];
    town::protocol(steps, false, Until::Confirmed)
}

fn tells_by_mail() -> Protocol {
    town::protocol(vec![(Method::Email, vec![town::named("Ben", "email")], 0)], false, Until::HandedOver)
}

async fn says(desk: &Desk, id: &DispatchId, line: &str) {
    let view = desk.view(id).await;
    assert!(view.timeline.iter().any(|l| l.text == line), "{line} is not in {:#?}", view.timeline);
}

async fn says_not(desk: &Desk, id: &DispatchId, part: &str) {
    let view = desk.view(id).await;
    assert!(view.timeline.iter().all(|l| !l.text.contains(part)), "{part} is in {:#?}", view.timeline);
}

async fn settings(desk: &Desk, change: impl FnOnce(&mut cordboard::domain::account::Account)) {
    let mut account = desk.store.find_account(&town::account().id).await.expect("found").expect("an account");
    change(&mut account);
    let mut tx = desk.store.write().await.expect("the store writes");
    tx.upsert_account(&account, desk.now()).await.expect("an account");
    tx.commit("test").await.expect("committed");
}

#[tokio::test]
async fn a_reply_of_ok_confirms_and_is_answered() {
    let mut desk = Desk::at_work(&asks_by_mail()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_mail("Reply to this email with OK to confirm.");
    desk.advance(120).await;
    desk.phone("Ben").answers_mail("OK").await;
    says(&desk, &id, "Ben confirmed by email.").await;
    desk.phone("Ben").expect_mail("Confirmed 02:12");
    // A yes counts once; whoever says it again hears by whom.
    desk.advance(60).await;
    let first = desk.state(&id).await;
    let asked = first.attempts[0].id.clone();
    assert!(first.is_yes_by_mail(&asked, "1 ok") && first.is_yes_by_mail(&asked, "Confirmed."));
    assert!(!first.is_yes_by_mail(&asked, "2 ok") && !first.is_yes_by_mail(&asked, "ok but call Ada"));
    assert_eq!(first.attempts.iter().filter(|a| a.confirmed_at.is_some()).count(), 1);
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_repeat_of_a_reply_is_absorbed_and_a_second_one_hears_that_it_was_confirmed() {
    let mut desk = Desk::at_work(&asks_by_mail()).await;
    let id = desk.takes("burst pipe").await;
    let asked = desk.phone("Ben").last_mail();
    desk.phone("Ben").expect_mail("burst pipe");
    for _ in 0..2 {
        // The same mail twice: its acknowledgement was lost on the way.
        let mail = "From: ben@example.com\r\nMessage-ID: <once@example.com>\r\n\r\nok\r\n";
        desk.mail_for(&asked, "ben@example.com", mail).await;
    }
    desk.phone("Ben").expect_mail("Confirmed");
    desk.mail_for(&asked, "ben@example.com", "Message-ID: <twice@example.com>\r\n\r\nOk\r\n").await;
    desk.phone("Ben").expect_mail("already confirmed by Ben");
    for n in 0..5 {
        desk.mail_for(&asked, "ben@example.com", &format!("Message-ID: <{n}@example.com>\r\n\r\nOk\r\n")).await;
    }
    assert_eq!(desk.times().len(), 2, "a mailbox is not filled by whoever has the address");
    desk.phone("Ben").expect_mail("already");
    desk.phone("Ben").expect_mail("already");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn other_words_are_an_operator_s_to_read_and_survive_a_restart() {
    let mut desk = Desk::at_work(&asks_by_mail()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_mail("burst pipe");
    desk.phone("Ben").answers_mail("ok but I need an hour").await;
    assert!(desk.state(&id).await.troubles.contains(&Trouble::MailUnplaced { from: "Ben".into() }));
    let words = |desk: &Desk| {
        desk.dispatcher.alarms().into_iter().find(|a| a.text.contains("ok but I need an hour")).map(|a| (a.id, a.text))
    };
    let (_, text) = words(&desk).expect("the words are on the desks");
    assert!(!text.contains("Reply to this email"), "{text}");
    assert!(text.starts_with("Ben answered by email about Imaginary Plumbing, "), "{text}");
    let message = desk.view(&id).await.message;
    let leads = desk.dispatcher.alarms().into_iter().any(|a| a.message.as_ref() == Some(&message) && a.text == text);
    assert!(leads, "{:?}", desk.dispatcher.alarms());
    let line = "Ben answered by email: \u{201c}ok but I need an hour\u{201d}";
    says(&desk, &id, line).await;
    desk.restarts().await;
    let (alarm, _) = words(&desk).expect("they still are");
    desk.dispatcher.silence(&alarm, &kim()).await.expect("seen to");
    desk.restarts().await;
    assert_eq!(words(&desk), None);
    assert!(!desk.state(&id).await.needs_operator());
    says(&desk, &id, line).await;
    says(&desk, &id, "Kim saw to what came in: it is off the desks.").await;
    // The steps go on meanwhile.
    desk.advance(600).await;
    desk.phone("Ben").expect_text("Reply 1ok");
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_reply_from_another_mailbox_is_not_said_to_be_theirs() {
    let mut desk = Desk::at_work(&tells_by_mail()).await;
    let id = desk.takes("burst pipe").await;
    let asked = desk.phone("Ben").last_mail();
    desk.phone("Ben").expect_mail("burst pipe");
    let mail = "From: Pat <pat@example.net>\r\nMessage-ID: <a@example.net>\r\nSubject: Fw\r\n\r\nWho is Ben?\r\n";
    desk.mail_for(&asked, "pat@example.net", mail).await;
    let line = "The email to Ben was answered from another address: \u{201c}pat@example.net: Who is Ben?\u{201d}";
    says(&desk, &id, line).await;
    let alarms = desk.dispatcher.alarms();
    let said = "Somebody at another address than Ben's (pat@example.net) answered by email about Imaginary Plumbing, ";
    assert!(alarms.iter().any(|a| a.text.starts_with(said)), "{alarms:?}");
    // A mailbox is written in any case, and nothing may stand but in the subject.
    let mail = "From: BEN@Example.com\r\nMessage-ID: <b@example.net>\r\nSubject: gone fishing\r\n\r\n";
    desk.mail_for(&asked, "ben@example.com", mail).await;
    says(&desk, &id, "Ben answered by email: \u{201c}no words but the subject: gone fishing\u{201d}").await;
    desk.ends(&id, Phase::Delivered).await;
}

#[tokio::test]
async fn an_absence_notice_confirms_nothing_and_is_nobody_s_job() {
    let mut desk = Desk::at_work(&asks_by_mail()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_mail("burst pipe");
    for header in ["Auto-Submitted: auto-replied\r\n", "X-Autoreply: yes\r\n", "Precedence: bulk\r\n"] {
        desk.phone("Ben").answers_mail_with(header, "ok").await;
    }
    assert!(desk.dispatcher.alarms().is_empty(), "{:?}", desk.dispatcher.alarms());
    says_not(&desk, &id, "confirmed").await;
    desk.advance(600).await;
    desk.phone("Ben").expect_text("Reply 1ok");
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn where_a_step_asks_for_nothing_an_ok_is_an_operator_s_to_read() {
    let mut desk = Desk::at_work(&tells_by_mail()).await;
    let id = desk.takes("burst pipe").await;
    let mail = desk.phone("Ben").expect_mail("burst pipe");
    assert!(!mail.words.contains("to confirm"), "{}", mail.words);
    desk.phone("Ben").answers_mail("ok").await;
    assert!(desk.dispatcher.alarms().iter().any(|a| a.text.contains("Ben answered by email")));
    desk.ends(&id, Phase::Delivered).await;
}

#[tokio::test]
async fn a_bounce_fails_the_attempt_and_the_next_step_is_entered_at_once() {
    let mut desk = Desk::at_work(&asks_by_mail()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_mail("burst pipe");
    desk.advance(30).await;
    desk.phone("Ben").mail_server_reports("b1", "failed", "5.1.1").await;
    says(&desk, &id, "Email to Ben failed (came back 5.1.1), given up.").await;
    let state = desk.state(&id).await;
    assert_eq!(state.attempts[0].state(), AttemptState::FailedPerm);
    let text = desk.phone("Ben").expect_text("Reply 1ok");
    assert_eq!(text.at.since(desk.opened), 30_000, "nobody waits for what came back");
    // It is told twice, and that changes nothing.
    for id in ["b1", "b2"] {
        desk.phone("Ben").mail_server_reports(id, "failed", "5.1.1").await;
    }
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("Confirmed");
    let given_up = desk.view(&id).await.timeline.iter().filter(|l| l.text.contains("came back")).count();
    assert_eq!(given_up, 1);
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn a_bounce_opens_again_what_was_delivered() {
    let mut desk = Desk::at_work(&tells_by_mail()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_mail("burst pipe");
    assert_eq!(desk.state(&id).await.phase, Phase::Delivered);
    desk.advance(3 * 24 * 3_600).await;
    // Their server never took it: given up for now, not for ever.
    desk.phone("Ben").mail_server_reports("b1", "failed", "4.4.7").await;
    let state = desk.state(&id).await;
    assert_eq!(state.attempts[0].state(), AttemptState::FailedTemp);
    assert!(state.closed_at.is_none() && state.troubles.contains(&Trouble::Unreachable { who: "Ben".into() }));
    says(&desk, &id, "Email to Ben failed (came back 4.4.7), given up.").await;
    says(&desk, &id, "What was sent to Ben came back undelivered.").await;
    desk.ends(&id, Phase::ExhaustedUnconfirmed).await;
}

#[tokio::test]
async fn what_the_server_said_that_would_not_have_it_stands_on_the_time_line() {
    let mut desk = Desk::at_work(&asks_by_mail()).await;
    let id = desk.takes("burst pipe").await;
    let asked = desk.phone("Ben").last_mail();
    desk.phone("Ben").expect_mail("burst pipe");
    desk.report_saying(&asked, "5.1.1", "smtp; 550 5.1.1 <ben@example.com>: mailbox\r\n unavailable").await;
    let said = "550 5.1.1 <ben@example.com>: mailbox unavailable";
    let line =
        format!("Email to Ben (email) came back (5.1.1), given up: the mail server said \u{201c}{said}\u{201d}.");
    says(&desk, &id, &line).await;
    desk.phone("Ben").expect_text("Reply 1ok");
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn what_is_late_is_still_under_way() {
    let mut desk = Desk::at_work(&tells_by_mail()).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_mail("burst pipe");
    desk.phone("Ben").mail_server_reports("d1", "delayed", "4.4.1").await;
    says(&desk, &id, "Email to Ben: their mail server has not taken it yet (4.4.1), still under way.").await;
    assert_eq!(desk.state(&id).await.attempts[0].state(), AttemptState::Accepted);
    desk.phone("Ben").mail_server_reports("d2", "delivered", "2.0.0").await;
    assert_eq!(desk.state(&id).await.attempts[0].state(), AttemptState::Delivered);
    // Too late to be true.
    desk.phone("Ben").mail_server_reports("d3", "failed", "5.0.0").await;
    assert_eq!(desk.state(&id).await.attempts[0].state(), AttemptState::Delivered);
    desk.ends(&id, Phase::Delivered).await;
}

#[tokio::test]
async fn a_bounce_takes_back_nothing_that_a_person_has_confirmed() {
    let mut desk = Desk::at_work(&asks_by_mail()).await;
    let id = desk.takes("burst pipe").await;
    let asked = desk.phone("Ben").last_mail();
    desk.phone("Ben").expect_mail("burst pipe");
    desk.phone("Ben").answers_mail("ok").await;
    desk.phone("Ben").expect_mail("Confirmed");
    desk.report_on(&asked, "5.1.1").await;
    says_not(&desk, &id, "came back").await;
    desk.ends(&id, Phase::Confirmed).await;
}

#[tokio::test]
async fn what_is_protected_is_a_notice_whatever_the_template_says_and_no_mail_confirms_it() {
    let mut desk = Desk::at_work(&asks_by_mail()).await;
    settings(&desk, |account| {
        account.call_types[0].protected = true;
        let all = "{{ headline }} {% for a in answers %}{{ a.words }}{% endfor %}".to_owned();
        account.mail = MailTemplate { subject: all.clone(), text: all.clone(), html: all };
    })
    .await;
    let id = desk.takes("burst pipe").await;
    let mail = desk.phone("Ben").expect_mail("Secure message from Imaginary Plumbing");
    for hidden in ["burst pipe", "Jane Roe", "+12025550147", "with OK to confirm"] {
        assert!(!mail.words.contains(hidden), "{hidden} is in {}", mail.words);
    }
    desk.phone("Ben").answers_mail("ok").await;
    assert!(desk.dispatcher.alarms().iter().any(|a| a.text.contains("Ben answered by email")));
    assert_eq!(desk.state(&id).await.phase, Phase::Running);
    desk.advance(600).await;
    desk.phone("Ben").expect_text("Then reply 1ok");
    desk.phone("Ben").replies("1ok").await;
    desk.phone("Ben").expect_text("this does not confirm it yet");
    desk.ends(&id, Phase::Running).await;
}

#[tokio::test]
async fn an_account_s_own_words_go_and_a_template_that_fails_costs_no_message() {
    let mut desk = Desk::at_work(&tells_by_mail()).await;
    let own = |text: &str| MailTemplate { subject: "{{ account }}!".into(), text: text.into(), html: String::new() };
    settings(&desk, |account| account.mail = own("Call {{ fields.name }} at {{ callback }}.")).await;
    let id = desk.takes("burst pipe").await;
    desk.phone("Ben").expect_mail("Imaginary Plumbing!\nCall Jane Roe at +1 202 555 0147.");
    settings(&desk, |account| account.mail = own("{{ fields.name | nothing }}")).await;
    let other = desk.takes("no heat").await;
    desk.phone("Ben").expect_mail("no heat");
    assert_eq!(desk.state(&other).await.phase, Phase::Delivered);
    assert!(desk.times().iter().all(|(_, kind)| *kind != Kind::Mail));
    desk.ends(&id, Phase::Delivered).await;
}

#[tokio::test]
async fn an_email_that_was_no_message_and_came_back_is_told_to_operators() {
    let desk = Desk::at_work(&tells_by_mail()).await;
    desk.report_on(&cordboard::base::id::AttemptId::named("recap-1"), "5.1.1").await;
    let alarms = desk.dispatcher.alarms();
    assert!(alarms.iter().any(|a| a.text.contains("came back undelivered (5.1.1)")), "{alarms:?}");
}
