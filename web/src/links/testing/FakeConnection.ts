/** An RTCPeerConnection for tests, with the real one's signaling states and no network. */

let made = 0;

type Handler = (() => void) | null;

export class FakeChannel {
  binaryType = 'blob';
  readyState = 'connecting';
}

export class FakeConnection {
  readonly number = ++made;
  readonly configuration: RTCConfiguration;
  readonly channels: { label: string; options: RTCDataChannelInit | undefined }[] = [];
  readonly candidates: string[] = [];
  /** How many candidates were added before the remote description, which callers must not do. */
  early = 0;
  /** Whether it is processing a description. */
  busy = false;
  signalingState: RTCSignalingState = 'stable';
  connectionState: RTCPeerConnectionState = 'new';
  localDescription: { type: 'offer' | 'answer'; sdp: string } | null = null;
  remoteDescription: { type: 'offer' | 'answer'; sdp: string } | null = null;
  onicecandidate: ((event: { candidate: { toJSON(): RTCIceCandidateInit } | null }) => void) | null = null;
  onconnectionstatechange: Handler = null;
  #restarts = 0;
  #versions = 0;

  constructor(configuration: RTCConfiguration = {}) {
    this.configuration = configuration;
  }

  createDataChannel(label: string, options?: RTCDataChannelInit): FakeChannel {
    this.channels.push({ label, options });
    return new FakeChannel();
  }

  setConfiguration(): void {}

  restartIce(): void {
    this.#restarts += 1;
  }

  get restarts(): number {
    return this.#restarts;
  }

  async setLocalDescription(): Promise<void> {
    await this.#work();
    this.#versions += 1;
    const type = this.signalingState === 'have-remote-offer' ? 'answer' : 'offer';
    const sdp = `v=0\r\no=- ${this.number} ${this.#versions}\r\na=fingerprint:sha-256 ${hex(this.number)}\r\na=ice-ufrag:${this.number}r${this.#restarts}\r\n`;
    this.localDescription = { type, sdp };
    this.signalingState = type === 'offer' ? 'have-local-offer' : 'stable';
    const found = `candidate:${this.number} 1 udp 1 192.0.2.1 ${9000 + this.#versions} typ host`;
    setTimeout(() => {
      this.onicecandidate?.({ candidate: { toJSON: () => ({ candidate: found, sdpMid: '0' }) } });
      this.onicecandidate?.({ candidate: null });
    }, 1);
  }

  async setRemoteDescription(description: { type: 'offer' | 'answer'; sdp: string }): Promise<void> {
    await this.#work();
    if (description.type === 'answer' && this.signalingState !== 'have-local-offer') {
      throw new Error(`an answer in ${this.signalingState}`);
    }
    this.remoteDescription = description;
    this.signalingState = description.type === 'offer' ? 'have-remote-offer' : 'stable';
  }

  async addIceCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    if (this.remoteDescription === null) this.early += 1;
    await Promise.resolve();
    if (candidate.candidate === 'broken') throw new Error('cannot parse');
    this.candidates.push(candidate.candidate ?? '');
  }

  async getStats(): Promise<Map<string, object>> {
    return new Map();
  }

  close(): void {
    this.signalingState = 'closed';
    this.connectionState = 'closed';
  }

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  /** Like browsers: reject after `close`, and never settle if `close` comes meanwhile. */
  async #work(): Promise<void> {
    if (this.signalingState === 'closed') throw new Error('closed');
    this.busy = true;
    await Promise.resolve();
    if (this.connectionState === 'closed') await new Promise(() => {});
    this.busy = false;
  }
}

function hex(number: number): string {
  return number.toString(16).padStart(4, '0').toUpperCase();
}
