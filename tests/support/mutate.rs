//! One change somewhere in some bytes, from a seed: what breaks readers of text and of packets.

use cordboard::base::rng::Rng;

/// Bytes that mean something to SIP and SDP.
const SPECIAL: &[u8; 13] = b"\r\n :;,<>\"@%\0\xff";
const NUMBERS: [&[u8]; 6] = [b"99999999999999999999", b"-1", b"4294967296", b"0", b"65536", b"2147483648"];

fn pick(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.below(bound.max(1) as u64)).expect("small")
}

/// Changes `bytes` at one place; now and then with a piece of `other`.
pub fn mutate(rng: &mut Rng, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = pick(rng, bytes.len());
    let upto = (at + pick(rng, 40)).min(bytes.len());
    match rng.below(11) {
        0 if !bytes.is_empty() => bytes[at] = rng.next_u64() as u8,
        1 if !bytes.is_empty() => {
            bytes.remove(at);
        }
        2 => bytes.insert(at, SPECIAL[pick(rng, SPECIAL.len())]),
        3 => bytes.truncate(at),
        4 => {
            let piece = bytes[at..upto].to_vec();
            bytes.splice(at..at, piece);
        }
        5 => drop(bytes.drain(at..upto)),
        6 => {
            let from = pick(rng, other.len());
            let piece = &other[from..(from + 60).min(other.len())];
            bytes.splice(at..at, piece.iter().copied());
        }
        7 => {
            let number = NUMBERS[pick(rng, NUMBERS.len())];
            if let Some(digit) = bytes[at..].iter().position(u8::is_ascii_digit) {
                bytes.splice(at + digit..=at + digit, number.iter().copied());
            }
        }
        8 => {
            // Some line once more, or one line less.
            let start = bytes[..at].iter().rposition(|b| *b == b'\n').map_or(0, |lf| lf + 1);
            let end = bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |lf| at + lf + 1);
            let line = bytes[start..end].to_vec();
            if rng.below(2) == 0 {
                bytes.splice(start..start, line);
            } else {
                bytes.drain(start..end);
            }
        }
        9 => {
            // A piece moved to another place.
            let piece: Vec<u8> = bytes.drain(at..upto).collect();
            let to = pick(rng, bytes.len());
            bytes.splice(to..to, piece);
        }
        _ if !bytes.is_empty() => bytes[at] ^= 1 << rng.below(8),
        _ => {}
    }
}
