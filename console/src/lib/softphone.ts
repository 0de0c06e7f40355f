// The operator's telephone in the browser: JsSIP over WebSocket. The server offers every call; this answers it.
// Hold, patch and hang-up are the server's work (lib/api); a desk phone could sit in this one's place.

import { UA, WebSocketInterface } from 'jssip';
import type { RTCSession } from 'jssip/lib/RTCSession';
import type { IncomingRequest } from 'jssip/lib/SIPMessage';
import { PathWatch } from './path';
import { readStats, type Quality } from './quality';

export type PhoneLink = 'off' | 'connecting' | 'registered' | 'failed';

/** A call that the server has brought to this phone. */
export interface PhoneCall {
  /** The call's id, or `check` for the test of the ready check, `trial` for a menu tried out. */
  id: string;
  /** Answered by itself, after the beep. */
  auto: boolean;
  state: 'ringing' | 'answering' | 'up';
  /** Its sound has lost its way, as when the network changes, and another is being looked for. */
  finding: boolean;
}

export interface PhoneOptions {
  uri: string;
  ws: string;
  token: () => string;
  mic: () => Promise<MediaStream>;
  sink: () => string;
  /** Relays for a network that lets no sound through, with what lets us in there at this moment. */
  relays: () => RTCIceServer[];
  /** Whether the server may still have this call: not if it says what calls there are and this is none of them. */
  known: (call: string) => boolean;
  /** Sounded before a call is answered by itself. */
  beep: () => void;
  onLink: (link: PhoneLink, why: string) => void;
  onCalls: (calls: PhoneCall[]) => void;
  onQuality: (call: string, quality: Quality) => void;
  onEnded: (call: string, why: string) => void;
}

interface Line extends Omit<PhoneCall, 'finding'> {
  session: RTCSession;
  audio: HTMLAudioElement;
  counters: { received: number; lost: number };
  stats: ReturnType<typeof setInterval> | undefined;
}

const BEEP_MS = 180;
const STATS_MS = 1_000;

/** True when `Call-Info` asks to answer at once (`<…>;answer-after=0`). */
export function asksAutoAnswer(callInfo: string | undefined): boolean {
  return /;\s*answer-after\s*=\s*0\b/i.test(callInfo ?? '');
}

export class Softphone {
  private ua: UA;
  private socket: WebSocketInterface;
  private lines: Line[] = [];
  private muted = false;
  private readonly paths = new PathWatch(
    () => this.lookForWay(),
    () => this.changed(),
  );

  constructor(private readonly options: PhoneOptions) {
    this.socket = new WebSocketInterface(options.ws);
    this.ua = new UA({
      sockets: [this.socket],
      uri: options.uri,
      authorization_jwt: `Bearer ${options.token()}`,
      register: true,
      register_expires: 120,
      session_timers: false,
      // The server decides how long it rings; this is only the net below it.
      no_answer_timeout: 180,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 5,
      user_agent: 'Cordboard console',
    });
    this.ua.on('connecting', () => options.onLink('connecting', ''));
    this.ua.on('disconnected', () => options.onLink('connecting', 'The telephone line to the server is down; trying again.'));
    this.ua.on('registered', () => options.onLink('registered', ''));
    this.ua.on('unregistered', () => options.onLink('connecting', ''));
    this.ua.on('registrationFailed', (event: { cause?: string; response?: { status_code?: number } }) => {
      const status = event.response?.status_code;
      options.onLink('failed', status ? `The server refused the telephone (${status}).` : 'The server did not answer the telephone.');
    });
    this.ua.on('newRTCSession', (event: { originator: string; session: RTCSession; request: unknown }) => {
      if (event.originator === 'remote') this.incoming(event.session, event.request as IncomingRequest);
    });
    this.ua.start();
    addEventListener('online', this.reconnect);
  }

  /** A call that the server no longer has, as after its restart, has no way to be found. */
  private lookForWay(): void {
    const lost = this.lines.filter((line) => this.paths.isFinding(line.id));
    const gone = lost.filter((line) => !this.options.known(line.id));
    for (const line of gone) if (!line.session.isEnded()) line.session.terminate();
    if (gone.length < lost.length) this.reconnect();
  }

  /**
   * Leaves the line to the server for a new one: the old one may go through a network that is gone, which nobody tells
   * us. The server knows our calls again by our registration and offers each of them another way for its sound.
   */
  private reconnect = (): void => {
    if (this.ua.status === UA.C.STATUS_USER_CLOSED) return;
    this.socket.disconnect();
    this.socket.ondisconnect(true, 1006, 'left');
    (this.ua as unknown as { transport: { connect(): void } }).transport.connect();
  };

  /** What is rung rings here first from now on, as the phone that came last does: another browser of hers had come after us. */
  comeAnew(): void {
    this.reconnect();
  }

  /** After a token was refreshed: JsSIP sends it with the next request. */
  refreshToken(): void {
    this.ua.set('authorization_jwt', `Bearer ${this.options.token()}`);
    // A registration that failed on the old token is tried with the new one.
    if (this.ua.isConnected() && !this.ua.isRegistered()) this.ua.register();
  }

  answer(id: string): boolean {
    const line = this.lines.find((l) => l.id === id && l.state === 'ringing');
    if (!line) return false;
    void this.pickUp(line);
    return true;
  }

  hangUp(id: string): void {
    const line = this.lines.find((l) => l.id === id);
    if (line && !line.session.isEnded()) line.session.terminate();
  }

