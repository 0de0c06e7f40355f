//! The desk behind the front door, which writes down what it is told ([`Told`]) and says no where it was told to.
//!
//! Made by [`House`](super::House); what the same double does as an edge is in [`edges`](super::edges). What always holds: nothing
//! goes further than the lists of [`Told`].

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use cordboard::base::clock::{Clock as _, TestClock};
use cordboard::base::id::{AccountId, AttemptId, CallId, UserId};
use cordboard::domain::account::Account;
use cordboard::domain::operator::skill::Skills;
use cordboard::engine::callout::{CallOutEvent, CallOutRequest, JobOffer};
use cordboard::engine::calls::dial_out::DialOrder;
use cordboard::engine::calls::trial::MenuTrial;
use cordboard::engine::calls::{Command, ListenMode};
use cordboard::engine::feed::{CallView, FiguresView, FloorView, QueueView, SeatState, SeatView, UserRef};
use cordboard::http::state::{Answer, Board, Desk, NotNow};
use cordboard::io::deliver::push::Push;
use cordboard::io::deliver::{Delivery, Mail, TextMessage};
use cordboard::io::net::{Endpoint, NetEvent, WsDoor};
use cordboard::io::store::callbacks::Callback;

/// Where news of a call-out goes.
pub type News = mpsc::UnboundedSender<(AttemptId, CallOutEvent)>;

/// What the doubles were told.
#[derive(Default)]
pub struct Told {
    pub commands: Mutex<Vec<(CallId, UserId, Command)>>,
    pub ready: Mutex<Vec<(UserId, bool, Option<String>)>>,
    pub beats: Mutex<Vec<(UserId, bool)>>,
    pub skilled: Mutex<Vec<(UserId, Skills)>>,
    pub silenced: Mutex<Vec<String>>,
    pub rung_back: Mutex<Vec<(Callback, UserId)>>,
    pub rung_now: Mutex<Vec<(CallId, UserId)>>,
    pub given_up: Mutex<Vec<(CallId, UserId)>>,
    pub seen_to: Mutex<Vec<CallId>>,
    pub listened: Mutex<Vec<(CallId, UserId)>>,
    /// Who listens to which live call from now on; no mode: no longer.
    pub listens: Mutex<Vec<(CallId, UserId, Option<ListenMode>)>>,
    pub moved: Mutex<Vec<(CallId, UserId, Option<UserId>)>>,
    /// Who was sent home by whom.
    pub logged_out: Mutex<Vec<(UserId, UserId)>>,
    /// The state of kim's seat on the floor, unless she is idle.
    pub kims: Mutex<Option<SeatState>>,
    /// Menus that were tried out.
    pub tried: Mutex<Vec<String>>,
    /// Accounts for which somebody was rung to speak a greeting in.
    pub dictated: Mutex<Vec<AccountId>>,
    pub texts: Mutex<Vec<TextMessage>>,
    pub mails: Mutex<Vec<Mail>>,
    pub pushes: Mutex<Vec<Push>>,
    /// What push services answer, unless they take everything.
    pub push_answer: Mutex<Option<Delivery>>,
    pub calls: Mutex<Vec<(CallOutRequest, News)>>,
    pub jobs: Mutex<Vec<JobOffer>>,
    /// What became of jobs.
    pub settled_jobs: Mutex<Vec<(AttemptId, &'static str)>>,
    pub dialled_out: Mutex<Vec<(DialOrder, UserId)>>,
    /// Calls that are up.
    pub up: Mutex<Vec<CallView>>,
    pub refuse: Mutex<bool>,
    /// The store of call records does not answer.
    pub away: Mutex<bool>,
}

impl Told {
    /// A copy of what was told so far.
    pub fn so_far<T: Clone>(list: &Mutex<Vec<T>>) -> Vec<T> {
        list.lock().expect("no panic while it was held").clone()
    }
}

pub(super) struct Double {
    pub(super) told: Arc<Told>,
    pub(super) clock: TestClock,
    pub(super) door: WsDoor,
}

impl Double {
    fn seat(&self, user: UserRef) -> SeatView {
        SeatView {
            user,
            state: SeatState::NotReady,
            reason: None,
            since: self.clock.utc(),
            phone: false,
            desk_phone: false,
            checked: false,
            calls: Vec::new(),
            aside: false,
            sent_home: false,
            skills: Vec::new(),
        }
    }
}

pub(super) fn push<T>(list: &Mutex<Vec<T>>, item: T) {
    list.lock().expect("no panic while it was held").push(item);
}

/// A door for softphones behind which everything is said back, and whoever registers is known.
pub(super) async fn echo() -> WsDoor {
    let mut endpoint = Endpoint::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a free port");
    let door = endpoint.ws_door();
    tokio::spawn(async move {
        loop {
            if let NetEvent::Received { flow, bytes } = endpoint.next().await {
                if bytes.starts_with(b"REGISTER ") {
                    endpoint.vouch(&flow);
                }
                let _ = endpoint.transmit(&flow, bytes);
            }
        }
    });
    door
}

impl Desk for Double {
    fn board(&self, user: UserRef) -> Answer<'_, Option<Board>> {
        Box::pin(async {
            let seat = self.seat(user);
            Some(Board { seat, calls: Told::so_far(&self.told.up), queue: QueueView::default(), alarms: Vec::new() })
        })
    }

