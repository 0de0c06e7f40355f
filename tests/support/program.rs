//! A program of ours as a child process: what it says is kept, and it is ended by its process id when dropped.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(50);

/// A running program.
pub struct Program {
    child: Child,
    output: Arc<Mutex<String>>,
    log: Arc<Mutex<String>>,
}

impl Program {
    /// Starts what `command` says.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built with this test");
        let [output, log]: [Arc<Mutex<String>>; 2] = Default::default();
        // Standard error is the log; both together are what a person sees.
        let streams: [(Box<dyn Read + Send>, _); 2] = [
            (Box::new(child.stdout.take().expect("stdout is piped")), None),
            (Box::new(child.stderr.take().expect("stderr is piped")), Some(Arc::clone(&log))),
        ];
        for (stream, log) in streams {
            let output = Arc::clone(&output);
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    for kept in [Some(&output), log.as_ref()].into_iter().flatten() {
                        let mut kept = kept.lock().expect("no holder of this lock panics");
                        kept.push_str(&line);
                        kept.push('\n');
                    }
                }
            });
        }
        Self { child, output, log }
    }

    /// Waits until it is `ready`, 30 s at most.
    pub fn wait_until(&mut self, ready: impl FnMut(&Self) -> bool) {
        if let Err(why) = self.comes_up(ready) {
            panic!("{why}:\n{}", self.output());
        }
    }

    /// The same, and says why if it does not come to that.
    pub fn comes_up(&mut self, mut ready: impl FnMut(&Self) -> bool) -> Result<(), String> {
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait().expect("our own child can be asked") {
                return Err(format!("it ended at start ({status})"));
            }
            if ready(self) {
                return Ok(());
            }
            std::thread::sleep(LOOK);
        }
        Err("it was not ready within 30 s".to_owned())
    }

    /// All that it printed.
    pub fn output(&self) -> String {
        self.output.lock().expect("no holder of this lock panics").clone()
    }

    /// What it wrote to standard error alone: its log.
    pub fn log(&self) -> String {
        self.log.lock().expect("no holder of this lock panics").clone()
    }

    /// Sends it a signal by name: `TERM`, `HUP`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.expect("kill can be run").success(), "it is not there any more:\n{}", self.output());
    }

    /// Asks it to end, as an init system does: SIGTERM.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our own child can be asked").is_none()
    }

    /// Waits for its end and gives its exit code; none if a signal ended it.
    pub fn exit_code(&mut self) -> Option<i32> {
        for _ in 0..1_200 {
            if let Some(status) = self.child.try_wait().expect("our own child can be asked") {
                return status.code();
            }
            std::thread::sleep(LOOK);
        }
        panic!("it did not end within 60 s:\n{}", self.output());
    }

    /// Ends it as a power cut would: SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- what cordboard printed ---\n{}", self.output());
        }
    }
}
