//! Composition root: builds everything, wires what travels up, shuts it down in order. Decides nothing.

mod alarms;
mod certificates;
mod failure;
mod faxes;
mod left;
mod meanings;
mod news;
mod parts;
mod voice;
mod watched;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use crate::base::clock::{SharedClock, SystemClock};
use crate::config::Config;
use crate::demo::{self, Demo};
use crate::domain::call::cause::Cause;
use crate::engine::alarms::Alarms;
use crate::engine::alarms::beat::Beat;
use crate::engine::alarms::guard::{Guard, Pace};
use crate::engine::alarms::ringer::RingerParts;
use crate::engine::audit::{self, Audit};
use crate::engine::calls::book::AccountBook;
use crate::engine::calls::greetings::GreetingBook;
use crate::engine::calls::{CallsHandle, CallsParts};
use crate::engine::clients::Clients;
use crate::engine::clients::reach::Reachable;
use crate::engine::desk::DeskHandle;
use crate::engine::dispatcher::{Dispatcher, InboxDoor, Sounds};
use crate::engine::feed::Feed;
use crate::engine::figures::FiguresHandle;
use crate::engine::inboxes::Inboxes;
use crate::engine::legs::{Sides, Signalling as _, Wiring};
use crate::engine::mail_in;
use crate::engine::recaps::Recaps;
use crate::engine::registrar::PhoneSettings;
use crate::engine::shifts::Shifts;
use crate::engine::signal::{IncomingCall, LegCommand};
use crate::engine::texts;
use crate::engine::trunk::{LegNumbers, TrunkHandle};
use crate::engine::voicemails::Voicemails;
use crate::engine::{registrar, trunk};
use crate::http;
use crate::http::auth::LiveSessions;
use crate::http::live::LiveDesk;
use crate::http::state::{Front, Limits, Parts};
use crate::io::media::{Media, MediaConfig, MediaEvent, Place};
use crate::io::net::census::Census;
use crate::io::net::{Doors, descriptors};
use crate::io::recording::Recordings;
use crate::io::store::Store;
use crate::io::store::audit::AnchorFile;
use crate::io::store::users::Role;
use crate::io::systemd::{Notify, Word};
use crate::io::token::Tokens;

use faxes::{look_for_faxes, station};
use left::{guessed, joined, joined_in, promised, to_ring_back, unreached};
use parts::{
    busy, front_settings, letters, mail_door, music, numbering, public_url, pusher, signing_key, start_sandbox,
    start_voice, trunk_settings,
};
use watched::Watched;

pub use certificates::Certificates;
pub use failure::Failure;
pub use faxes::check_fax_engine;

