/** Reads the keyboard while a game is played. */
import type { HeldKeys } from './HeldKeys';

type KeyTarget = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;

export class Keyboard {
  readonly #target: KeyTarget;
  readonly #held_keys: HeldKeys;
  readonly #captured: ReadonlySet<string>;
  /** Physical key to its name when it was pressed, as Shift may change the name before the release. */
  readonly #pressed = new Map<string, string>();

  /** @param captured The game's keys, with which the browser must not scroll or search meanwhile. */
  constructor(target: KeyTarget, held_keys: HeldKeys, captured: Iterable<string>) {
    this.#target = target;
    this.#held_keys = held_keys;
    this.#captured = new Set(captured);
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
    // Leave the browser's shortcuts alone.
    if (ctrlKey || metaKey || altKey) return;
    if (this.#captured.has(key)) event.preventDefault();
    if (repeat) return;
    this.#pressed.set(code || key, key);
    this.#update();
  };

  readonly #up = (event: Event): void => {
    const { key, code } = event as KeyboardEvent;
    if (this.#pressed.delete(code || key)) this.#update();
  };

  // The release of a key is not reported to a window without focus.
  readonly #blur = (): void => this.#release();

  #release(): void {
    this.#pressed.clear();
    this.#update();
  }

  #update(): void {
    this.#held_keys.hold('keyboard', [...this.#pressed.values()]);
  }
}
