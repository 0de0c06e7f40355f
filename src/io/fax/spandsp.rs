//! The engine that speaks T.30, with modems or by T.38: libspandsp2, version 0.0.6, loaded when the first fax needs it. So
//! Cordboard is built without it and runs without it; then a fax says what is missing ([`Missing`]).
//!
//! The one file of the library in which `unsafe` may be written (`docs/adr/0011`): it declares the functions that are used, as
//! the headers of Debian's libspandsp-dev have them, and gives them as [`Sender`] and [`MachineEar`], which are safe to use. What always
//! holds: whatever libspandsp allocates is owned by one of the two and freed with it; both stay on the thread that made them
//! (raw pointers are not `Send`); no function of libspandsp is called from within one of our callbacks, and no callback panics.

#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use libloading::Library;

use crate::domain::call::fax::MachinesEnd;

/// As Debian and its kin name it.
const NAME: &str = "libspandsp.so.2";

const TRUE: c_int = 1;
/// `T30_ERR_OK`
const OK: c_int = 0;
/// `T30_SUPPORT_V27TER`, `_V29`, `_V17`
const MODEMS: [(u32, c_int); 3] = [(4_800, 1), (9_600, 1 | 2), (14_400, 1 | 2 | 4)];
/// `T30_SUPPORT_T4_1D_COMPRESSION`, `_T4_2D_COMPRESSION`, `_T6_COMPRESSION`
const COMPRESSIONS: c_int = 0x02 | 0x04 | 0x08;
/// `T30_SUPPORT_STANDARD_RESOLUTION`, `_FINE_RESOLUTION`, `_R8_RESOLUTION`
const RESOLUTIONS: c_int = 0x01 | 0x02 | 0x20000;
/// `T30_SUPPORT_215MM_WIDTH`, `_UNLIMITED_LENGTH`, `_A4_LENGTH`, `_US_LETTER_LENGTH`
const SIZES: c_int = 0x01 | 0x10000 | 0x20000 | 0x80000;
/// As our descriptions say (`proto/sdp/fax`).
const T38_VERSION: c_int = 0;
/// How often packets of each of `T38_PACKET_CATEGORY_*` are sent: what ends something is followed by nothing that would
/// carry it once more.
const REPEATS: [(c_int, c_int); 5] = [(0, 3), (1, 1), (2, 3), (3, 1), (4, 3)];
/// `MODEM_CONNECT_TONES_FAX_CED_OR_PREAMBLE`
const CED_OR_PREAMBLE: c_int = 7;
/// The longest station id (T.30 §5.3.6.2.4).
const MAX_IDENT: usize = 20;

/// States of libspandsp, of which only it knows the insides.
#[repr(C)]
struct T38Terminal([u8; 0]);
#[repr(C)]
struct T38Core([u8; 0]);
#[repr(C)]
struct FaxModems([u8; 0]);
#[repr(C)]
struct T30([u8; 0]);
#[repr(C)]
struct Tones([u8; 0]);

/// `t30_stats_t`
#[repr(C)]
#[derive(Default)]
struct Stats {
    bit_rate: c_int,
    error_correcting_mode: c_int,
    pages_tx: c_int,
    pages_rx: c_int,
    pages_in_file: c_int,
    x_resolution: c_int,
    y_resolution: c_int,
    width: c_int,
    length: c_int,
    image_size: c_int,
    encoding: c_int,
    bad_rows: c_int,
    longest_bad_row_run: c_int,
    error_correcting_mode_retries: c_int,
    current_status: c_int,
    /// A later 0.0.x may have more to say; it is not to write over the end.
    further: [c_int; 16],
}

type SendPacket = extern "C" fn(*mut T38Core, *mut c_void, *const u8, c_int, c_int) -> c_int;
type OnPhaseB = extern "C" fn(*mut T30, *mut c_void, c_int) -> c_int;
type OnPhaseE = extern "C" fn(*mut T30, *mut c_void, c_int);

