//! Kamailio with rtpengine in user space, from Debian's packages: two legs bridged.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use super::process::{Process, Scratch, find, free_port};

/// Both processes.
pub struct Kamailio {
    pub proxy: Process,
    pub media: Process,
    pub sip: SocketAddr,
    _scratch: Scratch,
}

/// What is missing of it, if anything.
pub fn missing() -> Option<String> {
    let missing: Vec<&str> = ["kamailio", "rtpengine"].into_iter().filter(|program| find(program).is_none()).collect();
    (!missing.is_empty()).then(|| format!("not installed: {} (Debian: kamailio, rtpengine-daemon)", missing.join(", ")))
}

impl Kamailio {
    pub fn start(callee: SocketAddr) -> Result<Self, String> {
        let scratch = Scratch::new("kamailio");
        let (sip, ng) = (free_port(14_000), free_port(14_300));
        let modules = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib"]
            .map(|dir| format!("{dir}/kamailio/modules"))
            .into_iter()
            .find(|dir| Path::new(dir).is_dir())
            .ok_or("Kamailio's modules were not found")?;
        let text = include_str!("kamailio.cfg")
            .replace("{sip}", &sip.to_string())
            .replace("{ng}", &ng.to_string())
            .replace("{modules}", &modules)
            .replace("{callee}", &callee.to_string());
        let config = scratch.0.join("kamailio.cfg");
        std::fs::write(&config, text).map_err(|why| why.to_string())?;
        let mut command = Command::new("rtpengine");
        command
            .args(["--foreground", "--log-stderr", "--log-level=3", "--table=-1", "--interface=127.0.0.1"])
            .args(["--port-min=15000", "--port-max=19999"])
            .arg(format!("--listen-ng=127.0.0.1:{ng}"))
            .arg(format!("--pidfile={}", scratch.0.join("rtpengine.pid").display()));
        let media = Process::start(command, &scratch.0.join("rtpengine.log"))?;
        sleep(Duration::from_millis(500));
        let mut command = Command::new("/usr/sbin/kamailio");
        command.args(["-DD", "-E", "-m", "256", "-M", "16", "-f"]).arg(&config);
        command.arg("-Y").arg(&scratch.0).arg("-P").arg(scratch.0.join("kamailio.pid"));
        let mut proxy = Process::start(command, &scratch.0.join("kamailio.log"))?;
        sleep(Duration::from_millis(1_500));
        if !proxy.is_running() {
            let log = std::fs::read_to_string(scratch.0.join("kamailio.log")).unwrap_or_default();
            return Err(format!("Kamailio ended at once:\n{log}"));
        }
        Ok(Self { proxy, media, sip: SocketAddr::from(([127, 0, 0, 1], sip)), _scratch: scratch })
    }

    pub fn cpu(&self) -> f64 {
        self.proxy.cpu() + self.media.cpu()
    }
}
