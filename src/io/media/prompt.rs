//! A prompt: words or music ready to play, encoded beforehand so that playing is a copy and a send.
