// How good the line is, from WebRTC's own statistics.

export interface Quality {
  /** Round trip in ms; null until RTCP has told it. */
  rtt: number | null;
  /** Lost packets of the last interval, in percent. */
  loss: number;
  /** Jitter in ms. */
  jitter: number;
  received: number;
}

export type Light = 'good' | 'fair' | 'poor' | 'none';

interface Counters {
  received: number;
  lost: number;
}

/** Reads one report; `before` are the counters of the last one. */
export function readStats(report: Iterable<Record<string, unknown>>, before: Counters): { quality: Quality; counters: Counters } {
  let rtt: number | null = null;
  let jitter = 0;
  let received = 0;
  let lost = 0;
  for (const stat of report) {
    if (stat.type === 'candidate-pair' && stat.nominated === true && typeof stat.currentRoundTripTime === 'number') {
      rtt = stat.currentRoundTripTime * 1000;
    } else if (stat.type === 'inbound-rtp' && stat.kind === 'audio') {
      received = num(stat.packetsReceived);
      lost = num(stat.packetsLost);
      jitter = num(stat.jitter) * 1000;
    }
  }
  const got = Math.max(0, received - before.received);
  const missed = Math.max(0, lost - before.lost);
  const loss = got + missed > 0 ? (100 * missed) / (got + missed) : 0;
  return { quality: { rtt, loss, jitter, received }, counters: { received, lost } };
}

function num(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

/** Green, amber, red. Speech suffers from about 3 % loss, 30 ms jitter or a 300 ms round trip. */
export function lightOf(quality: Quality | null): Light {
  if (!quality || quality.received === 0) return 'none';
  const rtt = quality.rtt ?? 0;
  if (quality.loss > 5 || rtt > 500 || quality.jitter > 60) return 'poor';
  if (quality.loss > 1.5 || rtt > 250 || quality.jitter > 30) return 'fair';
  return 'good';
}

/** The line of one party of a call, as the server measures it. */
export function lineOf(figures: { loss: number; jitter_ms: number; round_trip_ms: number | null }): Quality {
  return { rtt: figures.round_trip_ms, loss: figures.loss, jitter: figures.jitter_ms, received: 1 };
}

/** The figures in words. */
export function qualityWords(quality: Quality | null): string {
  if (!quality || quality.received === 0) return 'no audio has arrived yet';
  const rtt = quality.rtt === null ? 'round trip unknown' : `round trip ${Math.round(quality.rtt)} ms`;
  return `${rtt}, loss ${quality.loss.toFixed(1)} %, jitter ${Math.round(quality.jitter)} ms`;
}
