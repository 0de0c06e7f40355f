// The softphone as the pages see it: line, calls, microphone, quality.

import { SvelteMap } from 'svelte/reactivity';
import { api } from '../lib/api';
import { isElsewhere, patience } from '../lib/elsewhere';
import { keyOf } from '../lib/keys';
import { LevelMeter, MicError, listDevices, openMic, type Devices } from '../lib/mic';
import { lightOf, type Quality } from '../lib/quality';
import type { SipAccess } from '../lib/types';
import { Softphone, type PhoneCall, type PhoneLink } from '../lib/softphone';
import * as sound from '../lib/sound';
import { desk } from './desk.svelte';
import { notices } from './notices.svelte';
import { session } from './session.svelte';
import { settings } from './settings.svelte';

const RENEW_RETRY_MS = 60_000;

class Phone {
  link = $state<PhoneLink>('off');
  why = $state('');
  calls = $state.raw<PhoneCall[]>([]);
  quality = new SvelteMap<string, Quality>();
  muted = $state(false);
  level = $state(0);
  micName = $state('');
  micFault = $state('');
  unlocked = $state(false);
  devices = $state.raw<Devices>({ inputs: [], outputs: [] });
  /** When the ready check was passed in this tab's life. */
  checkedAt = $state<number | null>(Number(sessionStorage.getItem('cordboard.checked')) || null);

  /** It was passed in this tab's life, whether the server still knows of it or not. */
  proven = $state(this.checkedAt !== null);

  readonly ringing = $derived(this.calls.find((c) => c.state === 'ringing' && !c.auto) ?? null);
  /** The sound of a call has lost its way and is looking for another. */
  readonly finding = $derived(this.calls.some((c) => c.finding));
  readonly light = $derived(lightOf([...this.quality.values()].at(-1) ?? null));
  /** She speaks, and not by this page's telephone. It is so for a moment, too, while a call comes here. */
  private readonly missing = $derived(isElsewhere(desk.feed.seat, this.link, desk.mine, this.calls));
  /** Her telephone is in another browser: so for long enough. */
  isElsewhere = $state(false);

  /** Keeps `isElsewhere`; from an effect of the page. Returns what stops it. */
  watchElsewhere(): (() => void) | undefined {
    if (!this.missing) {
      this.isElsewhere = false;
      return undefined;
    }
    const timer = setTimeout(() => (this.isElsewhere = true), patience(performance.now()));
    return () => clearTimeout(timer);
  }

  readonly lastQuality = $derived([...this.quality.values()].at(-1) ?? null);

  private relays: RTCIceServer[] = [];
  private renewal: ReturnType<typeof setTimeout> | undefined;
  private softphone: Softphone | null = null;
  private stream: MediaStream | null = null;
  private opening: Promise<MediaStream> | null = null;
  private meter: LevelMeter | null = null;
  private meterTimer: ReturnType<typeof setInterval> | undefined;
  private ends = new Map<string, string>();

