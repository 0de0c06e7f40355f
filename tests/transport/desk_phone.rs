//! baresip as a desk phone that registers over TLS: it is rung with keys, answers with its own, and each hears the other.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::sync::Arc;

use cordboard::base::clock::SystemClock;
use cordboard::base::id::{DeviceId, UserId};
use cordboard::domain::call::bridge::{BridgeId, HearMatrix, LegId};
use cordboard::domain::call::cause::Cause;
use cordboard::domain::operator::{Phone, Phones};
use cordboard::engine::registrar::devices::{Devices, KnownDevice};
use cordboard::engine::registrar::{self, PhoneSettings, TokenCheck};
use cordboard::engine::signal::{LEG_EVENT_DEPTH, LegCommand, LegEvent, Offer};
use cordboard::io::media::{MediaEvent, PlayId};
use cordboard::io::net::Doors;
use cordboard::io::store::devices::DeviceHashes;
use cordboard::proto::sdp::{AudioCodec, OwnKeys, Session, Srtp};
use cordboard::proto::sip::digest::Algorithm;
use secrecy::SecretString;
use tokio::sync::{mpsc, watch};

use super::baresip::{THEIRS_HZ, configure, heard, is_over};
use super::peers::find_program;
use super::secure_audio::{media, ports, prompt};
use super::temp::TempDir;
use super::{Authority, end, next};

const OURS_HZ: f64 = 1_100.0;
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
    configure(directory.path(), &authority, &account);
    let mut telephone = Command::new(program)
        .arg("-f")
        .arg(directory.path())
        .args(["-t", "30"])
        // It ends when its input does.
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("baresip can be started");
    let kim = UserId::named("kim");
    let came = tokio::time::timeout(super::SOON, changes.recv()).await.expect("in time");
    assert_eq!(came, Some((kim.clone(), Phones::of(Phone::DeskPhone))));

    let (media, mut told) = media("127.0.0.1", ports(3));
    let (leg, ear, shard) = (LegId(1), LegId(2), media.pick_shard());
    let reach = media.open_rtp_for(shard, leg).expect("a port");
    let mut session = Session::new(1, reach.towards(None), &[AudioCodec::Pcmu])
        .with_srtp(Srtp::Off, OwnKeys::new([[1; 30], [2; 30]]));
    let (events, mut leg_events) = mpsc::channel(LEG_EVENT_DEPTH);
    let offer = Offer::Reaching(Box::new(session.clone()), reach);
    phones.ring(leg, &kim, Phone::DeskPhone, offer, Vec::new(), events);
    let answer = loop {
        match next(&mut leg_events).await {
            LegEvent::Offered { srtp, keys, local } => {
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
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
    socket.set_read_timeout(Some(super::SOON)).expect("a socket");
    media.open_rtp(shard, ear).expect("a port");
    let remote = socket.local_addr().expect("bound");
    let plain = cordboard::io::media::RtpParameters { remote, srtp: None, ..agreed.into() };
    media.connect_rtp(ear, plain).expect("open");
    media.set_bridge(shard, BridgeId(1), 1, HearMatrix::conference(&[leg, ear]));
    for play in 1..=3 {
        media.play(leg, PlayId(play), prompt(OURS_HZ), false).expect("open");
        while !matches!(next(&mut told).await, MediaEvent::PlayDone { .. }) {}
    }
    let mut theirs = Vec::new();
    let mut bytes = [0; 512];
    while theirs.len() < 12_000 {
        let len = socket.recv(&mut bytes).expect("baresip is heard");
        let (_, payload) = cordboard::proto::rtp::packet::read(&bytes[..len]).expect("RTP");
        theirs.extend(payload.iter().map(|b| cordboard::proto::audio::g711::from_ulaw(*b)));
    }
    phones.send(leg, LegCommand::HangUp);
    assert_eq!(end(&mut leg_events).await, Cause::Released);
    let _ = telephone.kill();
    let _ = telephone.wait();
    assert!(is_over(&theirs, THEIRS_HZ, OURS_HZ), "we do not hear baresip");
    let heard = heard(directory.path());
    assert!(heard.len() > 12_000 && is_over(&heard, OURS_HZ, THEIRS_HZ), "baresip does not hear us");
}