macro_rules! functions {
    ($($name:ident: fn($($argument:ty),*) $(-> $result:ty)?;)*) => {
        /// What is used of it.
        struct Functions {
            $($name: unsafe extern "C" fn($($argument),*) $(-> $result)?,)*
            /// Keeps them where they are.
            _library: Library,
        }

        impl Functions {
            fn find(library: Library) -> Result<Self, libloading::Error> {
                $(
                    // SAFETY: the types are those of the header of that name; the pointer lives as long as the
                    // library, which is kept beside it.
                    let $name = unsafe { *library.get(concat!(stringify!($name), "\0").as_bytes())? };
                )*
                Ok(Self { $($name,)* _library: library })
            }
        }
    };
}

functions! {
    t38_terminal_init: fn(*mut T38Terminal, c_int, SendPacket, *mut c_void) -> *mut T38Terminal;
    t38_terminal_free: fn(*mut T38Terminal) -> c_int;
    t38_terminal_send_timeout: fn(*mut T38Terminal, c_int) -> c_int;
    t38_terminal_get_t30_state: fn(*mut T38Terminal) -> *mut T30;
    t38_terminal_get_t38_core_state: fn(*mut T38Terminal) -> *mut T38Core;
    t38_core_rx_ifp_packet: fn(*mut T38Core, *const u8, c_int, u16) -> c_int;
    t38_set_t38_version: fn(*mut T38Core, c_int);
    t38_set_redundancy_control: fn(*mut T38Core, c_int, c_int);
    t38_set_fastest_image_data_rate: fn(*mut T38Core, c_int);
    fax_init: fn(*mut FaxModems, c_int) -> *mut FaxModems;
    fax_free: fn(*mut FaxModems) -> c_int;
    fax_rx: fn(*mut FaxModems, *mut i16, c_int) -> c_int;
    fax_rx_fillin: fn(*mut FaxModems, c_int) -> c_int;
    fax_tx: fn(*mut FaxModems, *mut i16, c_int) -> c_int;
    fax_get_t30_state: fn(*mut FaxModems) -> *mut T30;
    t30_set_tx_ident: fn(*mut T30, *const c_char) -> c_int;
    t30_set_tx_file: fn(*mut T30, *const c_char, c_int, c_int);
    t30_set_ecm_capability: fn(*mut T30, c_int) -> c_int;
    t30_set_supported_modems: fn(*mut T30, c_int) -> c_int;
    t30_set_supported_compressions: fn(*mut T30, c_int) -> c_int;
    t30_set_supported_resolutions: fn(*mut T30, c_int) -> c_int;
    t30_set_supported_image_sizes: fn(*mut T30, c_int) -> c_int;
    t30_set_phase_b_handler: fn(*mut T30, OnPhaseB, *mut c_void);
    t30_set_phase_e_handler: fn(*mut T30, OnPhaseE, *mut c_void);
    t30_get_transfer_statistics: fn(*mut T30, *mut Stats);
    modem_connect_tones_rx_init: fn(*mut Tones, c_int, *const c_void, *mut c_void) -> *mut Tones;
    modem_connect_tones_rx: fn(*mut Tones, *const i16, c_int) -> c_int;
    modem_connect_tones_rx_get: fn(*mut Tones) -> c_int;
    modem_connect_tones_rx_free: fn(*mut Tones) -> c_int;
}

/// It is not on this machine, or is not the one that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing(String);

impl Missing {
    /// Stable, for programs.
    pub const CODE: &'static str = "fax_needs_libspandsp2";
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fax needs libspandsp2: apt install libspandsp2 ({})", self.0)
    }
}

impl std::error::Error for Missing {}

/// libspandsp, loaded.
#[derive(Clone, Copy)]
pub struct Spandsp(&'static Functions);

impl fmt::Debug for Spandsp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Spandsp")
    }
}

