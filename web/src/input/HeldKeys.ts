/**
 * The keys that are held now, whatever holds them: keyboard, gamepad, touch or a script.
 *
 * Names are those of `KeyboardEvent.key`. Keys are in the order of their presses, which decides between keys that exclude
 * each other. A key that two sources hold counts once, from its first press.
 */

export type KeySource = 'keyboard' | 'gamepad' | 'touch' | 'script';

export class HeldKeys {
  readonly #changed: (held: string[]) => void;
  readonly #sources = new Map<KeySource, readonly string[]>();
  #held: string[] = [];

  /** @param changed Called with all held keys after each change. */
  constructor(changed: (held: string[]) => void) {
    this.#changed = changed;
  }

  get held(): readonly string[] {
    return this.#held;
  }

  /** Set which keys a source holds, in the order of their presses. */
  hold(source: KeySource, keys: readonly string[]): void {
    this.#sources.set(source, [...new Set(keys)]);
    const all = new Set([...this.#sources.values()].flat());
    const kept = this.#held.filter((key) => all.has(key));
    const fresh = [...all].filter((key) => !kept.includes(key));
    const held = [...kept, ...fresh];
    if (held.length === this.#held.length && held.every((key, index) => key === this.#held[index])) return;
    this.#held = held;
    this.#changed([...held]);
  }

  releaseAll(): void {
    for (const source of [...this.#sources.keys()]) this.#sources.set(source, []);
    this.hold('keyboard', []);
  }
}
