// Runs in the page before anything else: keeps what the operator's headset plays, so that a test can measure who
// was heard; and asks the microphone for its raw signal, as noise suppression takes a steady test tone for noise.
(() => {
  const RATE = 48_000;
  const heard = []; // Float32Array chunks since the last mark
  let context = null;
  let loaded = null;
  let connection = null; // the newest call's
  const sources = new Map(); // of each call that is up; an operator may have several

  // On the audio thread, so that a busy page loses nothing.
  const worklet = `registerProcessor('tap', class extends AudioWorkletProcessor {
    process([[samples]]) {
      this.port.postMessage(samples ? samples.slice() : new Float32Array(128));
      return true;
    }
  });`;

  const listenTo = async (call, stream) => {
    if (!context) {
      context = new AudioContext({ sampleRate: RATE });
      const url = URL.createObjectURL(new Blob([worklet], { type: 'text/javascript' }));
      loaded = context.audioWorklet.addModule(url).then(() => {
        const tap = new AudioWorkletNode(context, 'tap');
        tap.port.onmessage = (event) => heard.push(event.data);
        tap.connect(context.destination);
        return tap;
      });
    }
    const tap = await loaded;
    if (call.signalingState === 'closed') return;
    const source = context.createMediaStreamSource(stream);
    sources.set(call, source);
    source.connect(tap);
  };

  const Original = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Original {
    constructor(...args) {
      super(...args);
      connection = this;
      this.addEventListener('track', (event) => {
        heard.length = 0;
        listenTo(this, event.streams[0] ?? new MediaStream([event.track]));
      });
    }

    // Whoever is hung up on plays nothing to anybody.
    close() {
      super.close();
      sources.get(this)?.disconnect();
      sources.delete(this);
    }
  };

  const getUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (constraints) => {
    const raw = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const audio = constraints?.audio ? { ...(constraints.audio === true ? {} : constraints.audio), ...raw } : false;
    return getUserMedia({ ...constraints, audio });
  };

  const level = (samples, hz) => {
    let re = 0;
    let im = 0;
    for (let i = 0; i < samples.length; i += 1) {
      const window_ = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / samples.length);
      re += window_ * samples[i] * Math.cos((2 * Math.PI * hz * i) / RATE);
      im += window_ * samples[i] * Math.sin((2 * Math.PI * hz * i) / RATE);
    }
    return 20 * Math.log10(Math.max((4 * Math.hypot(re, im)) / samples.length, 1e-6));
  };

  window.__tap = {
    async path() {
      const stats = new Map();
      for (const [id, stat] of await connection.getStats()) stats.set(id, stat);
      const transport = [...stats.values()].find((s) => s.type === 'transport');
      const local = stats.get(stats.get(transport?.selectedCandidatePairId)?.localCandidateId);
      return local ? { type: local.candidateType, address: local.address, relay: local.relayProtocol ?? null } : null;
    },
    offered() {
      const lines = connection.remoteDescription.sdp.match(/^a=candidate:.*$/gm) ?? [];
      return [...new Set(lines.map((line) => line.split(' ')[4]))];
    },
    // Levels in dB, tenth of a second by tenth of a second, of each frequency over the next `seconds`.
    async levels(frequencies, seconds) {
      heard.length = 0;
      const wanted = seconds * RATE;
      const length = () => heard.reduce((sum, chunk) => sum + chunk.length, 0);
      for (let i = 0; i < seconds * 30 + 100 && length() < wanted; i += 1) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const samples = new Float32Array(length());
      let at = 0;
      for (const chunk of heard) {
        samples.set(chunk, at);
        at += chunk.length;
      }
      const windows = [];
      for (let start = 0; start + RATE / 10 <= Math.min(samples.length, wanted); start += RATE / 10) {
        const part = samples.subarray(start, start + RATE / 10);
        windows.push(frequencies.map((hz) => level(part, hz)));
      }
      return windows;
    },
  };
})();