impl Spandsp {
    /// Loads it, the first time; it stays loaded.
    ///
    /// # Errors
    /// It cannot be. Another try may find it, once somebody has installed it.
    pub fn load() -> Result<Self, Missing> {
        static LOADED: OnceLock<Functions> = OnceLock::new();
        if let Some(functions) = LOADED.get() {
            return Ok(Self(functions));
        }
        // SAFETY: it is a library of plain functions, without constructors that would do anything.
        let library = unsafe { Library::new(NAME) }.map_err(|why| Missing(why.to_string()))?;
        let functions = Functions::find(library).map_err(|why| Missing(why.to_string()))?;
        Ok(Self(LOADED.get_or_init(|| functions)))
    }
}

/// What the engine told by its callbacks.
#[derive(Debug, Default)]
struct Told {
    /// IFP packets to send, with how often.
    packets: Vec<(Vec<u8>, usize)>,
    begun: bool,
    ended: Option<c_int>,
}

fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}

/// # Safety
/// `user` is what [`Sender`] gave along with the callback: it lives as long as the state that calls.
unsafe fn told<'a>(user: *mut c_void) -> &'a Mutex<Told> {
    // SAFETY: see above.
    unsafe { &*user.cast::<Mutex<Told>>() }
}

extern "C" fn send_packet(_: *mut T38Core, user: *mut c_void, bytes: *const u8, len: c_int, count: c_int) -> c_int {
    let len = usize::try_from(len).unwrap_or_default();
    // SAFETY: libspandsp gives a buffer of that length, which is read before we return; and our own `user`.
    let (told, bytes) = unsafe { (told(user), std::slice::from_raw_parts(bytes, len)) };
    lock(told).packets.push((bytes.to_vec(), usize::try_from(count).unwrap_or(1)));
    0
}

extern "C" fn on_phase_b(_: *mut T30, user: *mut c_void, _: c_int) -> c_int {
    // SAFETY: our own `user`.
    lock(unsafe { told(user) }).begun = true;
    OK
}

extern "C" fn on_phase_e(_: *mut T30, user: *mut c_void, code: c_int) {
    // SAFETY: our own `user`.
    lock(unsafe { told(user) }).ended = Some(code);
}

/// What the engine speaks by.
#[derive(Clone, Copy)]
enum By {
    T38(*mut T38Terminal),
    Sound(*mut FaxModems),
}

