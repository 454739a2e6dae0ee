/**
 * Lets one person play both sides on one keyboard.
 *
 * W A S D move the left player, the arrows the right one; Space and Enter are their action keys. Keys are captured
 * wherever the focus is, also inside the two frames.
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

interface PlayerKeys {
  keys: Record<string, string>;
  pressed: string[];
  held: HeldKeys;
}

export class SharedKeyboard {
  readonly #players: readonly PlayerKeys[];
  readonly #panes: readonly ParticipantPane[];

  constructor(left: ParticipantPane, right: ParticipantPane) {
    this.#panes = [left, right];
    this.#players = [
      { keys: LEFT, pressed: [], held: new HeldKeys((held) => left.press(held)) },
      { keys: RIGHT, pressed: [], held: new HeldKeys((held) => right.press(held)) },
    ];
  }

  /** Capture the keys of a window before its own listeners. */
  listen(target: Window | null): void {
    target?.addEventListener('keydown', (event) => this.#key(event, true), { capture: true });
    target?.addEventListener('keyup', (event) => this.#key(event, false), { capture: true });
    // When the focus moves between the page and its frames, held keys must stay held.
    target?.addEventListener('blur', () => setTimeout(() => this.#releaseUnlessFocused()));
  }

  #key(event: KeyboardEvent, down: boolean): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.#panes.some((pane) => pane.playing) || isControl(event.target)) return;
    for (const player of this.#players) {
      const key = player.keys[event.code];
      if (key === undefined) continue;
      event.preventDefault();
      event.stopImmediatePropagation();
      if (event.repeat) return;
      player.pressed = player.pressed.filter((other) => other !== key);
      if (down) player.pressed.push(key);
      player.held.hold('keyboard', player.pressed);
    }
  }

  #releaseUnlessFocused(): void {
    if (document.hasFocus()) return;
    for (const player of this.#players) {
      player.pressed = [];
      player.held.hold('keyboard', []);
    }
  }
}

/**
 * Return true for sliders, buttons and links, which keep their keys.
 *
 * Not by `instanceof`: elements of the frames belong to other classes.
 */
function isControl(target: EventTarget | null): boolean {
  const name = (target as Element | null)?.tagName;
  return name === 'INPUT' || name === 'BUTTON' || name === 'A';
}
