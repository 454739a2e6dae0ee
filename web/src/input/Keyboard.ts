/** Listens to the keyboard while a game is played. */
import type { HeldKeys } from './HeldKeys';

type KeyTarget = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;

export class Keyboard {
  readonly #target: KeyTarget;
  readonly #held: HeldKeys;
  readonly #taken: ReadonlySet<string>;
  /** By physical key: the name at its press, as Shift may change the name before the release. */
  readonly #pressed = new Map<string, string>();

  /**
   * @param taken The game's keys: the browser shall not scroll or search with them meanwhile.
   */
  constructor(target: KeyTarget, held: HeldKeys, taken: Iterable<string>) {
    this.#target = target;
    this.#held = held;
    this.#taken = new Set(taken);
    target.addEventListener('keydown', this.#down);
    target.addEventListener('keyup', this.#up);
    target.addEventListener('blur', this.#blur);
  }

  close(): void {
    this.#target.removeEventListener('keydown', this.#down);
    this.#target.removeEventListener('keyup', this.#up);
    this.#target.removeEventListener('blur', this.#blur);
    this.#release();
  }

  readonly #down = (event: Event): void => {
    const { key, code, repeat, ctrlKey, metaKey, altKey } = event as KeyboardEvent;
    // A shortcut of the browser stays one.
    if (ctrlKey || metaKey || altKey) return;
    if (this.#taken.has(key)) event.preventDefault();
    if (repeat) return;
    this.#pressed.set(code || key, key);
    this.#tell();
  };

  readonly #up = (event: Event): void => {
    const { key, code } = event as KeyboardEvent;
    if (this.#pressed.delete(code || key)) this.#tell();
  };

  // The release of a key that is let go elsewhere is never heard.
  readonly #blur = (): void => this.#release();

  #release(): void {
    this.#pressed.clear();
    this.#tell();
  }

  #tell(): void {
    this.#held.hold('keyboard', [...this.#pressed.values()]);
  }
}
