//! G.711: µ-law and A-law, by tables made when the program is compiled.
//!
//! Encoding the decoded value of any byte gives that byte back (but for µ-law's second zero, 0x7f).

/// The byte that is silence in µ-law.
pub const ULAW_SILENCE: u8 = 0xff;
/// The byte that is silence in A-law.
pub const ALAW_SILENCE: u8 = 0xd5;

static ULAW_DECODE: [i16; 256] = ulaw_decode_table();
static ALAW_DECODE: [i16; 256] = alaw_decode_table();
// µ-law sees the upper 14 bits of a sample, A-law the upper 13.
static ULAW_ENCODE: [u8; 16_384] = ulaw_encode_table();
static ALAW_ENCODE: [u8; 8_192] = alaw_encode_table();

/// One sample to µ-law.
#[inline]
pub fn to_ulaw(sample: i16) -> u8 {
    ULAW_ENCODE[((sample as u16) >> 2) as usize]
}

/// One sample to A-law.
#[inline]
pub fn to_alaw(sample: i16) -> u8 {
    ALAW_ENCODE[((sample as u16) >> 3) as usize]
}

/// One µ-law byte to a sample.
#[inline]
pub fn from_ulaw(byte: u8) -> i16 {
    ULAW_DECODE[byte as usize]
}

/// One A-law byte to a sample.
#[inline]
pub fn from_alaw(byte: u8) -> i16 {
    ALAW_DECODE[byte as usize]
}

const fn ulaw_decode(byte: u8) -> i16 {
    let byte = !byte;
    let magnitude = ((((byte & 0x0f) as i32) << 3) + 0x84) << ((byte & 0x70) >> 4);
    let value = magnitude - 0x84;
    (if byte & 0x80 != 0 { -value } else { value }) as i16
}

const fn ulaw_encode(sample: i16) -> u8 {
    let negative = sample < 0;
    let magnitude = (sample as i32).abs();
    let biased = (if magnitude > 32_635 { 32_635 } else { magnitude }) + 0x84;
    // The biased value has its top bit between 7 and 14: that is the segment.
    let segment = 31 - biased.leading_zeros() - 7;
    let mantissa = ((biased >> (segment + 3)) & 0x0f) as u8;
    let byte = ((segment as u8) << 4) | mantissa | if negative { 0x80 } else { 0 };
    !byte
}

const fn alaw_decode(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let segment = (byte & 0x70) >> 4;
    let mut value = ((byte & 0x0f) as i32) << 4;
    value += if segment == 0 { 8 } else { 0x108 };
    if segment > 1 {
        value <<= segment - 1;
    }
    (if byte & 0x80 != 0 { value } else { -value }) as i16
}

const fn alaw_encode(sample: i16) -> u8 {
    let positive = sample >= 0;
    // One's complement for negatives, as the standard's 13 bit code has it.
    let magnitude = (if positive { sample as i32 } else { !(sample as i32) }) >> 4;
    // Segments 0 and 1 share a step; each further one doubles it.
    let code = if magnitude < 32 {
        magnitude as u8
    } else {
        let shift = 31 - (magnitude as u32).leading_zeros() - 4;
        (((shift + 1) as u8) << 4) | ((magnitude >> shift) & 0x0f) as u8
    };
    (code | if positive { 0x80 } else { 0 }) ^ 0x55
}

const fn ulaw_decode_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = ulaw_decode(i as u8);
        i += 1;
    }
    table
}

const fn alaw_decode_table() -> [i16; 256] {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = alaw_decode(i as u8);
        i += 1;
    }
    table
}

const fn ulaw_encode_table() -> [u8; 16_384] {
    let mut table = [0; 16_384];
    let mut i = 0;
    while i < 16_384 {
        table[i] = ulaw_encode(((i as u16) << 2) as i16);
        i += 1;
    }
    table
}

const fn alaw_encode_table() -> [u8; 8_192] {
    let mut table = [0; 8_192];
    let mut i = 0;
    while i < 8_192 {
        table[i] = alaw_encode(((i as u16) << 3) as i16);
        i += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_a_round_trip() {
        for byte in 0..=255_u8 {
            let (u, a) = (to_ulaw(from_ulaw(byte)), to_alaw(from_alaw(byte)));
            assert!(u == byte || (byte == 0x7f && u == 0xff), "u-law {byte:#x} became {u:#x}");
            assert_eq!(a, byte, "A-law {byte:#x}");
        }
        assert_eq!((to_ulaw(0), to_alaw(0)), (ULAW_SILENCE, ALAW_SILENCE));
    }

    #[test]
    fn known_values_of_the_standard_hold() {
        assert_eq!((from_ulaw(0x80), from_ulaw(0x00)), (32_124, -32_124));
        assert_eq!((from_alaw(0xaa), from_alaw(0x2a)), (32_256, -32_256));
        assert_eq!((to_ulaw(i16::MAX), to_ulaw(i16::MIN)), (0x80, 0x00));
        assert_eq!((to_alaw(i16::MAX), to_alaw(i16::MIN)), (0xaa, 0x2a));
    }

    #[test]
    fn the_error_stays_within_half_a_step() {
        for sample in (i16::MIN..=i16::MAX).step_by(37) {
            let (u, a) = (from_ulaw(to_ulaw(sample)), from_alaw(to_alaw(sample)));
            let bound = 16 + i32::from(sample).abs() / 16;
            assert!(
                (i32::from(u) - i32::from(sample)).abs() <= bound.max(640 * i32::from(sample.unsigned_abs() > 32_124))
            );
            assert!((i32::from(a) - i32::from(sample)).abs() <= bound);
        }
    }
}
