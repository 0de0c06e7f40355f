//! G.722 at 64 kbit/s (ITU-T G.722), in integers: wideband as the standard has it, and narrowband for a house
//! that mixes at 8 kHz.
//!
//! The codec splits 16 kHz sound by a quadrature mirror filter into two bands of 8 kHz and codes each by ADPCM:
//! six bits below 4 kHz, two above; one octet is 125 µs. The lower band alone *is* sound at 8 kHz, so
//! [`NarrowEncoder`] and [`NarrowDecoder`] speak the same octets without filters, delay or the upper band's work.
//! Allocates nothing. Names in brackets are the blocks of the standard.

/// The octet that lets a decoder fall silent: the smallest step of both bands.
pub const SILENCE: u8 = 0xfd;

/// Every other tap of the quadrature mirror filter; those between are the same in reverse.
const QMF: [i32; 12] = [3, -11, 12, 32, -210, 951, 3_876, -805, 362, -156, 53, -11];

/// Decision levels of the lower band's 60 steps.
const Q6: [i32; 30] = [
    0, 35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1_023, 1_121, 1_219,
    1_339, 1_458, 1_612, 1_765, 1_980, 2_195, 2_557, 2_919,
];
/// Their codes for negative and positive differences; step 0 does not occur.
const ILN: [u8; 31] = [
    0, 63, 62, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4,
];
const ILP: [u8; 31] = [
    0, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 40, 39, 38, 37, 36, 35, 34,
    33, 32,
];
/// What a code of the lower band stands for: by its upper four bits, which drive the predictor, and by all six.
const QM4: [i32; 16] =
    [0, -20_456, -12_896, -8_968, -6_288, -4_240, -2_584, -1_200, 20_456, 12_896, 8_968, 6_288, 4_240, 2_584, 1_200, 0];
const QM6: [i32; 64] = [
    -136, -136, -136, -136, -24_808, -21_904, -19_008, -16_704, -14_984, -13_512, -12_280, -11_192, -10_232, -9_360,
    -8_576, -7_856, -7_192, -6_576, -6_000, -5_456, -4_944, -4_464, -4_008, -3_576, -3_168, -2_776, -2_400, -2_032,
    -1_688, -1_360, -1_040, -728, 24_808, 21_904, 19_008, 16_704, 14_984, 13_512, 12_280, 11_192, 10_232, 9_360, 8_576,
    7_856, 7_192, 6_576, 6_000, 5_456, 4_944, 4_464, 4_008, 3_576, 3_168, 2_776, 2_400, 2_032, 1_688, 1_360, 1_040,
    728, 432, 136, -432, -136,
];
/// The upper band's two bits.
const QM2: [i32; 4] = [-7_408, -1_616, 7_408, 1_616];
/// How a code moves the logarithmic scale factor, lower and upper band.
const WL: [i32; 16] = [-60, 3_042, 1_198, 538, 334, 172, 58, -30, 3_042, 1_198, 538, 334, 172, 58, -30, -60];
const WH: [i32; 4] = [798, -214, 798, -214];
/// Its antilogarithm.
const ILB: [i32; 32] = [
    2_048, 2_093, 2_139, 2_186, 2_233, 2_282, 2_332, 2_383, 2_435, 2_489, 2_543, 2_599, 2_656, 2_714, 2_774, 2_834,
    2_896, 2_960, 3_025, 3_091, 3_158, 3_228, 3_298, 3_371, 3_444, 3_520, 3_597, 3_676, 3_756, 3_838, 3_922, 4_008,
];

fn saturate(value: i32) -> i32 {
    value.clamp(-32_768, 32_767)
}

/// One band's adaptive quantiser and predictor, the same on both sides.
#[derive(Clone, Debug)]
struct Band {
    /// Logarithmic scale factor and the step it gives.
    nb: i32,
    det: i32,
    /// The prediction, and its part from the zeros.
    s: i32,
    sz: i32,
    /// Last two reconstructed and partially reconstructed signals.
    r: [i32; 2],
    p: [i32; 2],
    a: [i32; 2],
    /// Last six differences, and the zeros' coefficients.
    d: [i32; 6],
    b: [i32; 6],
}

