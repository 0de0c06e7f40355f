//! Cuts a byte stream (TCP, TLS) into messages by Content-Length (RFC 3261 §18.3). A WebSocket needs
//! none of this: one message a frame (RFC 7118 §4).
//!
//! Holds at most one unfinished message, limited as in `wire`. A stream that broke its framing stays
//! broken: nobody can say where its next message starts. Pure; the driver closes the connection.

use super::wire::{MAX_BODY, MAX_HEAD, find_head_end, full_name, parse_length};

/// What came out of a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame {
    /// One whole message.
    Message(Vec<u8>),
    /// A double line end, or several that came at once: to be answered with a single one (RFC 5626 §4.4.1).
    Ping,
    /// A message whose end can't be found: worth a refusal, then the connection is to be closed.
    Broken(Vec<u8>),
}

/// The framer of one connection.
#[derive(Debug, Default)]
pub struct StreamFramer {
    buffer: Vec<u8>,
    /// Up to here there is no end of a header section.
    scanned: usize,
    broken: bool,
}

impl StreamFramer {
    /// Takes in bytes as they arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Part of a message is waiting for its rest.
    pub const fn is_partial(&self) -> bool {
        !self.broken && !self.buffer.is_empty()
    }

    /// The next message, if it is whole.
    pub fn poll_frame(&mut self) -> Option<Frame> {
        if self.broken {
            return None;
        }
        if self.skip_line_ends() {
            return Some(Frame::Ping);
        }
        if matches!(self.buffer.first(), None | Some(b'\r' | b'\n')) {
            return None;
        }
        let Some((head, body)) = find_head_end(&self.buffer, self.scanned) else {
            if self.buffer.len() > MAX_HEAD {
                return Some(self.fail(self.buffer.len()));
            }
            self.scanned = self.buffer.len().saturating_sub(3);
            return None;
        };
        let Some(length) = content_length(&self.buffer[..head]).filter(|l| *l <= MAX_BODY && head <= MAX_HEAD) else {
            return Some(self.fail(body));
        };
        // Both are bounded above, so the sum cannot overflow.
        let end = body + length;
        if self.buffer.len() < end {
            self.scanned = head.saturating_sub(3);
            return None;
        }
        let rest = self.buffer.split_off(end);
        self.scanned = 0;
        Some(Frame::Message(std::mem::replace(&mut self.buffer, rest)))
    }

    /// Passes over the line ends before a message, however many there are, in one go; whether a ping was among them.
    /// The beginning of one stays where nothing has followed it yet.
    fn skip_line_ends(&mut self) -> bool {
        let idle = self.buffer.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let line_ends = &self.buffer[..idle];
        let mut seen = 0;
        while let Some(at) = line_ends[seen..].windows(4).position(|four| four == b"\r\n\r\n") {
            seen += at + 4;
        }
        let kept = if idle == self.buffer.len() { begun(&line_ends[seen..]) } else { 0 };
        self.buffer.drain(..idle - kept);
        seen > 0
    }

    fn fail(&mut self, upto: usize) -> Frame {
        self.broken = true;
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.truncate(upto);
        Frame::Broken(bytes)
    }
}

/// How much of a ping has come at the end of these bytes.
fn begun(bytes: &[u8]) -> usize {
    let beginnings: [&[u8]; 3] = [b"\r\n\r", b"\r\n", b"\r"];
    beginnings.iter().find(|b| bytes.ends_with(b)).map_or(0, |b| b.len())
}

/// The one Content-Length of a header section; `None` if it is missing, doubled or not a number.
fn content_length(head: &[u8]) -> Option<usize> {
    let mut found = None;
    for line in head.split(|b| *b == b'\n') {
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let Ok(name) = std::str::from_utf8(&line[..colon]) else { continue };
        // A folded line starts with a space and is no name.
        if name.starts_with([' ', '\t']) || !full_name(name.trim_end()).eq_ignore_ascii_case("Content-Length") {
            continue;
        }
        let value = std::str::from_utf8(&line[colon + 1..]).ok()?;
        if found.is_some() {
            return None;
        }
        found = Some(parse_length(value)?);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &str) -> Vec<u8> {
        format!("OPTIONS sip:a SIP/2.0\r\nContent-Length : {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    #[test]
    fn messages_come_out_whole_however_the_stream_is_cut() {
        let mut stream = message("hello");
        stream.extend(b"\r\n\r\n\r\n");
        stream.extend(message(""));
        for size in 1..stream.len() {
            let (mut framer, mut frames) = (StreamFramer::default(), Vec::new());
            for chunk in stream.chunks(size) {
                framer.push(chunk);
                while let Some(frame) = framer.poll_frame() {
                    frames.push(frame);
                }
            }
            let wanted = [Frame::Message(message("hello")), Frame::Ping, Frame::Message(message(""))];
            assert_eq!(frames, wanted, "chunks of {size}");
            assert!(!framer.is_partial());
        }
    }

    #[test]
    fn a_stream_that_lost_its_framing_stays_broken() {
        for length in ["-1", "x", "99999999999999999999999", "18446744073709551615", "1\r\nl: 2"] {
            let mut framer = StreamFramer::default();
            framer.push(format!("OPTIONS sip:a SIP/2.0\r\nl: {length}\r\n\r\nabc").as_bytes());
            assert!(matches!(framer.poll_frame(), Some(Frame::Broken(_))), "{length}");
            framer.push(&message(""));
            assert_eq!(framer.poll_frame(), None);
        }
        let mut framer = StreamFramer::default();
        framer.push(&vec![b'a'; MAX_HEAD + 1]);
        assert!(matches!(framer.poll_frame(), Some(Frame::Broken(_))));
    }

    #[test]
    fn line_ends_before_a_message_are_passed_over_and_pings_among_them_are_seen() {
        let mut framer = StreamFramer::default();
        framer.push(&vec![b'\n'; 200_000]);
        assert_eq!(framer.poll_frame(), None);
        assert!(!framer.is_partial(), "nothing of it is kept");
        framer.push(b"\n\r\r\n\r");
        assert_eq!(framer.poll_frame(), None);
        framer.push(b"\n");
        assert_eq!(framer.poll_frame(), Some(Frame::Ping));
        framer.push(b"\r\r\n\n\r\n");
        framer.push(&message("hello"));
        assert_eq!(framer.poll_frame(), Some(Frame::Message(message("hello"))));
    }

    #[test]
    fn a_crowd_of_pings_is_taken_at_once_and_answered_once() {
        let mut framer = StreamFramer::default();
        framer.push(&b"\r\n\r\n".repeat(4_096));
        framer.push(b"\r\n\r");
        assert_eq!(framer.poll_frame(), Some(Frame::Ping));
        assert_eq!(framer.poll_frame(), None);
        assert_eq!(framer.buffer, b"\r\n\r", "the beginning of one stays");
        framer.push(b"\n");
        framer.push(&message("hello"));
        assert_eq!(framer.poll_frame(), Some(Frame::Ping));
        assert_eq!(framer.poll_frame(), Some(Frame::Message(message("hello"))));
        assert_eq!(framer.poll_frame(), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_in_any_pieces_end_in_frames_or_waiting(
            chunks in proptest::collection::vec(proptest::collection::vec(proptest::num::u8::ANY, 0..80), 0..20)
        ) {
            let mut framer = StreamFramer::default();
            for chunk in &chunks {
                framer.push(chunk);
                let mut frames = 0;
                while framer.poll_frame().is_some() {
                    frames += 1;
                    assert!(frames <= 2000, "frames without end");
                }
            }
        }
    }
}
