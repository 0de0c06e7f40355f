// Sounds of the desk, made here so that nothing has to be loaded at two in the morning. Beeps for the ear go to
// the headset; the ringer may be another device.

let context: AudioContext | null = null;
let ringerContext: AudioContext | null = null;
let ringerSink = '';

/** Browsers play nothing before a click or a key; call this from one. */
export async function unlock(): Promise<boolean> {
  context ??= new AudioContext();
  if (context.state !== 'running') await Promise.race([context.resume(), new Promise((done) => setTimeout(done, 400))]);
  return context.state === 'running';
}

export function isUnlocked(): boolean {
  return context?.state === 'running';
}

/** The shared context, for meters. */
export function audioContext(): AudioContext {
  context ??= new AudioContext();
  return context;
}

type Sinkable = AudioContext & { setSinkId?: (id: string) => Promise<void> };

/** Where beeps are heard: the headset. */
export async function setEar(deviceId: string): Promise<void> {
  await (audioContext() as Sinkable).setSinkId?.(deviceId).catch(() => undefined);
}

/** Where ringing and the alarm are heard. Empty: the same as the headset. */
export async function setRinger(deviceId: string): Promise<void> {
  ringerSink = deviceId;
  if (deviceId === '') return;
  ringerContext ??= new AudioContext();
  await (ringerContext as Sinkable).setSinkId?.(deviceId).catch(() => undefined);
}

interface Note {
  hz: number;
  at: number;
  for: number;
  volume?: number;
}

function play(notes: Note[], out: AudioContext): void {
  if (out.state === 'suspended') void out.resume();
  const start = out.currentTime + 0.01;
  for (const note of notes) {
    const tone = out.createOscillator();
    const gain = out.createGain();
    const volume = note.volume ?? 0.12;
    tone.frequency.value = note.hz;
    // Short ramps: a square edge clicks.
    gain.gain.setValueAtTime(0, start + note.at);
    gain.gain.linearRampToValueAtTime(volume, start + note.at + 0.01);
    gain.gain.setValueAtTime(volume, start + note.at + note.for - 0.02);
    gain.gain.linearRampToValueAtTime(0, start + note.at + note.for);
    tone.connect(gain).connect(out.destination);
    tone.start(start + note.at);
    tone.stop(start + note.at + note.for + 0.02);
  }
}

function ringer(): AudioContext {
  return ringerSink !== '' && ringerContext ? ringerContext : audioContext();
}

/** The beep before a call is answered by itself. */
export function beepOffer(): void {
  play([{ hz: 880, at: 0, for: 0.14, volume: 0.18 }], audioContext());
}

/** A call waits for a key while she talks or types: quiet, in the ear. */
export function beepWaiting(): void {
  play(
    [
      { hz: 660, at: 0, for: 0.09, volume: 0.08 },
      { hz: 880, at: 0.13, for: 0.09, volume: 0.08 },
    ],
    audioContext(),
  );
}

/** Two bursts, on the ringer. */
export function ring(): void {
  const burst = (at: number): Note[] => [
    { hz: 480, at, for: 0.35, volume: 0.1 },
    { hz: 620, at, for: 0.35, volume: 0.1 },
  ];
  play([...burst(0), ...burst(0.5)], ringer());
}

export function beepHold(): void {
  play(
    [
      { hz: 520, at: 0, for: 0.1, volume: 0.09 },
      { hz: 520, at: 0.18, for: 0.1, volume: 0.09 },
    ],
    audioContext(),
  );
}

export function toneGone(): void {
  play(
    [
      { hz: 480, at: 0, for: 0.16, volume: 0.09 },
      { hz: 380, at: 0.18, for: 0.24, volume: 0.09 },
    ],
    audioContext(),
  );
}

/** Someone is in trouble and nobody has answered. On the ringer; while she talks, once and softly in the ear. */
export function alarm(talking: boolean): void {
  const volume = talking ? 0.05 : 0.16;
  const notes: Note[] = [0, 0.3, 0.6].flatMap((at) => [
    { hz: 740, at, for: 0.12, volume },
    { hz: 988, at: at + 0.13, for: 0.12, volume },
  ]);
  play(talking ? notes.slice(0, 2) : notes, talking ? audioContext() : ringer());
}

/** A pleasant rising tone for "can you hear this?". */
export function testEar(): void {
  play(
    [523, 659, 784].map((hz, i) => ({ hz, at: i * 0.2, for: 0.22, volume: 0.15 })),
    audioContext(),
  );
}
