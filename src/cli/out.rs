//! What a command prints on standard output, line by line.
//!
//! What always holds: whoever stops reading (`cordboard simulate … | head`) ends the command quietly and as done, as with other tools;
//! nothing is printed before what was asked for is done. Any other fault of the output is told on standard error, exit code 1.

use std::fmt;
use std::io::{self, Write as _};
use std::process;

/// Prints a line. `println!` panics where nobody reads.
macro_rules! print_line {
    ($($words:tt)*) => {
        $crate::cli::out::line(format_args!($($words)*))
    };
}
pub(super) use print_line;

pub(super) fn line(words: fmt::Arguments<'_>) {
    whole(format!("{words}\n").as_bytes());
}

/// Prints what is a whole already.
pub(super) fn whole(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    if let Err(fault) = out.write_all(bytes).and_then(|()| out.flush()) {
        end_by(&fault);
    }
}

fn end_by(fault: &io::Error) -> ! {
    if fault.kind() == io::ErrorKind::BrokenPipe {
        process::exit(0);
    }
    eprintln!("cannot write to standard output: {fault}");
    process::exit(1);
}