impl Band {
    const fn new(det: i32) -> Self {
        Self { nb: 0, det, s: 0, sz: 0, r: [0; 2], p: [0; 2], a: [0; 2], d: [0; 6], b: [0; 6] }
    }

    /// Moves the step [LOGSCL, SCALEL and LOGSCH, SCALEH]: `exponent` is the band's.
    fn scale(&mut self, step: i32, most: i32, exponent: i32) {
        self.nb = (((self.nb * 127) >> 7) + step).clamp(0, most);
        let mantissa = ILB[((self.nb >> 6) & 31) as usize];
        let shift = exponent - (self.nb >> 11);
        self.det = (if shift < 0 { mantissa << -shift } else { mantissa >> shift }) << 2;
    }

    /// Takes the quantised difference in and predicts the next sample [block 4].
    fn predict(&mut self, difference: i32) {
        // RECONS, PARREC
        let reconstructed = saturate(self.s + difference);
        let partial = saturate(self.sz + difference);
        let signs = (partial >> 15, self.p[0] >> 15, self.p[1] >> 15);
        // UPPOL2
        let slope = saturate(self.a[0] << 2);
        let slope = if signs.0 == signs.1 { (-slope).min(32_767) } else { slope };
        let second = (slope >> 7) + if signs.0 == signs.2 { 128 } else { -128 } + ((self.a[1] * 32_512) >> 15);
        let second = second.clamp(-12_288, 12_288);
        // UPPOL1
        let push = if signs.0 == signs.1 { 192 } else { -192 };
        let bound = saturate(15_360 - second);
        let first = saturate(push + ((self.a[0] * 32_640) >> 15)).clamp(-bound, bound);
        self.a = [first, second];
        // UPZERO, DELAYA
        let push = if difference == 0 { 0 } else { 128 };
        for (b, d) in self.b.iter_mut().zip(&self.d) {
            let step = if d >> 15 == difference >> 15 { push } else { -push };
            *b = saturate(step + ((*b * 32_640) >> 15));
        }
        self.d.copy_within(..5, 1);
        self.d[0] = difference;
        self.r = [reconstructed, self.r[0]];
        self.p = [partial, self.p[0]];
        // FILTEP, FILTEZ, PREDIC
        let poles: i32 = self.a.iter().zip(&self.r).map(|(a, r)| (a * saturate(2 * r)) >> 15).sum();
        let zeros: i32 = self.b.iter().zip(&self.d).map(|(b, d)| (b * saturate(2 * d)) >> 15).sum();
        self.sz = saturate(zeros);
        self.s = saturate(saturate(poles) + self.sz);
    }

    fn take_low(&mut self, code: u8) {
        let coarse = usize::from(code >> 2);
        let difference = (self.det * QM4[coarse]) >> 15;
        self.scale(WL[coarse], 18_432, 8);
        self.predict(difference);
    }

    fn take_high(&mut self, code: u8) {
        let difference = (self.det * QM2[usize::from(code)]) >> 15;
        self.scale(WH[usize::from(code)], 22_528, 10);
        self.predict(difference);
    }

    /// Codes a sample of the lower band, 15 bits wide [QUANTL].
    fn encode_low(&mut self, sample: i32) -> u8 {
        let error = saturate(sample - self.s);
        let magnitude = if error < 0 { -(error + 1) } else { error };
        // A level counts as reached when (level * det) >> 12 is: by how far the error reaches in units of the step. The
        // levels rise, so the step is how many of them were.
        let reach = ((magnitude << 12) | 0xfff) / self.det;
        let step = 1 + Q6[1..].iter().map(|level| usize::from(*level <= reach)).sum::<usize>();
        let code = if error < 0 { ILN[step] } else { ILP[step] };
        self.take_low(code);
        code
    }

