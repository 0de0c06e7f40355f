//! Media threads of a test's own, and what is agreed with a plain telephone.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

use cordboard::base::clock::SharedClock;
use cordboard::io::media::{Codec, EventTypes, MediaConfig, Prompt, RtpParameters};
use cordboard::proto::audio::tone::sine;

/// Music on hold.
pub const MUSIC_HZ: f64 = 300.0;

/// A second of a tone.
pub fn prompt(hz: f64) -> Arc<Prompt> {
    Arc::new(Prompt::from_pcm(sine(hz, 8_000.0, 8_000)))
}

/// A loopback address of this process alone, so that a range of ports there is really its own; `last` tells several apart.
pub fn own_ip(last: u8) -> IpAddr {
    let [_, _, b, c] = std::process::id().to_be_bytes();
    [127, b | 64, c, last].into()
}

/// One thread, which tells everybody the address that it is bound to.
pub fn config(bind_ip: IpAddr, ports: RangeInclusive<u16>, clock: SharedClock) -> MediaConfig {
    let music = Arc::new(Prompt::from_pcm(sine(MUSIC_HZ, 6_000.0, 8_000)));
    MediaConfig { bind_ip, public_ip: None, ports, shards: 1, music, clock }
}

/// PCMU and keys both ways, in the clear.
pub fn plain(remote: SocketAddr) -> RtpParameters {
    RtpParameters {
        remote,
        codec: Codec::Pcmu,
        telephone_event: Some(EventTypes::same(101)),
        comfort_noise: false,
        rtcp_mux: false,
        send: true,
        receive: true,
        ptime_ms: 20,
        srtp: None,
    }
}
