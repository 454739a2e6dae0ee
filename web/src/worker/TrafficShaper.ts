/**
 * Makes a good network bad, on purpose: holds outgoing datagrams back and loses some of them.
 *
 * Seeded, so that a demonstration of a lossy link can be repeated. It stands in the sending direction only; two peers
 * that both add `latency_ms` see it twice in their round trip.
 */

export interface Conditions {
  /** Added to each datagram's way, one way. */
  latency_ms: number;
  /** The share that is lost, 0 to 1. */
  loss: number;
}

export class TrafficShaper {
  #conditions: Conditions = { latency_ms: 0, loss: 0 };
  readonly #random: () => number;
  readonly #later: (deliver: () => void, delay_ms: number) => void;

  /** @param later Runs a function after a delay; tests give their own clock. */
  constructor(
    seed: number,
    later: (deliver: () => void, delay_ms: number) => void = (deliver, delay_ms) => {
      setTimeout(deliver, delay_ms);
    },
  ) {
    this.#random = mulberry32(seed);
    this.#later = later;
  }

  setConditions(conditions: Conditions): void {
    this.#conditions = {
      latency_ms: Math.max(0, conditions.latency_ms),
      loss: Math.min(1, Math.max(0, conditions.loss)),
    };
  }

  /** Pass one datagram on: now, later, or never. */
  pass(deliver: () => void): void {
    const { latency_ms, loss } = this.#conditions;
    if (loss > 0 && this.#random() < loss) return;
    if (latency_ms > 0) this.#later(deliver, latency_ms);
    else deliver();
  }
}

/** A small generator of uniform numbers in [0, 1). Source: Tommy Ettinger's Mulberry32, public domain. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