    fn floor(&self) -> Answer<'_, Option<FloorView>> {
        Box::pin(async {
            let mut kims = self.seat(UserRef { id: UserId::named("kim"), name: "KIM".into() });
            kims.state = self.told.kims.lock().expect("no panic while it was held").unwrap_or(kims.state);
            let seats = vec![kims];
            let (calls, queue, figures) = (Vec::new(), QueueView::default(), FiguresView::default());
            Some(FloorView { seats, calls, queue, figures, answer_within_secs: 20 })
        })
    }

    fn command(&self, call: CallId, by: UserId, command: Command) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async {
            if *self.told.refuse.lock().expect("no panic while it was held") {
                return Err(NotNow("The caller has hung up.".into()));
            }
            push(&self.told.commands, (call, by, command));
            Ok(())
        })
    }

    fn dial_out(&self, order: DialOrder, by: UserId) -> Answer<'_, Result<CallId, NotNow>> {
        Box::pin(async {
            if *self.told.refuse.lock().expect("no panic while it was held") {
                return Err(NotNow("You are in a patch.".into()));
            }
            push(&self.told.dialled_out, (order, by));
            Ok(CallId::named("out"))
        })
    }

    fn may_dial(&self, _by: UserId) -> Answer<'_, Result<(), NotNow>> {
        let refused = *self.told.refuse.lock().expect("no panic while it was held");
        let answer = if refused { Err(NotNow("You are in a patch.".into())) } else { Ok(()) };
        Box::pin(std::future::ready(answer))
    }

    fn job_of(&self, call: &CallId) -> Option<AttemptId> {
        // The call of a job is named like it.
        let jobs = Told::so_far(&self.told.jobs);
        let own = |job: &JobOffer| *call == CallId::named(&format!("job-{}", job.attempt));
        jobs.into_iter().find(own).map(|job| job.attempt)
    }

    fn settle_job(&self, attempt: &AttemptId, outcome: &'static str) {
        push(&self.told.settled_jobs, (attempt.clone(), outcome));
    }

    fn give_back_job(&self, attempt: &AttemptId) {
        push(&self.told.settled_jobs, (attempt.clone(), "given_back"));
    }

    fn seats(&self) -> Answer<'_, Vec<SeatView>> {
        let lee = UserRef { id: UserId::named("lee"), name: "Lee".to_owned() };
        let hers = |call: &CallView| call.seat.as_ref() == Some(&lee.id);
        let calls = Told::so_far(&self.told.up).into_iter().filter(hers).map(|call| call.id).collect();
        Box::pin(async move { vec![SeatView { calls, ..self.seat(lee) }] })
    }

    fn set_ready(&self, user: UserRef, ready: bool, reason: Option<String>) -> Answer<'_, Result<SeatView, NotNow>> {
        Box::pin(async move {
            push(&self.told.ready, (user.id.clone(), ready, reason));
            Ok(self.seat(user))
        })
    }

    fn heartbeat(&self, user: UserRef, typing: bool) {
        push(&self.told.beats, (user.id, typing));
    }

    fn skilled(&self, user: UserId, skills: Skills) {
        push(&self.told.skilled, (user, skills));
    }

    fn check_media(&self, _user: UserRef) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async { Err(NotNow("The softphone is not registered.".into())) })
    }

    fn try_menu(&self, _user: UserRef, trial: MenuTrial) -> Answer<'_, Result<(), NotNow>> {
        push(&self.told.tried, trial.menu.name);
        Box::pin(async { Ok(()) })
    }

    fn dictate(&self, _user: UserRef, account: AccountId) -> Answer<'_, Result<(), NotNow>> {
        push(&self.told.dictated, account);
        Box::pin(async { Ok(()) })
    }

    fn listen(&self, call: CallId, by: UserRef, mode: ListenMode) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async move {
            if *self.told.refuse.lock().expect("no panic while it was held") {
                return Err(NotNow("Nobody talks in this call now.".into()));
            }
            push(&self.told.listens, (call, by.id, Some(mode)));
            Ok(())
        })
    }

    fn leave(&self, call: CallId, by: UserId) {
        push(&self.told.listens, (call, by, None));
    }

    fn move_call(&self, call: CallId, by: UserId, to: Option<UserId>) -> Answer<'_, Result<(), NotNow>> {
        Box::pin(async {
            push(&self.told.moved, (call, by, to));
            Ok(())
        })
    }

    fn log_out(&self, user: UserId, by: UserRef) -> Answer<'_, bool> {
        Box::pin(async move {
            let sits = user == UserId::named("kim");
            push(&self.told.logged_out, (user, by.id));
            sits
        })
    }

    fn silence<'a>(&'a self, alarm: &'a str) -> Answer<'a, ()> {
        push(&self.told.silenced, alarm.to_owned());
        Box::pin(std::future::ready(()))
    }

    fn ring_back(&self, callback: Callback, _account: Account, by: UserId) -> Answer<'_, bool> {
        push(&self.told.rung_back, (callback, by));
        Box::pin(async { true })
    }

    fn ring_now(&self, call: CallId, by: UserId) -> Answer<'_, Result<(), NotNow>> {
        push(&self.told.rung_now, (call, by));
        Box::pin(async { Ok(()) })
    }

    fn give_up_ringing(&self, call: CallId, by: UserId) -> Result<(), NotNow> {
        push(&self.told.given_up, (call, by));
        Ok(())
    }

    fn see_to(&self, call: CallId) {
        push(&self.told.seen_to, call);
    }

    fn listened(&self, call: CallId, by: UserId) -> Answer<'_, bool> {
        let away = *self.told.away.lock().expect("no panic while it was held");
        if !away {
            push(&self.told.listened, (call, by));
        }
        Box::pin(async move { !away })
    }
}
