/**
 * Lets one person play both sides at once: W A S D move the left player, the arrows the right one; Space and Enter are
 * their action keys. Keys are caught wherever the focus is, also inside the two frames.
 */
import { HeldKeys } from '../input/HeldKeys';
import type { ParticipantPane } from './ParticipantPane';

const LEFT: Record<string, string> = {
  KeyW: 'ArrowUp',
  KeyA: 'ArrowLeft',
  KeyS: 'ArrowDown',
  KeyD: 'ArrowRight',
  Space: ' ',
};
const RIGHT: Record<string, string> = {
  ArrowUp: 'ArrowUp',
  ArrowLeft: 'ArrowLeft',
  ArrowDown: 'ArrowDown',
  ArrowRight: 'ArrowRight',
  Enter: ' ',
};

interface Hand {
  keys: Record<string, string>;
  pressed: string[];
  held: HeldKeys;
}

export class SharedKeyboard {
  readonly #hands: readonly Hand[];
  readonly #panes: readonly ParticipantPane[];

  constructor(left: ParticipantPane, right: ParticipantPane) {
    this.#panes = [left, right];
    this.#hands = [
      { keys: LEFT, pressed: [], held: new HeldKeys((held) => left.press(held)) },
      { keys: RIGHT, pressed: [], held: new HeldKeys((held) => right.press(held)) },
    ];
  }

  /** Catch the keys of a window before anything in it sees them. */
  listen(target: Window | null): void {
    target?.addEventListener('keydown', (event) => this.#key(event, true), { capture: true });
    target?.addEventListener('keyup', (event) => this.#key(event, false), { capture: true });
    // The focus moving between the page and its frames must not let go of the other hand's keys.
    target?.addEventListener('blur', () => setTimeout(() => this.#releaseUnlessFocused()));
  }

  #key(event: KeyboardEvent, down: boolean): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.#panes.some((pane) => pane.playing) || isControl(event.target)) return;
    for (const hand of this.#hands) {
      const key = hand.keys[event.code];
      if (key === undefined) continue;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (event.repeat) return;
      hand.pressed = hand.pressed.filter((other) => other !== key);
      if (down) hand.pressed.push(key);
      hand.held.hold('keyboard', hand.pressed);
    }
  }

  #releaseUnlessFocused(): void {
    if (document.hasFocus()) return;
    for (const hand of this.#hands) {
      hand.pressed = [];
      hand.held.hold('keyboard', []);
    }
  }
}

/** Sliders and buttons keep their keys. `instanceof` would miss those of the frames, which have classes of their own. */
function isControl(target: EventTarget | null): boolean {
  const name = (target as Element | null)?.tagName;
  return name === 'INPUT' || name === 'BUTTON' || name === 'A';
}
