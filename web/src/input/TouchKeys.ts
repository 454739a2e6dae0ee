/** Keys on the screen for touch: arrows, and the space bar if the game uses it. Shown for coarse pointers only. */
import { element } from '../dom';
import type { HeldKeys } from './HeldKeys';

const LABELS: Record<string, readonly [sign: string, name: string]> = {
  ArrowUp: ['▲', 'Up'],
  ArrowLeft: ['◀', 'Left'],
  ArrowRight: ['▶', 'Right'],
  ArrowDown: ['▼', 'Down'],
  ' ': ['●', 'Action'],
};

export class TouchKeys {
  readonly root: HTMLElement;
  readonly #held_keys: HeldKeys;
  /** Pointer id to the key under that finger, which may slide from key to key. */
  readonly #fingers = new Map<number, string>();

  /** @param keys The game's keys; those that the pad does not have are left out. */
  constructor(keys: readonly string[], held_keys: HeldKeys) {
    this.#held_keys = held_keys;
    const buttons = Object.entries(LABELS)
      .filter(([key]) => keys.includes(key))
      .map(([key, [sign, name]]) =>
        element('button', {
          class: `touch-key touch-${name.toLowerCase()}`,
          type: 'button',
          tabindex: '-1',
          'aria-label': name,
          'data-key': key,
          text: sign,
        }),
      );
    this.root = element('div', { class: 'touch-keys', 'aria-hidden': 'true' }, buttons);
    this.root.addEventListener('pointerdown', this.#moved);
    this.root.addEventListener('pointermove', this.#moved);
    for (const name of ['pointerup', 'pointercancel'] as const)
      this.root.addEventListener(name, this.#lifted);
    this.root.addEventListener('contextmenu', (event) => event.preventDefault());
  }

  close(): void {
    this.#fingers.clear();
    this.#held_keys.hold('touch', []);
    this.root.remove();
  }

  readonly #moved = (event: PointerEvent): void => {
    if (event.type === 'pointermove' && !this.#fingers.has(event.pointerId)) return;
    event.preventDefault();
    const under = document.elementFromPoint(event.clientX, event.clientY);
    this.#fingers.set(event.pointerId, under?.closest<HTMLElement>('[data-key]')?.dataset.key ?? '');
    this.#update();
  };

  readonly #lifted = (event: PointerEvent): void => {
    this.#fingers.delete(event.pointerId);
    this.#update();
  };

  #update(): void {
    this.#held_keys.hold(
      'touch',
      [...this.#fingers.values()].filter((key) => key !== ''),
    );
  }
}
