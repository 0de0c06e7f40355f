//! What the people of a story see and do: an operator with jobs on her screen, and on-call staff with their devices.

use super::*;

impl Seat<'_> {
    /// A call to that person is to be made, about a message with these words.
    pub fn expect_job(&self, name: &str, words: &str) -> AttemptId {
        let mut jobs = self.desk.devices.jobs.lock().expect("unpoisoned");
        let job = jobs.iter_mut().find(|job| !job.seen).expect("a job is offered");
        assert_eq!(job.offer.name, name);
        assert!(job.offer.headline.contains(words), "{}", job.offer.headline);
        job.seen = true;
        job.offer.attempt.clone()
    }

    /// It was not taken back.
    pub fn has(&self, job: &AttemptId) -> bool {
        !self.desk.devices.gone.lock().expect("unpoisoned").contains(job)
    }

    /// The call side tells this of it.
    pub async fn says(&self, job: &AttemptId, event: CallOutEvent) {
        let events = {
            let jobs = self.desk.devices.jobs.lock().expect("unpoisoned");
            jobs.iter().find(|j| j.offer.attempt == *job).expect("it is on the desks").events.clone()
        };
        events.send((job.clone(), event)).expect("the dispatcher listens");
        self.desk.advance(0).await;
    }
}

impl Phone<'_> {
    fn person(&self) -> &'static (&'static str, &'static str, &'static str, &'static str) {
        town::PEOPLE.iter().find(|(name, ..)| *name == self.name).expect("a person of the town")
    }

    fn expect(&self, kind: Kind, to: &str, words: &str) -> Arrived {
        let mut arrived = self.desk.devices.arrived.lock().expect("unpoisoned");
        let at = arrived.iter().position(|a| a.kind == kind && a.to == to);
        let Some(at) = at else { panic!("{} got no {kind:?}; there is {arrived:#?}", self.name) };
        let got = arrived.remove(at);
        assert!(got.words.contains(words), "{} got {kind:?} without {words:?}: {}", self.name, got.words);
        got
    }

    pub fn expect_text(&self, words: &str) -> Arrived {
        self.expect(Kind::Text, self.person().1, words)
    }

    pub fn expect_mail(&self, words: &str) -> Arrived {
        self.expect(Kind::Mail, self.person().3, words)
    }

    pub fn expect_page(&self, words: &str) -> Arrived {
        self.expect(Kind::Page, town::pager(self.person().1).as_str(), words)
    }

    /// What the person's own system was posted.
    pub fn expect_post(&self, words: &str) -> Arrived {
        self.expect(Kind::Post, "desk", words)
    }

    /// The identifier that a push carried.
    pub fn expect_push(&self) -> Arrived {
        self.expect(Kind::Push, &format!("https://push.example.net/{}", self.name.to_lowercase()), "att_")
    }

    /// A try to fax them, whatever became of it.
    pub fn expect_fax(&self, words: &str) -> Arrived {
        self.expect(Kind::Fax, town::FAX, words)
    }

    pub fn expect_call(&self) -> Arrived {
        self.expect(Kind::Call, self.person().1, "")
    }

    pub fn expect_call_at_home(&self) -> Arrived {
        self.expect(Kind::Call, self.person().2, "")
    }

    fn number(&self) -> PhoneNumber {
        town::number(self.person().1)
    }

    /// Replies from the mobile. `id` is the provider's: a repeat has the same.
    pub async fn replies_as(&self, id: &str, body: &str) {
        self.desk.dispatcher.take_text("twilio", id, self.number(), None, body.to_owned()).await.expect("taken in");
        self.desk.advance(0).await;
    }

    /// The last email to this mailbox.
    pub fn last_mail(&self) -> AttemptId {
        let mails = self.desk.devices.mails.lock().expect("unpoisoned");
        mails.iter().rev().find(|(to, _)| to == self.person().3).expect("an email went there").1.clone()
    }

    /// Answers the last email, quoting it. `headers`: what else stands in its head.
    pub async fn answers_mail_with(&self, headers: &str, words: &str) {
        let (attempt, from) = (self.last_mail(), self.person().3);
        let id = format!("{}.{attempt}", self.desk.clock.utc());
        let mail = format!(
            "From: {} <{from}>\r\nMessage-ID: <{id}@example.com>\r\nSubject: Re: burst pipe\r\n{headers}\r\n{words}\r\n\r\n\
             On Sat, 7 Mar 2026 at 02:10, Imaginary Plumbing wrote:\r\n> Reply to this email with OK to confirm.\r\n",
            self.name
        );
        self.desk.mail_for(&attempt, from, &mail).await;
    }

    pub async fn answers_mail(&self, words: &str) {
        self.answers_mail_with("", words).await;
    }

    /// A mail server reports on the last email. `id`: of the report.
    pub async fn mail_server_reports(&self, id: &str, action: &str, status: &str) {
        self.desk.report(&self.last_mail(), id, action, status).await;
    }

    pub async fn replies(&self, body: &str) {
        let id = format!("in-{}-{body}", self.desk.clock.utc());
        self.replies_as(&id, body).await;
    }

    /// Picks up the ringing mobile: these events happen, then the call is over. The dispatcher has not heard of it yet.
    pub fn talks(&self, events: &[CallOutEvent], result: OutboundEnd) {
        let ring = {
            let mut rings = self.desk.devices.rings.lock().expect("unpoisoned");
            let at = rings.iter().position(|ring| ring.to == self.person().1).expect("the mobile rings");
            rings.remove(at)
        };
        for event in events {
            ring.events.send((ring.attempt.clone(), event.clone())).expect("the dispatcher listens");
        }
        self.desk.end(ring, result);
    }

    /// Has picked up the mobile and goes on talking: these events happen.
    pub async fn is_on(&self, events: &[CallOutEvent]) {
        let (attempt, tell) = {
            let mut rings = self.desk.devices.rings.lock().expect("unpoisoned");
            let ring = rings.iter_mut().find(|ring| ring.to == self.person().1).expect("the mobile rings");
            ring.until = self.desk.clock.utc().plus_secs(24 * 3_600);
            (ring.attempt.clone(), ring.events.clone())
        };
        for event in events {
            tell.send((attempt.clone(), event.clone())).expect("the dispatcher listens");
        }
        self.desk.advance(0).await;
    }

    /// The same, and the dispatcher hears of it.
    pub async fn picks_up(&self, events: &[CallOutEvent], result: OutboundEnd) {
        self.talks(events, result);
        self.desk.advance(0).await;
    }

    pub fn rings(&self) -> bool {
        self.desk.devices.rings.lock().expect("unpoisoned").iter().any(|ring| ring.to == self.person().1)
    }
}
