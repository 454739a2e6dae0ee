/**
 * Detects that a channel has fallen silent: nothing arrives over it any more.
 *
 * Peers that play send a datagram each frame, so this side's own sending serves as the clock. While this worker is busy or
 * asleep it could not have received anything, and that time hardly counts. Detection begins with the first datagram.
 */
import { TIMES } from '../links/life/times';

/** Gaps between our own datagrams count up to this long; more means that this worker paused. */
const LONGEST_STEP_MS = 100;

export class SilenceDetector {
  readonly #limit_ms: number;
  readonly #step_ms: number;
  #began = false;
  #silent = false;
  #silence_ms = 0;
  #sent_ms: number | null = null;

  /** @param fps How many datagrams per second are sent and expected. */
  constructor(fps: number) {
    this.#limit_ms = Math.max(TIMES.silent_ms, 4000 / fps);
    this.#step_ms = Math.max(LONGEST_STEP_MS, 1500 / fps);
  }

  /** A datagram arrived, over the channel (`direct`) or through the server. @returns True if a silence has ended. */
  received(direct: boolean): boolean {
    // A peer whose datagrams arrive through the server sends them over the channel as well.
    this.#began = true;
    if (!direct) return false;
    this.#silence_ms = 0;
    const ended = this.#silent;
    this.#silent = false;
    return ended;
  }

  /** This side sends a datagram. @returns True if a silence has begun. */
  sent(now_ms: number): boolean {
    const passed_ms = this.#sent_ms === null ? 0 : now_ms - this.#sent_ms;
    this.#sent_ms = now_ms;
    if (!this.#began || this.#silent) return false;
    this.#silence_ms += Math.min(passed_ms, this.#step_ms);
    this.#silent = this.#silence_ms > this.#limit_ms;
    return this.#silent;
  }
}
