/**
 * Candidates that came before the description they belong to.
 *
 * A candidate means nothing without the remote description of its own epoch and negotiation; after a restart it can even
 * precede the offer. Bounded in number and in age: a peer that sends endless candidates costs nothing.
 */

const MAX_CANDIDATES = 64;
const MAX_AGE_MS = 30_000;

interface Held {
  epoch: number;
  negotiation: number;
  candidate: RTCIceCandidateInit;
  arrived_ms: number;
}

export class CandidateBuffer {
  #held: Held[] = [];

  get size(): number {
    return this.#held.length;
  }

  /** Hold one candidate. @returns Whether there was room. */
  add(epoch: number, negotiation: number, candidate: RTCIceCandidateInit, now_ms: number): boolean {
    this.#dropOld(now_ms);
    if (this.#held.length >= MAX_CANDIDATES) return false;
    this.#held.push({ epoch, negotiation, candidate, arrived_ms: now_ms });
    return true;
  }

  /** Take the candidates of one negotiation, in the order they came; those of earlier ones are forgotten. */
  take(epoch: number, negotiation: number, now_ms: number): RTCIceCandidateInit[] {
    this.#dropOld(now_ms);
    const matches = (held: Held): boolean => held.epoch === epoch && held.negotiation === negotiation;
    const later = (held: Held): boolean =>
      held.epoch > epoch || (held.epoch === epoch && held.negotiation > negotiation);
    const taken = this.#held.filter(matches).map((held) => held.candidate);
    this.#held = this.#held.filter(later);
    return taken;
  }

  clear(): void {
    this.#held = [];
  }

  #dropOld(now_ms: number): void {
    this.#held = this.#held.filter((held) => now_ms - held.arrived_ms <= MAX_AGE_MS);
  }
}
