// Keys on their way to the server: in the order in which they were pressed, one request at a time, those pressed
// meanwhile together.

export class KeySender {
  private waiting = '';
  private sending = false;

  constructor(
    private readonly send: (keys: string) => Promise<unknown>,
    private readonly onFailed: (error: unknown) => void,
  ) {}

  press(key: string): void {
    this.waiting += key;
    void this.drain();
  }

  private async drain(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    while (this.waiting !== '') {
      const keys = this.waiting.slice(0, 32);
      this.waiting = this.waiting.slice(32);
      try {
        await this.send(keys);
      } catch (error) {
        // What follows would be out of place without these.
        this.waiting = '';
        this.onFailed(error);
      }
    }
    this.sending = false;
  }
}
