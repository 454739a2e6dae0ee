/**
 * Wakes the simulation at its deadlines, and immediately when a datagram arrives that should not wait.
 *
 * Browsers delay short timers to about four milliseconds, so a deadline that is already due goes through a message channel.
 */
import type { Arrival } from './bootPython';

export interface TickTarget {
  /** @returns When to call again at the latest, in seconds. */
  tick(now_s: number, arrived: Arrival[]): number;
  /** Whether arriving datagrams should be handled before the next deadline. */
  eager(): boolean;
}

/** The loop's source of time and timers; tests supply their own. */
export interface Clock {
  now_s(): number;
  setTimer(wake: () => void, delay_ms: number): unknown;
  clearTimer(timer: unknown): void;
  /** Call `wake` soon, after the events that are already queued. */
  soon(wake: () => void): void;
}

/** The loop ticks at least this often, so that a wrong deadline cannot stop a game. */
const LONGEST_SLEEP_S = 1;

export class TickLoop {
  readonly #target: TickTarget;
  readonly #takeInbox: () => Arrival[];
  readonly #clock: Clock;
  readonly #failed: (cause: unknown) => void;
  #timer: unknown = null;
  #soon = false;
  #running = false;

  constructor(
    target: TickTarget,
    takeInbox: () => Arrival[],
    clock: Clock,
    failed: (cause: unknown) => void,
  ) {
    this.#target = target;
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
    if (this.#running && !this.#soon && this.#target.eager()) this.#wakeSoon();
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
      deadline = this.#target.tick(this.#clock.now_s(), this.#takeInbox());
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

/** Return the real clock: `performance.now()`, timers, and a message channel. */
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