/// The name of this node; several nodes are told apart by it.
const NODE: &str = "main";
/// Events of all shards that may wait. A tick never waits for us: what does not fit is dropped and counted.
const MEDIA_EVENTS: usize = 8_192;
/// Calls of desk phones that may wait to be taken in.
const PHONE_CALLS_DEPTH: usize = 64;
/// How long calls may go on after the service was told to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(30 * 60);
/// Seconds of a day.
const DAY: u64 = 86_400;
/// How long the last words of a stopping service may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// Runs the service, or the demo, until it is told to end (SIGTERM, SIGINT).
pub async fn run(mut config: Config, demo: Option<Demo>) -> Result<(), Failure> {
    let clock: SharedClock = Arc::new(SystemClock);
    let sandbox = match &demo {
        Some(demo) => Some(start_sandbox(demo, &mut config, &clock).await?),
        None => None,
    };
    let limit = descriptors::raise();
    if limit < descriptors::FEW {
        tracing::warn!(
            limit,
            "few files and sockets may be open: raise the limit (LimitNOFILE, ulimit -n) for more calls"
        );
    }
    let shares = descriptors::share(limit);
    let certificates = Certificates::load(&config)?;
    check_fax_engine(&config)?;
    // Bound first: a second Cordboard on the same ports ends here, before it touches anything.
    let listener =
        TcpListener::bind(config.http.bind).await.map_err(|e| busy("console and API", config.http.bind, &e))?;

    let store = Store::open(&config.store, clock.utc()).await.map_err(|e| Failure::new(e.to_string()))?;
    // Two processes on one database would take each other's work for a dead one's.
    let _hold = store.hold().await.map_err(|e| Failure::new(e.to_string()))?;
    if demo.is_some() {
        demo::seed(&store, clock.utc()).await.map_err(|e| Failure::new(e.to_string()))?;
    }
    let speaker = start_voice(&config, &store).await?;
    look_for_faxes(&store).await?;
    let tokens = Tokens::new(&signing_key(&config)?, Arc::clone(&clock));
    let metrics = PrometheusBuilder::new().install_recorder();
    let metrics = metrics.map_err(|e| Failure::new(format!("metrics cannot be kept: {e}")))?;
    meanings::describe();
    let feed = Feed::default();

    let (media_events, mut from_media) = mpsc::channel::<MediaEvent>(MEDIA_EVENTS);
    let music = speaker.prepare(&music()).await.map_err(|e| Failure::new(e.to_string()))?;
    let second = config.media.second.map(|second| Place { bound: second.bind_ip, public: second.public_ip });
    let media = Media::start_with(
        MediaConfig {
            bind_ip: config.media.bind_ip,
            public_ip: config.media.public_ip,
            ports: config.media.ports.clone(),
            shards: config.media.shards,
            music,
            clock: Arc::clone(&clock),
        },
        second,
        media_events,
    )
    .map_err(|e| Failure::new(e.to_string()))?;

    let legs = LegNumbers::default();
    let check: registrar::TokenCheck = {
        let tokens = tokens.clone();
        // Clients have no telephone here.
        Arc::new(move |token| tokens.check(token).ok().filter(|b| b.role != Role::Client).map(|bearer| bearer.user))
    };
    let (devices, following) =
        registrar::devices::follow(store.clone()).await.map_err(|e| Failure::new(e.to_string()))?;
    let doors = Doors {
        bind: config.sip.phones_bind,
        tls: config.sip.phones_tls_bind.zip(certificates.sip.clone()),
        census: Census::new(shares.phones, Vec::new()),
    };
    let digests = config.sip.phone_digests.clone();
    let (made, from_phones) = mpsc::channel(PHONE_CALLS_DEPTH);
    let mut phone_settings = PhoneSettings::new(doors, check, devices, digests);
    phone_settings.srtp = config.sip.phone_srtp;
    phone_settings.public.clone_from(&config.sip.public_addresses);
    phone_settings.numbering = numbering(&config);
    phone_settings.legs = legs.clone();
    phone_settings.calls = Some(made);
    let (phones, mut phone_changes) =
        registrar::spawn(phone_settings, Arc::clone(&clock)).await.map_err(|e| Failure::new(e.to_string()))?;
    let (waiting, cut_off) = to_ring_back(&store, clock.utc()).await.map_err(|e| Failure::new(e.to_string()))?;
    let joined = joined(&store, clock.utc()).await.map_err(|e| Failure::new(e.to_string()))?;
    let joined_in = joined_in(&store, &cut_off).await.map_err(|e| Failure::new(e.to_string()))?;
    let begun = store.list_forms_begun().await.map_err(|e| Failure::new(e.to_string()))?;
    let promised = promised(&store).await.map_err(|e| Failure::new(e.to_string()))?;
    let unreached = unreached(&store, clock.utc()).await.map_err(|e| Failure::new(e.to_string()))?;
    let guessed = guessed(&store, clock.utc()).await.map_err(|e| Failure::new(e.to_string()))?;
    let spoken = store.list_open_voicemails().await.map_err(|e| Failure::new(e.to_string()))?;
    let (letters, text_carriers) = letters(&config, &store)?;
    let mail_door = mail_door(&config, &store, &certificates).await?;
    let mail_at = mail_door.as_ref().and_then(|(door, _)| door.local().ok());
    // Last of what can fail, as it registers with carriers at once: they would send calls to a start that failed.
    let settings = trunk_settings(&config, &certificates, shares.trunks, legs.clone(), feed.clone());
    let (trunk, incoming) =
        trunk::spawn(settings, Arc::clone(&clock)).await.map_err(|e| Failure::new(e.to_string()))?;
    let sides = Arc::new(Sides { trunk: trunk.clone(), phones: phones.clone() });

    let media = Arc::new(media);
    let (desk, from_desk) = DeskHandle::start_with(Arc::clone(&clock), feed.clone(), config.seats.calls);
    let wiring = Arc::new(Wiring::new(Arc::clone(&clock), sides.clone(), media.clone(), speaker.clone(), legs));
    let (call_news, from_calls) = mpsc::unbounded_channel();
    let (recordings, recordings_ended) =
        Recordings::start(config.recording.directory.clone(), store.house_seal(), Arc::clone(&clock))
            .map_err(|e| Failure::new(format!("the thread that writes recordings cannot be started: {e}")))?;
    let figures = FiguresHandle::new(config.board.clone(), Arc::clone(&clock), feed.clone());
    figures.recount(&store).await.map_err(|e| Failure::new(e.to_string()))?;
    let calls = CallsHandle::start(
        CallsParts {
            wiring,
            desk: desk.clone(),
            feed: feed.clone(),
            accounts: Arc::new(AccountBook::new(store.clone(), Arc::clone(&clock))),
            log: Arc::new(store.clone()),
            callbacks: Arc::new(store.clone()),
            check_ins: Arc::new(store.clone()),
            greetings: Arc::new(GreetingBook::new(store.clone(), speaker.clone())),
            numbering: numbering(&config),
            shown: config.trunks.iter().filter_map(|trunk| trunk.caller_ids.first().cloned()).collect(),
            recordings: recordings.clone(),
            figures: figures.clone(),
            park: config.seats.park,
            station: station(&config),
            news: call_news,
        },
        from_desk,
    );
    calls.recall(waiting, joined, unreached);
    calls.recall_pins(guessed);
    calls.keep_promises(promised);
    let cut_short: Vec<_> = cut_off.iter().map(|(call, _)| call.id.clone()).collect();
    // Before the calls they were in are ended on record, by which they are found.
    calls.bury_joined(joined_in);
    calls.bury_cut_off(cut_off);
    calls.bury_forms(begun);
    let alarm_texter = Arc::clone(&letters.alarm_texter);
    let edges = letters.with_calls(calls.clone());
    let (mailer, texter) = (Arc::clone(&edges.mailer), Arc::clone(&edges.texter));
    let letters_to_inboxes = (Arc::clone(&edges.mailer), Arc::clone(&edges.texter));
    let dispatcher = Dispatcher::new(store.clone(), Arc::clone(&clock), feed.clone(), edges, NODE);
    dispatcher.paced_by(config.rates.clone());
    dispatcher.hear_voicemails(Sounds { recordings: recordings.clone(), public_url: public_url(&config) });
    let alarms =
        Alarms::new(store.clone(), Arc::clone(&clock), feed.clone(), config.alarms.clone(), &config.board.zone);
    dispatcher.watched_by(alarms.clone());
    let pusher = pusher(&store, &clock, &config).await?;
    let inboxes = Inboxes::new(
        store.clone(),
        Arc::clone(&clock),
        dispatcher.clone(),
        letters_to_inboxes,
        public_url(&config),
        pusher.public_key().to_owned(),
    );
    dispatcher.open_inboxes(InboxDoor { pusher: Arc::new(pusher), public_url: public_url(&config) });
    let voicemails = Voicemails::new(store.clone(), Arc::clone(&clock), dispatcher.clone(), recordings.clone());
    let recaps = Recaps::new(store.clone(), Arc::clone(&clock), Arc::clone(&mailer), dispatcher.clone());
    let shifts = Shifts::new(store.clone(), Arc::clone(&clock), mailer, texter, dispatcher.clone());

    let (stop, stopping) = watch::channel(false);
    let draining = Arc::new(AtomicBool::new(false));
    let over = Arc::new(AtomicBool::new(false));
    let mut work = Watched::default();
    work.spawn("the trunk side", {
        let trunk = trunk.clone();
        async move { trunk.gone().await }
    });
    work.spawn("the phone side", {
        let phones = phones.clone();
        async move { phones.gone().await }
    });
    work.spawn("the audio", async move { media.gone().await });
    work.spawn("the desk", {
        let desk = desk.clone();
        async move { desk.gone().await }
    });
    work.spawn("the call record", {
        let calls = calls.clone();
        async move { calls.record_gone().await }
    });
    work.spawn(
        "the care for recordings",
        calls.clone().keep_recordings(recordings_ended, Duration::from_secs(config.recording.keep_days as u64 * DAY)),
    );
    work.spawn("the look at recordings that were cut short", {
        let calls = calls.clone();
        async move {
            calls.recover_recordings(cut_short).await;
            std::future::pending::<()>().await;
        }
    });
    let audit = Audit::start(store.clone(), Arc::clone(&clock));
    work.spawn("the audit log", {
        let audit = audit.clone();
        async move { audit.gone().await }
    });
    work.spawn("the care for the audit log", {
        let file = AnchorFile::beside(&config.store.key_file);
        audit::keep(store.clone(), Arc::clone(&clock), file, config.audit.keep_days)
    });
    work.spawn("the figures of today", figures.clone().keep(store.clone()));
    work.spawn("what the audio tells", {
        let calls = calls.clone();
        async move {
            while let Some(event) = from_media.recv().await {
                calls.on_media(event);
            }
        }
    });
    work.spawn("what phones tell", {
        let desk = desk.clone();
        async move {
            while let Some((user, phones)) = phone_changes.recv().await {
                desk.phones(user, phones);
            }
        }
    });
    work.spawn("the list of desk phones", following);
    work.spawn("the watch on certificates", {
        let certificates = certificates.clone();
        async move {
            if let Err(why) = certificates.keep().await {
                tracing::error!("certificates are not read again: {why}");
                // The service does without.
                std::future::pending::<()>().await;
            }
        }
    });
    work.spawn("the taking in of calls", take_in(incoming, calls.clone(), Arc::clone(&sides), Arc::clone(&draining)));
    work.spawn("the calls that desk phones make", calls.clone().take_from_phones(from_phones));
    work.spawn("the making of messages out of voicemails", {
        let cut_off = spoken.into_iter().filter(|voicemail| voicemail.end.is_none()).collect();
        voicemails.clone().run(cut_off)
    });
    work.spawn("the recaps", recaps.run());
    work.spawn("the reminders of shifts", shifts.run());
    work.spawn("what calls tell", news::tell(dispatcher.clone(), voicemails, from_calls));
    let mut dispatching = tokio::spawn({
        let (dispatcher, stopping) = (dispatcher.clone(), stopping.clone());
        async move { dispatcher.run(stopping).await }
    });

    let main = Beat::new(Arc::clone(&clock));
    work.spawn("the beat of the service", alarms::beat(main.clone()));
    let notify = || Notify::at(std::env::var_os("NOTIFY_SOCKET").as_deref());
    let guard = Guard::start(main.clone(), Pace::default(), notify())
        .map_err(|e| Failure::new(format!("the thread that watches over the service cannot be started: {e}")))?;
    let notify = notify();
    work.spawn("the look at the alarm chain", alarms::look_after(alarms.clone(), Arc::clone(&clock)));
    let ringer = RingerParts {
        alarms: alarms.clone(),
        store: store.clone(),
        texter: alarm_texter,
        call_out: Arc::new(alarms::OnMain { main: Handle::current(), calls: calls.clone() }),
        house: {
            let (calls, dispatcher, trunk) = (calls.clone(), dispatcher.clone(), trunk.clone());
            Arc::new(move || [calls.alarms(), dispatcher.alarms(), trunk.alarms()].concat())
        },
        main,
    };
    let ringer_gone = alarms::start(ringer, config.store.clone(), Arc::clone(&clock), stopping.clone())?;
    let mut ringing = tokio::spawn(async move {
        // Nothing is ever sent: it is dropped when the thread ends.
        let _ = ringer_gone.await;
    });

    let mut texting = tokio::spawn(texts::run(dispatcher.clone(), text_carriers, stopping.clone()));

    let mut mailing = tokio::spawn({
        let (dispatcher, stopping) = (dispatcher.clone(), stopping.clone());
        async move {
            match mail_door {
                Some((door, incoming)) => mail_in::run(dispatcher, door, incoming, stopping).await,
                // There is no such door: nothing of it ends.
                None => texts::stopped(&mut stopping.clone()).await,
            }
        }
    });

    let front = Front::new(Parts {
        clock: Arc::clone(&clock),
        store: store.clone(),
        audit,
        clients: Clients::new(store.clone(), Arc::clone(&speaker), Arc::clone(&clock), feed.clone())
            .reaching(Reachable::by(&config)),
        inboxes,
        voice: speaker,
        feed,
        tokens,
        desk: Arc::new(LiveDesk {
            calls: calls.clone(),
            desk,
            dispatcher: dispatcher.clone(),
            trunk: trunk.clone(),
            figures,
            alarms: alarms.clone(),
        }),
        alarms,
        dispatcher,
        recordings: recordings.clone(),
        phones: Arc::new(phones),
        settings: front_settings(&config, demo.is_some()),
        metrics: Some(metrics),
        draining: Arc::clone(&draining),
        stopping: Arc::clone(&over),
        limits: Limits::default(),
        live: LiveSessions::default(),
    });
    let beside = sandbox.as_ref().map_or_else(Router::new, |carrier| Router::new().nest("/sandbox", carrier.router()));
    if let Some(carrier) = &sandbox {
        carrier.exchange().aim(trunk.local()).await;
        if let Some(door) = mail_at {
            carrier.exchange().aim_mail(door).await;
        }
    }
    let tls = certificates.http.as_ref().map(|identity| identity.acceptor(&http::serve::ALPN));
    let known = if config.http.behind_proxy { config.http.proxies.clone() } else { Vec::new() };
    let census = Census::new(shares.http, known);
    let mut serving =
        tokio::spawn(http::serve::serve(listener, tls, census, http::router::build(front, beside), stopping));
    notify.say(Word::Ready);
    match &demo {
        Some(demo) => {
            let mut out = std::io::stdout();
            // Nobody may read any more: the demo is up all the same.
            let _ = std::io::Write::write_fmt(&mut out, format_args!("{}\n", demo::welcome(demo)));
        }
        None => tracing::info!(http = %config.http.bind, "Cordboard is up"),
    }

    let limit = if demo.is_some() { Duration::ZERO } else { DRAIN_LIMIT };
    let outcome = tokio::select! {
        drained = drain(&calls, &trunk, &draining, limit, &notify) => drained,
        failure = work.first_end() => Err(failure),
        _ = &mut dispatching => Err(watched::ended("the dispatcher")),
        _ = &mut ringing => Err(watched::ended("the alarm chain")),
        _ = &mut texting => Err(watched::ended("the keeping of text carriers' connections")),
        _ = &mut mailing => Err(watched::ended("the door for mail")),
        _ = &mut serving => Err(watched::ended("the front door")),
    };
    calls.stop();
    let _ = tokio::time::timeout(FAREWELL, until_idle(&calls)).await;
    let _ = tokio::time::timeout(FAREWELL, until_written(&recordings)).await;
    let _ = tokio::time::timeout(FAREWELL, calls.recorded()).await;
    over.store(true, Ordering::Relaxed);
    // An error means that nobody listens any more, which is what we want.
    let _ = stop.send(true);
    for task in [dispatching, texting, ringing, mailing, serving].into_iter().filter(|task| !task.is_finished()) {
        let _ = tokio::time::timeout(FAREWELL, task).await;
    }
    // The beat ends with the work.
    drop(guard);
    work.shutdown().await;
    store.close().await;
    outcome
}

