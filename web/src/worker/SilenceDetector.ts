/**
 * Notices that nothing comes over a channel any more.
 *
 * Peers that play send a datagram each frame, so their own sending is the clock: while this worker is busy or asleep nobody
 * could have been heard, and that time counts for little. Before anything came at all there is nothing to miss.
 */
import { TIMES } from '../links/life/times';

/** The longest step that counts whole; a longer one was a pause of ours. */
const AWAKE_MS = 100;

export class SilenceDetector {
  readonly #limit_ms: number;
  readonly #step_ms: number;
  #met = false;
  #silent = false;
  #unheard_ms = 0;
  #spoke_ms: number | null = null;

  /** @param fps How many datagrams a second are sent and expected. */
  constructor(fps: number) {
    this.#limit_ms = Math.max(TIMES.silent_ms, 4000 / fps);
    this.#step_ms = Math.max(AWAKE_MS, 1500 / fps);
  }

  /** A datagram came, over the channel or by another way. @returns Whether a silence has ended. */
  heard(direct: boolean): boolean {
    // Whom we hear through the server sends over the channel as well.
    this.#met = true;
    if (!direct) return false;
    this.#unheard_ms = 0;
    const ended = this.#silent;
    this.#silent = false;
    return ended;
  }

  /** We send one. @returns Whether a silence has begun. */
  spoke(now_ms: number): boolean {
    const passed_ms = this.#spoke_ms === null ? 0 : now_ms - this.#spoke_ms;
    this.#spoke_ms = now_ms;
    if (!this.#met || this.#silent) return false;
    this.#unheard_ms += Math.min(passed_ms, this.#step_ms);
    this.#silent = this.#unheard_ms > this.#limit_ms;
    return this.#silent;
  }
}
