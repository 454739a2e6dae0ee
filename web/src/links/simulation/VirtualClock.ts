/** Virtual time: actions that are due at given times, in order. */
export class VirtualClock {
  now_ms = 0;
  /** Sorted: the last one is due first. */
  readonly #due: { at_ms: number; act: () => void }[] = [];

  after(delay_ms: number, act: () => void): void {
    const at_ms = this.now_ms + Math.max(0, delay_ms);
    let index = this.#due.length;
    while (index > 0 && (this.#due[index - 1]?.at_ms ?? 0) <= at_ms) index -= 1;
    this.#due.splice(index, 0, { at_ms, act });
  }

  /** Run the next action and advance time to it. @returns False if none is due up to `end_ms`. */
  step(end_ms: number): boolean {
    const next = this.#due.at(-1);
    if (next === undefined || next.at_ms > end_ms) return false;
    this.#due.pop();
    this.now_ms = next.at_ms;
    next.act();
    return true;
  }
}

/**
 * Return a generator of numbers in [0, 1).
 *
 * Source: the linear congruence of Numerical Recipes; its high bits suffice here.
 */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
}
