/**
 * Imitates a slower network, for the demo and for tests: delays outgoing datagrams and drops some of them.
 *
 * Drops are seeded, so that a demonstration can be repeated. Only sending is affected: if two peers both add `latency_ms`,
 * their round trip grows by twice that.
 */

import type { NetworkConditions } from '../protocol/messages';

type Conditions = Omit<NetworkConditions, 'kind'>;

export class TrafficShaper {
  #conditions: Conditions = { latency_ms: 0, loss: 0 };
  readonly #random: () => number;
  readonly #later: (deliver: () => void, delay_ms: number) => void;

  /** @param later Calls a function after a delay; tests supply their own. */
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

  /** Pass a datagram on: now, later, or never. */
  pass(deliver: () => void): void {
    const { latency_ms, loss } = this.#conditions;
    if (loss > 0 && this.#random() < loss) return;
    if (latency_ms > 0) this.#later(deliver, latency_ms);
    else deliver();
  }
}

/** Return a generator of uniform numbers in [0, 1). Source: Tommy Ettinger's Mulberry32, public domain. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