/// Waits for the word to end, then for calls to end by themselves, `limit` at most or until told again.
async fn drain(
    calls: &CallsHandle,
    trunk: &TrunkHandle,
    draining: &AtomicBool,
    limit: Duration,
    notify: &Notify,
) -> Result<(), Failure> {
    let cannot = |e: std::io::Error| Failure::new(format!("signals cannot be listened to: {e}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(cannot)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(cannot)?;
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    draining.store(true, Ordering::Relaxed);
    notify.say(Word::Stopping);
    trunk.leave();
    // Carriers that we are registered with take new calls elsewhere from here on.
    let _ = tokio::time::timeout(FAREWELL, trunk.unregister()).await;
    if calls.is_idle() || limit.is_zero() {
        return Ok(());
    }
    tracing::info!("stopping: no new calls; those in progress may end. A second signal cuts them off.");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = until_idle(calls) => {}
        () = tokio::time::sleep(limit) => {}
    }
    Ok(())
}

/// Waits until the last words of recorded calls are on disk.
async fn until_written(recordings: &Recordings) {
    while !recordings.is_idle() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn until_idle(calls: &CallsHandle) {
    while !calls.is_idle() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Takes calls in; once the service is draining, sends them elsewhere (503).
async fn take_in(
    mut incoming: mpsc::Receiver<IncomingCall>,
    calls: CallsHandle,
    sides: Arc<Sides>,
    draining: Arc<AtomicBool>,
) {
    while let Some(call) = incoming.recv().await {
        if draining.load(Ordering::Relaxed) {
            sides.to_trunk(call.leg, LegCommand::Reject(Cause::Unreachable));
        } else {
            calls.take_in_one(call);
        }
    }
}
