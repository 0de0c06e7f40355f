// The page's handset: one WebRTC connection to the sandbox, held to one phone at a time. The sandbox offers.

import { order, post } from './link';

export type HandsetState = 'down' | 'connecting' | 'up' | 'lost';

export class Handset {
  id: number | null = null;
  /** Why one cannot be heard, if the microphone was refused. */
  deaf = false;
  private peer: RTCPeerConnection | null = null;
  private picking: Promise<string | null> | null = null;
  private readonly audio = new Audio();

  constructor(private readonly onState: (state: HandsetState) => void) {
    window.addEventListener('pagehide', () => this.drop());
  }

  /** Connects unless it is connected; what went wrong as a sentence, else null. To be called from a click. */
  pickUp(): Promise<string | null> {
    if (this.peer && this.id !== null) return Promise.resolve(null);
    this.picking ??= this.connect().finally(() => (this.picking = null));
    return this.picking;
  }

  /** Puts the handset down. */
  drop(): void {
    if (this.id !== null) navigator.sendBeacon(`/sandbox/api/handset/${this.id}/close`);
    this.peer?.getSenders().forEach((sender) => sender.track?.stop());
    this.peer?.close();
    this.peer = null;
    this.id = null;
    this.onState('down');
  }

  private async connect(): Promise<string | null> {
    this.onState('connecting');
    try {
      const track = await this.microphone();
      const opened = await post('handset', {});
      if (!opened.ok) throw new Error('no handset');
      const { id, offer } = (await opened.json()) as { id: number; offer: string };
      const peer = new RTCPeerConnection();
      this.peer = peer;
      this.id = id;
      peer.ontrack = ({ streams: [stream], track: heard }) => {
        this.audio.srcObject = stream ?? new MediaStream([heard]);
        void this.audio.play().catch(() => undefined);
      };
      peer.onconnectionstatechange = () => {
        if (peer !== this.peer) return;
        if (peer.connectionState === 'connected') this.onState('up');
        if (peer.connectionState === 'failed') {
          this.drop();
          this.onState('lost');
        }
      };
      peer.addTrack(track);
      await peer.setRemoteDescription({ type: 'offer', sdp: offer });
      const answer = await peer.createAnswer();
      await peer.setLocalDescription(answer);
      // At once, without candidates: the sandbox learns the address from the first check.
      const refused = await order(`handset/${id}/answer`, { sdp: answer.sdp });
      if (refused) throw new Error(refused);
      return this.deaf ? 'No microphone: you can listen and press keys, but not talk.' : null;
    } catch {
      this.drop();
      return 'The handset could not be connected.';
    }
  }

  private async microphone(): Promise<MediaStreamTrack> {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
      const [track] = stream.getAudioTracks();
      if (track) {
        this.deaf = false;
        return track;
      }
    } catch {
      // Refused or absent: a silent track keeps the connection whole.
    }
    this.deaf = true;
    const [silent] = new AudioContext().createMediaStreamDestination().stream.getAudioTracks();
    if (!silent) throw new Error('no track');
    return silent;
  }
}
