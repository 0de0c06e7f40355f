// Words recorded by the microphone, as a WAV file that can be uploaded: mono, at the rate that telephones' best codec has.

import { wavOf } from './wav';

const RATE = 16_000;
/** The server takes five minutes. */
const LIMIT_MS = 300_000;

export class Recording {
  private readonly chunks: Blob[] = [];
  private readonly timer: ReturnType<typeof setTimeout>;

  private constructor(
    private readonly recorder: MediaRecorder,
    readonly since: number,
    onLimit: () => void,
  ) {
    recorder.addEventListener('dataavailable', (event) => this.chunks.push(event.data));
    this.timer = setTimeout(onLimit, LIMIT_MS);
  }

  /** Begins to record what `stream` hears; `onLimit` is told when it has been long enough. */
  static async begin(stream: MediaStream, now: number, onLimit: () => void): Promise<Recording> {
    const recorder = new MediaRecorder(stream);
    const begun = new Promise<void>((resolve, reject) => {
      recorder.addEventListener('start', () => resolve(), { once: true });
      recorder.addEventListener('error', () => reject(new Error('The browser does not record.')), { once: true });
    });
    const recording = new Recording(recorder, now, onLimit);
    recorder.start();
    await begun;
    return recording;
  }

  /** What was recorded. */
  async end(): Promise<Blob> {
    clearTimeout(this.timer);
    const stopped = new Promise<void>((resolve) => this.recorder.addEventListener('stop', () => resolve(), { once: true }));
    if (this.recorder.state !== 'inactive') {
      this.recorder.stop();
      await stopped;
    }
    const bytes = await new Blob(this.chunks, { type: this.recorder.mimeType }).arrayBuffer();
    // Decoding brings it to the rate of the context.
    const context = new AudioContext({ sampleRate: RATE });
    try {
      const sound = await context.decodeAudioData(bytes);
      return wavOf(mono(sound), sound.sampleRate);
    } finally {
      void context.close();
    }
  }

  drop(): void {
    clearTimeout(this.timer);
    if (this.recorder.state !== 'inactive') this.recorder.stop();
  }
}

function mono(sound: AudioBuffer): Float32Array {
  const mixed = new Float32Array(sound.length);
  for (let channel = 0; channel < sound.numberOfChannels; channel += 1) {
    sound.getChannelData(channel).forEach((sample, at) => (mixed[at]! += sample / sound.numberOfChannels));
  }
  return mixed;
}
