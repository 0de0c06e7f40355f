//! baresip as a desk phone that registers over TLS: it is rung with keys, answers with its own, and each hears the other.

use std::collections::HashMap;
use std::sync::Arc;

use cordboard::base::clock::SystemClock;
use cordboard::base::id::{DeviceId, UserId};
use cordboard::domain::call::bridge::LegId;
use cordboard::domain::call::cause::Cause;
use cordboard::domain::operator::{Phone, Phones};
use cordboard::engine::registrar::devices::{Devices, KnownDevice};
use cordboard::engine::registrar::{self, PhoneSettings, TokenCheck};
use cordboard::engine::signal::{LEG_EVENT_DEPTH, LegCommand, LegEvent, Offer, Offered};
use cordboard::io::media::Strays;
use cordboard::io::net::Doors;
use cordboard::io::store::devices::DeviceHashes;
use cordboard::proto::audio::codec::Codec;
use cordboard::proto::sdp::{OwnKeys, Session, Srtp};
use cordboard::proto::sip::digest::Algorithm;
use secrecy::SecretString;
use tokio::sync::{mpsc, watch};

use super::baresip::{Baresip, assert_both_heard, talk};
use super::peers::find_program;
use super::secure_audio::{media, ports};
use super::temp::TempDir;
use super::{Authority, end, next};

const USER: &str = "kim-desk";
const SECRET: &str = "manybits23456789";

#[tokio::test]
async fn a_desk_phone_that_registers_over_tls_is_rung_with_keys_and_both_are_heard() {
    let Some(program) = find_program("a desk phone over TLS and SRTP", "baresip") else { return };
    let (authority, directory) = (Authority::fresh(), TempDir::new("desk-phone"));
    let secret = SecretString::from(SECRET.to_owned());
    let known = KnownDevice {
        id: DeviceId::named("one"),
        owner: UserId::named("kim"),
        owner_login: "kim".to_owned(),
        owner_name: "Kim".to_owned(),
        extension: None,
        hashes: DeviceHashes::of(USER, &secret),
    };
    let (_keep, devices) = watch::channel(Devices::new(HashMap::from([(USER.to_owned(), known)])));
    let check: TokenCheck = Arc::new(|_| None);
    let mut doors = Doors::plain("127.0.0.1:0".parse().expect("an address"));
    let identity = authority.identity("ours", &["127.0.0.1", "localhost"]);
    doors.tls = Some(("127.0.0.1:0".parse().expect("an address"), identity));
    let mut settings = PhoneSettings::new(doors, check, devices, vec![Algorithm::MD5]);
    settings.srtp = Srtp::Required;
    let (phones, mut changes) = registrar::spawn(settings, Arc::new(SystemClock)).await.expect("a free port");
    let tls = phones.local_tls().expect("it listens for TLS");
    let account = format!(
        "<sip:{USER}@{tls};transport=tls>;auth_user={USER};auth_pass={SECRET};answermode=auto;regint=60;\
         mediaenc=srtp-mand;audio_codecs=PCMU/8000/1\n"
    );
    let telephone = Baresip::start(&program, directory.path(), &authority.ca_file(), &account, 30, &[]);
    let kim = UserId::named("kim");
    let came = tokio::time::timeout(super::SOON, changes.recv()).await.expect("in time");
    assert_eq!(came, Some((kim.clone(), Phones::of(Phone::DeskPhone))));

    let (media, mut told) = media("127.0.0.1", ports(3));
    let (leg, shard) = (LegId(1), media.pick_shard());
    let reach = media.open_rtp_for(shard, leg, Strays::Hosts).expect("a port");
    let mut session =
        Session::new(1, reach.towards(None), &[Codec::Pcmu]).with_srtp(Srtp::Off, OwnKeys::new([[1; 30], [2; 30]]));
    let (events, mut leg_events) = mpsc::channel(LEG_EVENT_DEPTH);
    let offer = Offer::Reaching(Box::new(session.clone()), reach);
    phones.ring(leg, &kim, Phone::DeskPhone, offer, Vec::new(), events);
    let answer = loop {
        match next(&mut leg_events).await {
            LegEvent::Offered(offered) => {
                let Offered { srtp, keys, local } = *offered;
                assert_eq!((srtp, local.map(|local| local.ip().is_loopback())), (Srtp::Required, Some(true)));
                session.rekey(keys);
                session.settle(srtp);
            }
            LegEvent::Answered(answer) => break answer,
            LegEvent::Ended(why) => panic!("not answered: {why:?}"),
            _ => {}
        }
    };
    let agreed = session.accept(&answer).expect("we agree");
    assert!(agreed.srtp.is_some(), "{}", String::from_utf8_lossy(&answer));
    media.connect_rtp(leg, agreed.into()).expect("open");
    let theirs = talk(&media, &mut told, shard, leg, agreed.into()).await;
    phones.send(leg, LegCommand::HangUp);
    assert_eq!(end(&mut leg_events).await, Cause::Released);
    drop(telephone);
    assert_both_heard(&theirs, directory.path());
}
