// Ticks from a worker: a browser slows down the timers of a page in the background to one a minute, and the
// server takes a console that is silent for five seconds for gone.

const BEAT_MS = 2_000;

setInterval(() => postMessage(null), BEAT_MS);
