//! `cordboard demo`: everything a newcomer needs to call, answer, patch and confirm, on this machine.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::Args;
use cordboard::app;
use cordboard::config::{loopback, parse_ports};
use cordboard::demo::Demo;

use super::{Failure, block_on, start_log};

#[derive(Debug, Args)]
pub struct Options {
    /// Where it keeps everything.
    #[arg(long, value_name = "DIR", default_value = "var/demo")]
    data: PathBuf,
    /// Console and sandbox.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = local)]
    http: SocketAddr,
    /// Where calls come in.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5060", value_parser = local)]
    sip: SocketAddr,
    /// Where desk phones register.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5070", value_parser = local)]
    phones: SocketAddr,
    /// Ports for audio.
    #[arg(long, value_name = "A-B", default_value = "20000-29999", value_parser = ports)]
    rtp_ports: RangeInclusive<u16>,
    /// Send calls out here instead of to the sandbox's phones.
    #[arg(long, value_name = "ADDR", value_parser = local)]
    carrier: Option<SocketAddr>,
}

/// The demo's passwords are known to all, so it never leaves this machine.
fn local(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text.parse().map_err(|_| "write an address and a port: 127.0.0.1:8080".to_owned())?;
    let here = address.ip().is_loopback();
    here.then_some(address).ok_or_else(|| "the demo runs on this machine only: use 127.0.0.1 or [::1]".to_owned())
}

fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    parse_ports(text).ok_or_else(|| "write first and last, from 1024 on and four at least: 20000-29999".to_owned())
}

pub fn run(options: &Options) -> Result<(), Failure> {
    start_log();
    let demo = Demo {
        data: options.data.clone(),
        http: options.http,
        sip: options.sip,
        phones: options.phones,
        rtp_ports: options.rtp_ports.clone(),
        carrier: options.carrier,
    };
    // The app takes ports for the sandbox and then writes them into this.
    let config = demo.config(loopback(0), loopback(0))?;
    block_on(async { Ok(app::run(config, Some(demo)).await?) })
}
