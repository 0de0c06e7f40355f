// The sound of a ringing phone: 440 and 480 Hz, two seconds in six.

export class Ring {
  private context: AudioContext | null = null;
  private timer = 0;

  /** Starts or stops; starting twice is once. */
  set(on: boolean): void {
    if (on && !this.timer) {
      this.burst();
      this.timer = window.setInterval(() => this.burst(), 6000);
    } else if (!on && this.timer) {
      window.clearInterval(this.timer);
      this.timer = 0;
      void this.context?.close();
      this.context = null;
    }
  }

  private burst(): void {
    this.context ??= new AudioContext();
    const { context } = this;
    const gain = context.createGain();
    const start = context.currentTime;
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(0.06, start + 0.02);
    gain.gain.setValueAtTime(0.06, start + 1.95);
    gain.gain.linearRampToValueAtTime(0, start + 2);
    gain.connect(context.destination);
    for (const frequency of [440, 480]) {
      const tone = context.createOscillator();
      tone.frequency.value = frequency;
      tone.connect(gain);
      tone.start(start);
      tone.stop(start + 2);
    }
  }
}
