/**
 * A simulated RTCPeerConnection: descriptions, candidates, and the rules by which two of them connect.
 *
 * Timeouts are Chromium's as measured, rounded: disconnected after five seconds without an answer, failed after fifteen.
 */

const DISCONNECTED_MS = 5000;
const FAILED_MS = 15_000;

let made = 0;

export class SimulatedConnection {
  readonly number: number;
  readonly fingerprint = `F${++made}`;
  state: 'new' | 'connected' | 'disconnected' | 'failed' = 'new';
  channel_open = false;
  local_sdp = '';
  /** The connection to which a path was last found, and the generation of our credentials. */
  #joined: { fingerprint: string; generation: number } | null = null;
  #remote_sdp = '';
  #answered_sdp = '';
  #signaling: 'stable' | 'offered' | 'answering' = 'stable';
  /** Incremented by each restart. */
  #generation = 0;
  /** The generation whose path is lost, by a change of networks or a failure. */
  #dead_generation = -1;
  readonly #candidates = new Set<string>();
  #unanswered_since_ms: number | null = null;

  constructor(number: number) {
    this.number = number;
  }

  get ufrag(): string {
    return `${this.fingerprint}u${this.#generation}`;
  }

  /** Return an offer, or the answer to the offer that was accepted. */
  describe(restart: boolean): string {
    const answers = this.#signaling === 'answering';
    // An answer to new credentials has new ones too.
    const renews = answers && this.#answered_sdp !== '' && this.#answered_sdp !== this.#remote_sdp;
    if (restart || renews) this.#generation += 1;
    if (answers) this.#answered_sdp = this.#remote_sdp;
    this.#signaling = answers ? 'stable' : 'offered';
    this.local_sdp = `v=0\r\na=fingerprint:sha-256 ${this.fingerprint}\r\na=ice-ufrag:${this.ufrag}\r\n`;
    return this.local_sdp;
  }

  /** Set the peer's description; throws where a browser would. */
  accept(type: 'offer' | 'answer', sdp: string): void {
    if (type === 'answer' && this.#signaling !== 'offered') throw new Error('an answer out of turn');
    const { fingerprint } = this.#joined ?? {};
    if (fingerprint && !sdp.includes(`sha-256 ${fingerprint}\r\n`)) throw new Error('another certificate');
    this.#signaling = type === 'offer' ? 'answering' : 'stable';
    this.#remote_sdp = sdp;
  }

  addCandidate(ufrag: string): void {
    this.#candidates.add(ufrag);
  }

  /** Lose the path for good: only a restart finds another. */
  losePath(): void {
    this.#dead_generation = this.#generation;
  }

  /** Find a path to the other connection, if both have each other's description and a candidate. */
  join(other: SimulatedConnection): void {
    if (!this.#knows(other) || !other.#knows(this)) return;
    if (!this.#candidates.has(other.ufrag) && !other.#candidates.has(this.ufrag)) return;
    this.#joined = { fingerprint: other.fingerprint, generation: this.#generation };
    other.#joined = { fingerprint: this.fingerprint, generation: other.#generation };
  }

  /** Return true if there is a path to the other connection that was not lost. */
  hasPath(other: SimulatedConnection): boolean {
    const joined = this.#joined;
    return joined?.fingerprint === other.fingerprint && joined.generation > this.#dead_generation;
  }

  /** Note whether connectivity checks are answered now. @returns True if the state changed. */
  check(answered: boolean, now_ms: number): boolean {
    const before = this.state;
    if (answered) {
      this.#unanswered_since_ms = null;
      this.state = 'connected';
    } else if (this.state !== 'new') {
      this.#unanswered_since_ms ??= now_ms;
      const silent_ms = now_ms - this.#unanswered_since_ms;
      if (silent_ms >= FAILED_MS && this.state !== 'failed') {
        this.state = 'failed';
        this.losePath();
      } else if (silent_ms >= DISCONNECTED_MS && this.state === 'connected') this.state = 'disconnected';
    }
    return this.state !== before;
  }

  #knows(other: SimulatedConnection): boolean {
    return (
      this.#remote_sdp !== '' &&
      this.#remote_sdp === other.local_sdp &&
      this.#generation > this.#dead_generation
    );
  }
}
