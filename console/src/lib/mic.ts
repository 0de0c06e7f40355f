// The microphone: opened once per shift and kept open, so that a call is heard the moment it is answered.

import { audioContext } from './sound';

export type MicFault = 'denied' | 'missing' | 'busy' | 'insecure' | 'unknown';

export class MicError extends Error {
  constructor(
    readonly fault: MicFault,
    message: string,
  ) {
    super(message);
  }
}

/** What to do about it, in words. */
export const MIC_ADVICE: Record<MicFault, string> = {
  denied: 'The browser may not use the microphone. Click the lock or microphone sign beside the address, allow it, then try again.',
  missing: 'No microphone was found. Plug the headset in, then try again.',
  busy: 'The microphone is in use by another program. Close that one, then try again.',
  insecure: 'The browser gives the microphone to https pages (or this machine itself) only. Open the console by https.',
  unknown: 'The microphone could not be opened. Plug the headset out and in, then try again.',
};

/** Opens the microphone called `deviceId`, or the system's choice. */
export async function openMic(deviceId: string): Promise<MediaStream> {
  if (!navigator.mediaDevices?.getUserMedia) throw new MicError('insecure', MIC_ADVICE.insecure);
  const audio: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  try {
    if (deviceId !== '') {
      try {
        return await navigator.mediaDevices.getUserMedia({ audio: { ...audio, deviceId: { exact: deviceId } } });
      } catch (error) {
        // The chosen headset is gone: any microphone is better than a silent operator; the page shows which it is.
        if ((error as DOMException).name !== 'OverconstrainedError' && (error as DOMException).name !== 'NotFoundError') throw error;
      }
    }
    return await navigator.mediaDevices.getUserMedia({ audio });
  } catch (error) {
    const fault = faultOf((error as DOMException).name);
    throw new MicError(fault, MIC_ADVICE[fault]);
  }
}

function faultOf(name: string): MicFault {
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy';
  return 'unknown';
}

/** Measures how loud a stream is, 0 to 1 on a scale that the eye finds even. */
export class LevelMeter {
  private readonly source: MediaStreamAudioSourceNode;
  private readonly analyser: AnalyserNode;
  private readonly samples: Float32Array<ArrayBuffer>;

  constructor(stream: MediaStream) {
    const context = audioContext();
    this.source = context.createMediaStreamSource(stream);
    this.analyser = context.createAnalyser();
    this.analyser.fftSize = 1024;
    this.samples = new Float32Array(this.analyser.fftSize);
    this.source.connect(this.analyser);
  }

  read(): number {
    this.analyser.getFloatTimeDomainData(this.samples);
    let sum = 0;
    for (const s of this.samples) sum += s * s;
    const db = 10 * Math.log10(sum / this.samples.length + 1e-10);
    return Math.min(1, Math.max(0, (db + 60) / 50));
  }

  close(): void {
    this.source.disconnect();
  }
}

export interface Devices {
  inputs: MediaDeviceInfo[];
  outputs: MediaDeviceInfo[];
}

export async function listDevices(): Promise<Devices> {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return {
    inputs: all.filter((d) => d.kind === 'audioinput'),
    outputs: all.filter((d) => d.kind === 'audiooutput'),
  };
}
