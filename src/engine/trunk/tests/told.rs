//! What the log and the figures tell the engineer of calls that failed.

use std::io;
use std::sync::Mutex;

use metrics_exporter_prometheus::PrometheusBuilder;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// What this thread logs, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn start(&self) -> DefaultGuard {
        let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(self.clone()).finish();
        tracing::subscriber::set_default(lines)
    }

    /// The one line that holds this.
    fn line(&self, words: &str) -> String {
        let text = String::from_utf8(self.0.lock().expect("nobody panicked").clone()).expect("text");
        let found: Vec<&str> = text.lines().filter(|line| line.contains(words)).collect();
        assert_eq!(found.len(), 1, "one line with \"{words}\" in:\n{text}");
        found[0].to_owned()
    }
}

impl io::Write for &Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panicked").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[tokio::test]
async fn a_refused_call_out_leaves_a_line_with_trunk_status_and_call_id_and_is_counted() {
    let (log, recorder) = (Log::default(), PrometheusBuilder::new().build_recorder());
    let _logs = log.start();
    let _figures = metrics::set_default_local_recorder(&recorder);
    let far = Far::open().await;
    let house = house(vec![carrier(&far, 10)], |_| {}).await;
    for (status, class, words) in [
        ("403 Forbidden", "4xx", "status=403"),
        ("488 Not Acceptable Here", "4xx", "status=488"),
        ("500 Oops", "5xx", "status=500"),
    ] {
        let mut caller = house.dials(BEN);
        let invite = far.gets("INVITE").await;
        far.says(&invite, status, false).await;
        caller.ends().await;
        far.gets("ACK").await;
        let line = log.line(words);
        assert!(line.contains("trunk=\"carrier-10\"") && line.contains(" WARN "), "{line}");
        assert!(line.contains(invite.header("Call-ID").expect("each has it")), "{line}");
        assert!(!line.contains("2025550110"), "{line}");
        let counted = format!("cordboard_trunk_tries_failed_total{{trunk=\"carrier-10\",status=\"{class}\"}}");
        assert!(recorder.handle().render().contains(&counted), "{}", recorder.handle().render());
    }
    // The last one rests, though it counts as up.
    let rests = log.line("rests");
    assert!(rests.contains("trunk=\"carrier-10\"") && rests.contains("secs=30"), "{rests}");
}

#[tokio::test]
async fn whoever_is_busy_is_no_warning() {
    let log = Log::default();
    let _logs = log.start();
    let far = Far::open().await;
    let house = house(vec![carrier(&far, 10)], |_| {}).await;
    let mut caller = house.dials(BEN);
    let invite = far.gets("INVITE").await;
    far.says(&invite, "486 Busy Here", false).await;
    assert_eq!(caller.ends().await, Cause::Busy);
    assert!(log.line("status=486").contains(" INFO "));
}

#[tokio::test]
async fn a_call_in_that_is_refused_is_found_by_trunk_and_call_id() {
    let log = Log::default();
    let _logs = log.start();
    let far = Far::open().await;
    let mut narrow = carrier(&far, 10);
    narrow.rules.channels = 1;
    let mut house = house(vec![narrow], |_| {}).await;
    far.calls(&house, 1).await;
    let taken = timeout(PATIENCE, house.calls.recv()).await.expect("in time").expect("a call");
    for n in 2..6 {
        far.calls(&house, n).await;
        far.gets("SIP/2.0 503").await;
    }
    let full = log.line("all channels of the trunk are in use");
    assert!(full.contains("trunk=\"carrier-10\"") && full.contains("channels=1"), "{full}");
    house.trunk.send(taken.leg, LegCommand::Reject(Cause::WrongNumber));
    far.gets("SIP/2.0 404").await;
    let refused = log.line("status=404");
    assert!(refused.contains("trunk=\"carrier-10\"") && refused.contains("room1"), "{refused}");
}