/// One document being sent to one machine.
pub struct Sender {
    spandsp: Spandsp,
    by: By,
    t30: *mut T30,
    /// It stays where the callbacks know it to be, wherever the sender is moved to.
    told: Arc<Mutex<Told>>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl Sender {
    /// One that speaks T.38, no faster than that. `document` is a TIFF's path, `ident` our station id.
    pub fn by_t38(spandsp: Spandsp, document: &CStr, ident: &str, max_bit_rate: u32) -> Option<Self> {
        let (functions, told) = (spandsp.0, Arc::<Mutex<Told>>::default());
        let user = Arc::as_ptr(&told).cast_mut().cast::<c_void>();
        // SAFETY: libspandsp allocates the state (null in), and it is freed in `drop`, before `told` is.
        let terminal = unsafe { (functions.t38_terminal_init)(ptr::null_mut(), TRUE, send_packet, user) };
        if terminal.is_null() {
            return None;
        }
        // SAFETY: the terminal lives, and so do the states in it.
        let t30 = unsafe {
            let core = (functions.t38_terminal_get_t38_core_state)(terminal);
            (functions.t38_set_t38_version)(core, T38_VERSION);
            (functions.t38_set_fastest_image_data_rate)(core, c_int::try_from(max_bit_rate).unwrap_or(14_400));
            for (category, times) in REPEATS {
                (functions.t38_set_redundancy_control)(core, category, times);
            }
            (functions.t38_terminal_get_t30_state)(terminal)
        };
        Some(Self { spandsp, by: By::T38(terminal), t30, told }.prepared(document, ident, max_bit_rate))
    }

    /// One that speaks through modems.
    pub fn by_sound(spandsp: Spandsp, document: &CStr, ident: &str) -> Option<Self> {
        let (functions, told) = (spandsp.0, Arc::<Mutex<Told>>::default());
        // SAFETY: libspandsp allocates the state (null in), and it is freed in `drop`.
        let modems = unsafe { (functions.fax_init)(ptr::null_mut(), TRUE) };
        if modems.is_null() {
            return None;
        }
        // SAFETY: the modems live, and so does the state in them.
        let t30 = unsafe { (functions.fax_get_t30_state)(modems) };
        Some(Self { spandsp, by: By::Sound(modems), t30, told }.prepared(document, ident, u32::MAX))
    }

    fn prepared(self, document: &CStr, ident: &str, max_bit_rate: u32) -> Self {
        let (functions, t30) = (self.spandsp.0, self.t30);
        let user = Arc::as_ptr(&self.told).cast_mut().cast::<c_void>();
        // T.30 has digits, blanks and a plus for it.
        let ident: String = ident.chars().filter(|c| c.is_ascii_digit() || " +".contains(*c)).take(MAX_IDENT).collect();
        let ident = CString::new(ident).expect("digits, blanks and a plus hold no zero");
        let modems = MODEMS.iter().rfind(|(rate, _)| *rate <= max_bit_rate).map_or(1, |(_, modems)| *modems);
        // SAFETY: the T.30 state lives in what `self` owns; the two texts are copied; `user` lives until `drop`.
        unsafe {
            (functions.t30_set_tx_ident)(t30, ident.as_ptr());
            (functions.t30_set_tx_file)(t30, document.as_ptr(), -1, -1);
            (functions.t30_set_ecm_capability)(t30, TRUE);
            (functions.t30_set_supported_modems)(t30, modems);
            (functions.t30_set_supported_compressions)(t30, COMPRESSIONS);
            (functions.t30_set_supported_resolutions)(t30, RESOLUTIONS);
            (functions.t30_set_supported_image_sizes)(t30, SIZES);
            (functions.t30_set_phase_b_handler)(t30, on_phase_b, user);
            (functions.t30_set_phase_e_handler)(t30, on_phase_e, user);
        }
        self
    }

    /// An IFP packet of the far end's, by T.38.
    pub fn receive(&mut self, sequence: u16, ifp: &[u8]) {
        let (By::T38(terminal), Ok(len)) = (self.by, c_int::try_from(ifp.len())) else { return };
        let functions = self.spandsp.0;
        // SAFETY: the terminal lives; the packet is as long as is said, and is read before the call returns.
        unsafe {
            let core = (functions.t38_terminal_get_t38_core_state)(terminal);
            (functions.t38_core_rx_ifp_packet)(core, ifp.as_ptr(), len, sequence);
        }
    }

    /// So many samples' time (at 8 kHz) has passed, by T.38.
    pub fn pass(&mut self, samples: u16) {
        let By::T38(terminal) = self.by else { return };
        // SAFETY: the terminal lives.
        unsafe { (self.spandsp.0.t38_terminal_send_timeout)(terminal, samples.into()) };
    }

    /// IFP packets to send, and how often each.
    pub fn take_packets(&mut self) -> Vec<(Vec<u8>, usize)> {
        std::mem::take(&mut lock(&self.told).packets)
    }

    /// Sound of the far end.
    pub fn hear(&mut self, sound: &mut [i16]) {
        let (By::Sound(modems), Ok(len)) = (self.by, c_int::try_from(sound.len())) else { return };
        // SAFETY: the modems live; the buffer is ours alone and as long as is said.
        unsafe { (self.spandsp.0.fax_rx)(modems, sound.as_mut_ptr(), len) };
    }

    /// So much of it never came.
    pub fn miss(&mut self, samples: u32) {
        let (By::Sound(modems), Ok(samples)) = (self.by, c_int::try_from(samples)) else { return };
        // SAFETY: the modems live.
        unsafe { (self.spandsp.0.fax_rx_fillin)(modems, samples) };
    }

    /// What to send, by sound: silence where there is nothing.
    pub fn speak(&mut self, into: &mut [i16]) {
        into.fill(0);
        let (By::Sound(modems), Ok(len)) = (self.by, c_int::try_from(into.len())) else { return };
        // SAFETY: the modems live; the buffer is ours alone and as long as is said.
        unsafe { (self.spandsp.0.fax_tx)(modems, into.as_mut_ptr(), len) };
    }

    /// The far machine has said what it is able to do.
    pub fn has_begun(&self) -> bool {
        lock(&self.told).begun
    }

    /// How many pages the far machine has confirmed.
    pub fn confirmed(&self) -> u32 {
        let mut stats = Stats::default();
        // SAFETY: the T.30 state lives in what `self` owns; the struct is the header's, with room to spare.
        unsafe { (self.spandsp.0.t30_get_transfer_statistics)(self.t30, &raw mut stats) };
        u32::try_from(stats.pages_tx).unwrap_or_default()
    }

    /// How the conversation ended, once it has.
    pub fn end(&self) -> Option<MachinesEnd> {
        lock(&self.told).ended.map(meaning)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        // SAFETY: it was allocated by libspandsp for this sender, and is used by nobody after this.
        unsafe {
            match self.by {
                By::T38(terminal) => (self.spandsp.0.t38_terminal_free)(terminal),
                By::Sound(modems) => (self.spandsp.0.fax_free)(modems),
            }
        };
    }
}

/// `T30_ERR_*`, by what follows from it.
const fn meaning(code: c_int) -> MachinesEnd {
    match code {
        OK => MachinesEnd::Orderly,
        // CEDTONE, T0_EXPIRED, T1_EXPIRED, TX_NODIS
        1..=3 | 19 => MachinesEnd::NoMachine,
        // INCOMPATIBLE, RX_INCAPABLE, NORESSUPPORT, NOSIZESUPPORT
        8 | 9 | 11 | 12 => MachinesEnd::Incapable,
        // FILEERROR to NOMEM: our own page.
        41..=47 => MachinesEnd::Fault,
        _ => MachinesEnd::Broken,
    }
}

/// Listens for a fax machine that answers: its tone of 2,100 Hz, or the flags before what it says.
pub struct MachineEar {
    spandsp: Spandsp,
    tones: *mut Tones,
}

impl fmt::Debug for MachineEar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MachineEar").finish_non_exhaustive()
    }
}