    fn encode_high(&mut self, sample: i32) -> u8 {
        let error = saturate(sample - self.s);
        let magnitude = if error < 0 { -(error + 1) } else { error };
        let far = magnitude >= (564 * self.det) >> 12;
        let code = match (error < 0, far) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        };
        self.take_high(code);
        code
    }

    fn decode_low(&mut self, code: u8) -> i32 {
        // [LIMIT]
        let sample = (self.s + ((self.det * QM6[usize::from(code)]) >> 15)).clamp(-16_384, 16_383);
        self.take_low(code);
        sample
    }

    fn decode_high(&mut self, code: u8) -> i32 {
        let sample = (self.s + ((self.det * QM2[usize::from(code)]) >> 15)).clamp(-16_384, 16_383);
        self.take_high(code);
        sample
    }
}

/// The two bands and the filter's memory: 24 samples, newest last.
#[derive(Clone, Debug)]
struct Wide {
    low: Band,
    high: Band,
    line: [i32; 24],
}

impl Wide {
    const fn new() -> Self {
        Self { low: Band::new(32), high: Band::new(8), line: [0; 24] }
    }

    /// Takes two samples in and sums the filter's two phases.
    fn filter(&mut self, first: i32, second: i32) -> (i32, i32) {
        self.line.copy_within(2.., 0);
        (self.line[22], self.line[23]) = (first, second);
        let even = self.line.iter().step_by(2).zip(QMF).map(|(x, h)| x * h).sum();
        let odd = self.line.iter().skip(1).step_by(2).zip(QMF.iter().rev()).map(|(x, h)| x * h).sum();
        (even, odd)
    }
}

/// From 16 kHz.
#[derive(Clone, Debug)]
pub struct WideEncoder(Wide);

impl Default for WideEncoder {
    fn default() -> Self {
        Self(Wide::new())
    }
}

impl WideEncoder {
    /// Two samples at 16 kHz to an octet.
    pub fn encode(&mut self, samples: [i16; 2]) -> u8 {
        let (even, odd) = self.0.filter(samples[0].into(), samples[1].into());
        let low = self.0.low.encode_low((odd + even) >> 14);
        let high = self.0.high.encode_high((odd - even) >> 14);
        (high << 6) | low
    }
}

/// To 16 kHz.
#[derive(Clone, Debug)]
pub struct WideDecoder(Wide);

impl Default for WideDecoder {
    fn default() -> Self {
        Self(Wide::new())
    }
}

impl WideDecoder {
    /// An octet to two samples at 16 kHz.
    pub fn decode(&mut self, octet: u8) -> [i16; 2] {
        let low = self.0.low.decode_low(octet & 0x3f);
        let high = self.0.high.decode_high(octet >> 6);
        let (even, odd) = self.0.filter(low + high, low - high);
        [saturate(odd >> 11) as i16, saturate(even >> 11) as i16]
    }
}

/// From 8 kHz: the upper band is told to be silent.
#[derive(Clone, Debug)]
pub struct NarrowEncoder(Band);

impl Default for NarrowEncoder {
    fn default() -> Self {
        Self(Band::new(32))
    }
}

impl NarrowEncoder {
    /// One sample at 8 kHz to an octet.
    pub fn encode(&mut self, sample: i16) -> u8 {
        (SILENCE & 0xc0) | self.0.encode_low(i32::from(sample) >> 1)
    }
}

/// To 8 kHz: what is above 4 kHz is left out.
#[derive(Clone, Debug)]
pub struct NarrowDecoder(Band);

impl Default for NarrowDecoder {
    fn default() -> Self {
        Self(Band::new(32))
    }
}

impl NarrowDecoder {
    /// One octet to a sample at 8 kHz.
    pub fn decode(&mut self, octet: u8) -> i16 {
        // 15 bits to 16: it fits.
        (self.0.decode_low(octet & 0x3f) << 1) as i16
    }
}

#[cfg(test)]
#[path = "g722_tests.rs"]
mod tests;
