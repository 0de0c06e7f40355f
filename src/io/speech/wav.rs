//! What a voice engine writes to a pipe, made a WAV file with true lengths.

/// A program that writes WAV to a pipe cannot know the length and writes a made-up one (espeak-ng:
/// 0x7ffff000). Puts the true lengths of the RIFF and data chunks in.
pub(super) fn with_true_length(mut bytes: Vec<u8>) -> Vec<u8> {
    let total = bytes.len();
    let mut at = 12;
    while at + 8 <= total {
        let length = u32::from_le_bytes([bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]]) as usize;
        let body = at + 8;
        if &bytes[at..at + 4] == b"data" {
            if body.saturating_add(length) > total {
                let rest = u32::try_from((total - body) & !1).unwrap_or(u32::MAX);
                let riff = u32::try_from(total - 8).unwrap_or(u32::MAX);
                bytes[at + 4..body].copy_from_slice(&rest.to_le_bytes());
                bytes[4..8].copy_from_slice(&riff.to_le_bytes());
            }
            break;
        }
        // Chunks are padded to even lengths.
        at = body.saturating_add(length).saturating_add(length & 1);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(samples: &[i16]) -> Vec<u8> {
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 8_000,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut out = std::io::Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut out, spec).unwrap();
        samples.iter().for_each(|s| writer.write_sample(*s).unwrap());
        writer.finalize().unwrap();
        out.into_inner()
    }

    #[test]
    fn a_streamed_wav_with_a_made_up_length_is_read_to_its_end() {
        let mut bytes = wav(&[1, 2, 3, 4]);
        bytes[4..8].copy_from_slice(&0x7fff_f024_u32.to_le_bytes());
        bytes[40..44].copy_from_slice(&0x7fff_f000_u32.to_le_bytes());
        assert_eq!(with_true_length(bytes), wav(&[1, 2, 3, 4]));
    }

    #[test]
    fn a_true_length_and_anything_else_are_left_alone() {
        for bytes in [wav(&[1, 2, 3]), b"RIFF".to_vec(), vec![0; 100], vec![0xff; 100]] {
            assert_eq!(with_true_length(bytes.clone()), bytes);
        }
    }
}