  /** A key to the other end, as telephone-event (RFC 4733). False if there is no such call, or it takes none. */
  pressKey(id: string, key: string): boolean {
    const senders = this.lines.find((l) => l.id === id)?.session.connection?.getSenders() ?? [];
    const dtmf = senders.find((s) => s.dtmf?.canInsertDTMF)?.dtmf;
    // What is still to be sent stays before it.
    dtmf?.insertDTMF(dtmf.toneBuffer + key, 120, 70);
    return dtmf !== undefined && dtmf !== null;
  }

  setMuted(muted: boolean): void {
    this.muted = muted;
    for (const line of this.lines) this.applyMute(line);
  }

  async setSink(deviceId: string): Promise<void> {
    await Promise.all(this.lines.map((line) => setSink(line.audio, deviceId)));
  }

  /** Another microphone while calls are up. */
  async replaceMic(stream: MediaStream): Promise<void> {
    const track = stream.getAudioTracks()[0] ?? null;
    for (const line of this.lines) {
      const sender = line.session.connection?.getSenders().find((s) => s.track?.kind === 'audio' || s.track === null);
      await sender?.replaceTrack(track);
      this.applyMute(line);
    }
  }

  /** The remote audio of a call, for the meter of the ready check. */
  remoteStream(id: string): MediaStream | null {
    const source = this.lines.find((l) => l.id === id)?.audio.srcObject;
    return source instanceof MediaStream ? source : null;
  }

  stop(): void {
    removeEventListener('online', this.reconnect);
    this.paths.stop();
    for (const line of this.lines) clearInterval(line.stats);
    this.ua.stop();
  }

  private incoming(session: RTCSession, request: IncomingRequest): void {
    const id = request.getHeader('X-Cordboard-Call') ?? session.id;
    const asked = id === 'check' || id === 'trial';
    const auto = asked || asksAutoAnswer(request.getHeader('Call-Info'));
    const audio = new Audio();
    audio.autoplay = true;
    const line: Line = {
      id,
      auto,
      state: 'ringing',
      session,
      audio,
      counters: { received: 0, lost: 0 },
      stats: undefined,
    };
    this.lines.push(line);
    session.on('confirmed', () => {
      line.state = 'up';
      this.applyMute(line);
      this.changed();
    });
    session.on('ended', (event: { cause: string }) => this.gone(line, event.cause));
    session.on('failed', (event: { cause: string }) => this.gone(line, event.cause));
    this.changed();
    if (auto) {
      if (!asked) this.options.beep();
      setTimeout(() => void this.pickUp(line), BEEP_MS);
    }
  }

  private async pickUp(line: Line): Promise<void> {
    if (line.state !== 'ringing') return;
    line.state = 'answering';
    this.changed();
    let mic: MediaStream;
    try {
      mic = await this.options.mic();
    } catch (error) {
      line.session.terminate({ status_code: 480 });
      this.options.onEnded(line.id, (error as Error).message);
      return;
    }
    if (line.session.isEnded()) return;
    // The first candidate is enough, for the first answer and for each that follows: waiting for all of them would cost
    // the caller a second, and the server's checks find the rest.
    line.session.on('icecandidate', (event: { ready: () => void }) => event.ready());
    line.session.answer({ mediaStream: mic, pcConfig: { iceServers: this.options.relays() } });
    const pc = line.session.connection;
    if (!pc) return;
    pc.addEventListener('track', (event) => {
      line.audio.srcObject = event.streams[0] ?? new MediaStream([event.track]);
      void setSink(line.audio, this.options.sink());
      void line.audio.play().catch(() => undefined);
    });
    // Another way is offered: what lets us in at the relays may have been renewed since the last one.
    line.session.on('reinvite', () => pc.setConfiguration({ ...pc.getConfiguration(), iceServers: this.options.relays() }));
    this.paths.add(line.id, pc);
    line.stats = setInterval(() => void this.measure(line, pc), STATS_MS);
  }

  private async measure(line: Line, pc: RTCPeerConnection): Promise<void> {
    if (pc.connectionState === 'closed') return;
    const report = await pc.getStats().catch(() => null);
    if (!report) return;
    const stats: Record<string, unknown>[] = [];
    report.forEach((stat: Record<string, unknown>) => stats.push(stat));
    const { quality, counters } = readStats(stats, line.counters);
    line.counters = counters;
    this.options.onQuality(line.id, quality);
  }

  private applyMute(line: Line): void {
    if (line.session.isEnded() || !line.session.isEstablished()) return;
    if (this.muted) line.session.mute({ audio: true });
    else line.session.unmute({ audio: true });
  }

  private gone(line: Line, cause: string): void {
    clearInterval(line.stats);
    this.paths.remove(line.id);
    line.audio.srcObject = null;
    this.lines = this.lines.filter((l) => l !== line);
    this.changed();
    this.options.onEnded(line.id, cause);
  }

  private changed(): void {
    this.options.onCalls(this.lines.map(({ id, auto, state }) => ({ id, auto, state, finding: this.paths.isFinding(id) })));
  }
}

async function setSink(audio: HTMLAudioElement, deviceId: string): Promise<void> {
  // Firefox before 116 and Safari cannot choose; the system's output is used there.
  await (audio as HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> })
    .setSinkId?.(deviceId)
    .catch(() => undefined);
}
