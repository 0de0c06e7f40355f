//! `cordboard say`: what callers would hear, in a file to listen to.

use std::path::PathBuf;

use clap::Args;
use cordboard::io::speech::VoiceCommand;

use super::{ConfigFile, Failure, block_on};

#[derive(Debug, Args)]
pub struct Options {
    /// What to say.
    text: String,
    /// The WAV file to write.
    #[arg(value_name = "OUT.wav")]
    out: PathBuf,
    /// Use the voice of this configuration; the usual one unless given.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    if options.text.trim().is_empty() {
        return Err("there is nothing to say: give a text between the quotation marks".into());
    }
    let command = match &options.config {
        Some(path) => ConfigFile { config: path.clone() }.load()?.voice.command,
        None => None,
    };
    let voice = command.map_or_else(VoiceCommand::default, |argv| VoiceCommand { argv });
    block_on(async {
        let wav = voice.speak(&options.text).await?;
        std::fs::write(&options.out, wav).map_err(|e| format!("cannot write {}: {e}", options.out.display()))?;
        Ok(())
    })
}