  /** Connects the telephone. Safe to call again. */
  async start(): Promise<void> {
    if (this.softphone || !session.token) return;
    const place = await api.sip();
    if (this.softphone || !session.token) return;
    this.keepRelays(place);
    // The same host that served the page: a proxy in between is then no obstacle.
    const path = new URL(place.ws, location.href).pathname;
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this.softphone = new Softphone({
      uri: place.uri,
      ws: `${scheme}://${location.host}${path}`,
      token: () => session.token ?? '',
      mic: () => this.mic(),
      sink: () => settings.ear,
      relays: () => this.relays,
      known: (call) => desk.link !== 'up' || desk.feed.calls.some((c) => c.id === call),
      beep: sound.beepOffer,
      onLink: (link, why) => {
        this.link = link;
        this.why = why;
      },
      onCalls: (calls) => {
        const found = this.finding && !calls.some((c) => c.finding) && calls.length > 0;
        this.calls = calls;
        if (found) notices.say('The telephone is connected again. The caller hears you.');
      },
      onQuality: (call, quality) => this.quality.set(call, quality),
      onEnded: (call, why) => {
        this.quality.delete(call);
        this.ends.set(call, why);
      },
    });
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.refreshDevices());
  }

  private keepRelays(place: SipAccess): void {
    this.relays = place.ice_servers;
    clearTimeout(this.renewal);
    if (place.renew_in !== null) this.renewal = setTimeout(() => void this.renewRelays(), place.renew_in * 1000);
  }

  /** What lets us in at the relays runs out; new words for it come well before. */
  private async renewRelays(): Promise<void> {
    try {
      this.keepRelays(await api.sip());
    } catch {
      this.renewal = setTimeout(() => void this.renewRelays(), RENEW_RETRY_MS);
    }
  }

  stop(): void {
    clearTimeout(this.renewal);
    this.softphone?.stop();
    this.softphone = null;
    this.link = 'off';
    this.calls = [];
    this.quality.clear();
    this.closeMic();
    this.muted = false;
    this.unpass();
    this.proven = false;
  }

  renewed(): void {
    this.softphone?.refreshToken();
  }

  /** Her telephone is in another browser; what rings from now on rings in this one. */
  bringHere(): void {
    this.softphone?.comeAnew();
    notices.show(`Your telephone is here again. To speak here with whom you have there, hold them and take them back: ${keyOf('hold')}, ${keyOf('hold')}.`, 'info');
  }

  /** From a click or a key: lets sound out. */
  async unlock(): Promise<void> {
    this.unlocked = await sound.unlock();
    await sound.setEar(settings.ear);
    await sound.setRinger(settings.ringer);
  }

  /** The microphone, opened if it is not. */
  async mic(): Promise<MediaStream> {
    if (this.stream?.getAudioTracks().some((t) => t.readyState === 'live')) return this.stream;
    this.opening ??= this.openMic().finally(() => (this.opening = null));
    return this.opening;
  }

  private async openMic(): Promise<MediaStream> {
    try {
      const stream = await openMic(settings.mic);
      this.closeMic();
      this.stream = stream;
      this.micFault = '';
      const track = stream.getAudioTracks()[0];
      this.micName = track?.label ?? '';
      track?.addEventListener('ended', () => {
        this.micFault = 'The microphone was unplugged or taken away.';
        notices.show('The microphone has gone. Plug the headset in; it is used again by itself.');
        void this.mic().then((next) => this.softphone?.replaceMic(next)).catch(() => undefined);
      });
      this.meter = new LevelMeter(stream);
      clearInterval(this.meterTimer);
      this.meterTimer = setInterval(() => (this.level = this.muted ? 0 : (this.meter?.read() ?? 0)), 100);
      void this.refreshDevices();
      return stream;
    } catch (error) {
      this.micFault = error instanceof MicError ? error.message : 'The microphone could not be opened.';
      throw error;
    }
  }

  private closeMic(): void {
    clearInterval(this.meterTimer);
    this.meter?.close();
    this.meter = null;
    this.level = 0;
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
  }

  async refreshDevices(): Promise<void> {
    this.devices = await listDevices().catch(() => ({ inputs: [], outputs: [] }));
  }

  async chooseMic(id: string): Promise<void> {
    settings.mic = id;
    settings.save();
    this.closeMic();
    const stream = await this.mic();
    await this.softphone?.replaceMic(stream);
  }

  async chooseEar(id: string): Promise<void> {
    settings.ear = id;
    settings.save();
    await sound.setEar(id);
    await this.softphone?.setSink(id);
  }

  async chooseRinger(id: string): Promise<void> {
    settings.ringer = id;
    settings.save();
    await sound.setRinger(id);
  }

  /** Answers a call that rings here; false if none does. */
  answer(id: string): boolean {
    return this.softphone?.answer(id) ?? false;
  }

  toggleMute(): void {
    this.muted = !this.muted;
    this.softphone?.setMuted(this.muted);
    notices.say(this.muted ? 'Microphone muted.' : 'Microphone on.');
  }

  hangUp(id: string): void {
    this.softphone?.hangUp(id);
  }

  pressKey(id: string, key: string): void {
    if (!this.softphone?.pressKey(id, key)) notices.show('The key could not be sent.');
  }

  remote(id: string): MediaStream | null {
    return this.softphone?.remoteStream(id) ?? null;
  }

  /** Why a call here ended, told once. */
  takeEnd(id: string): string | undefined {
    const why = this.ends.get(id);
    this.ends.delete(id);
    return why;
  }

  unpass(): void {
    this.checkedAt = null;
    sessionStorage.removeItem('cordboard.checked');
  }

  passed(): void {
    this.checkedAt = Date.now();
    this.proven = true;
    sessionStorage.setItem('cordboard.checked', String(this.checkedAt));
  }
}

export const phone = new Phone();
