/**
 * Wakes the simulation at its deadlines, and at once for datagrams that want an answer.
 *
 * Timers are coarse below about four milliseconds, so a deadline that is due already goes through a message channel.
 */
import type { Arrival } from './bootPython';

export interface TickTarget {
  /** @returns When to call again at the latest, in seconds. */
  tick(now_s: number, arrived: Arrival[]): number;
  /** Whether arriving datagrams should be handled before the next deadline. */
  eager(): boolean;
}

/** Where the loop's time and its sleeping come from; tests give their own. */
export interface Clock {
  now_s(): number;
  setTimer(wake: () => void, delay_ms: number): unknown;
  clearTimer(timer: unknown): void;
  /** Run soon, after whatever else is queued. */
  soon(wake: () => void): void;
}

/** A tick that is not needed anyway comes at least this often, so that a wrong deadline cannot stop a game. */
const LONGEST_SLEEP_S = 1;

export class TickLoop {
  readonly #subject: TickTarget;
  readonly #takeInbox: () => Arrival[];
  readonly #clock: Clock;
  readonly #failed: (cause: unknown) => void;
  #timer: unknown = null;
  #soon = false;
  #running = false;

  constructor(
    subject: TickTarget,
    takeInbox: () => Arrival[],
    clock: Clock,
    failed: (cause: unknown) => void,
  ) {
    this.#subject = subject;
    this.#takeInbox = takeInbox;
    this.#clock = clock;
    this.#failed = failed;
  }

  start(): void {
    this.#running = true;
    this.#wakeSoon();
  }

  stop(): void {
    this.#running = false;
    this.#clearTimer();
  }

  /** A datagram arrived. */
  arrived(): void {
    if (this.#running && !this.#soon && this.#subject.eager()) this.#wakeSoon();
  }

  #wakeSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    this.#clearTimer();
    this.#clock.soon(() => {
      this.#soon = false;
      this.#tick();
    });
  }

  #tick(): void {
    if (!this.#running) return;
    this.#clearTimer();
    let deadline: number;
    try {
      deadline = this.#subject.tick(this.#clock.now_s(), this.#takeInbox());
    } catch (cause) {
      this.stop();
      this.#failed(cause);
      return;
    }
    const wait_s = Math.min(LONGEST_SLEEP_S, deadline - this.#clock.now_s());
    if (wait_s <= 0) this.#wakeSoon();
    else this.#timer = this.#clock.setTimer(() => this.#tick(), wait_s * 1000);
  }

  #clearTimer(): void {
    if (this.#timer !== null) this.#clock.clearTimer(this.#timer);
    this.#timer = null;
  }
}

/** The clock of the process: `performance.now()`, timers, and a message channel. */
export function systemClock(): Clock {
  const { port1, port2 } = new MessageChannel();
  let waiting: (() => void)[] = [];
  port1.onmessage = () => {
    const due = waiting;
    waiting = [];
    for (const wake of due) wake();
  };
  return {
    now_s: () => performance.now() / 1000,
    setTimer: (wake, delay_ms) => setTimeout(wake, delay_ms),
    clearTimer: (timer) => clearTimeout(timer as number),
    soon: (wake) => {
      waiting.push(wake);
      port2.postMessage(null);
    },
  };
}
