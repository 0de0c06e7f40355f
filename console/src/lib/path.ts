// Watches whether the sound of each call finds its way to the server, and asks for a new line to the server when it
// does not: over that the server offers another way (ICE restart).

/** A way that comes back by itself, as after a burst of loss, is not given up so soon. */
const DOUBT_MS = 800;
/** How long a new line may take to bring the sound back before another is tried. */
const AGAIN_MS = 4_000;

/** What is watched of a connection. */
export type Watched = Pick<RTCPeerConnection, 'iceConnectionState' | 'addEventListener'>;

export class PathWatch {
  private readonly finding = new Set<string>();
  private readonly watched = new Map<string, Watched>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly renew: () => void,
    private readonly changed: () => void,
  ) {}

  isFinding(call: string): boolean {
    return this.finding.has(call);
  }

  add(call: string, connection: Watched): void {
    this.watched.set(call, connection);
    const follow = (event: Event): void => {
      // The telephone below us hangs up over a failed way; whether the call is lost is the server's to say.
      if (connection.iceConnectionState === 'failed') event.stopImmediatePropagation();
      if (this.watched.get(call) === connection) this.follow(call, connection.iceConnectionState);
    };
    // Capturing, so that it comes before the telephone's own listener.
    connection.addEventListener('iceconnectionstatechange', follow, true);
  }

  remove(call: string): void {
    this.watched.delete(call);
    if (this.finding.delete(call)) this.rest();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.watched.clear();
    this.finding.clear();
  }

  private follow(call: string, state: RTCIceConnectionState): void {
    if (state === 'connected' || state === 'completed') {
      if (!this.finding.delete(call)) return;
      this.rest();
      this.changed();
    } else if (state === 'disconnected' || state === 'failed') {
      if (this.finding.has(call)) return;
      this.finding.add(call);
      this.timer ??= setTimeout(() => this.again(), state === 'failed' ? 0 : DOUBT_MS);
      this.changed();
    }
  }

  private again(): void {
    this.timer = undefined;
    if (this.finding.size === 0) return;
    this.renew();
    this.timer = setTimeout(() => this.again(), AGAIN_MS);
  }

  private rest(): void {
    if (this.finding.size > 0) return;
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
