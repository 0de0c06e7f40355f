//! Arguments in, exit code out. Everything else is in the library.

mod cli;

use std::process::ExitCode;

/// Gives a flood's memory back to the system (docs/adr/0009); what it is set to is in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::run()
}