impl MachineEar {
    pub fn new(spandsp: Spandsp) -> Option<Self> {
        let init = spandsp.0.modem_connect_tones_rx_init;
        // SAFETY: libspandsp allocates the state (null in); it has no callback to call (null); it is freed in `drop`.
        let tones = unsafe { init(ptr::null_mut(), CED_OR_PREAMBLE, ptr::null(), ptr::null_mut()) };
        (!tones.is_null()).then_some(Self { spandsp, tones })
    }

    /// Whether a machine is heard in it, or was just before.
    pub fn hears(&mut self, sound: &[i16]) -> bool {
        let Ok(len) = c_int::try_from(sound.len()) else { return false };
        // SAFETY: the state lives; the buffer is as long as is said and is only read.
        unsafe {
            (self.spandsp.0.modem_connect_tones_rx)(self.tones, sound.as_ptr(), len);
            (self.spandsp.0.modem_connect_tones_rx_get)(self.tones) != 0
        }
    }
}

impl Drop for MachineEar {
    fn drop(&mut self) {
        // SAFETY: it was allocated by libspandsp for this ear, and is used by nobody after this.
        unsafe { (self.spandsp.0.modem_connect_tones_rx_free)(self.tones) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_told_apart_by_whose_fault_they_are() {
        assert_eq!(meaning(0), MachinesEnd::Orderly);
        assert_eq!(meaning(3), MachinesEnd::NoMachine);
        assert_eq!(meaning(11), MachinesEnd::Incapable);
        assert_eq!(meaning(41), MachinesEnd::Fault);
        assert_eq!(meaning(49), MachinesEnd::Broken);
    }

    #[test]
    fn what_is_missing_is_said_with_its_cure() {
        let missing = Missing("no such file".to_owned());
        assert_eq!(missing.to_string(), "fax needs libspandsp2: apt install libspandsp2 (no such file)");
    }
}
