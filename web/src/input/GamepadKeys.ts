/** Reads gamepads as keys: directions are the arrow keys, every face button is the space bar. */
import type { HeldKeys } from './HeldKeys';

/** How far a stick must be pushed to count, 0 to 1. */
const THRESHOLD = 0.5;

/** Buttons of the standard mapping. */
const DPAD: readonly (readonly [button: number, key: string])[] = [
  [12, 'ArrowUp'],
  [13, 'ArrowDown'],
  [14, 'ArrowLeft'],
  [15, 'ArrowRight'],
];
const FACE_BUTTONS = [0, 1, 2, 3];

export interface GamepadState {
  axes: readonly number[];
  buttons: readonly { pressed: boolean }[];
}

/** Return the keys that a gamepad holds. */
export function gamepadKeys({ axes, buttons }: GamepadState): string[] {
  const keys = new Set(DPAD.filter(([button]) => buttons[button]?.pressed).map(([, key]) => key));
  const [across = 0, along = 0] = axes;
  if (across < -THRESHOLD) keys.add('ArrowLeft');
  if (across > THRESHOLD) keys.add('ArrowRight');
  if (along < -THRESHOLD) keys.add('ArrowUp');
  if (along > THRESHOLD) keys.add('ArrowDown');
  if (FACE_BUTTONS.some((button) => buttons[button]?.pressed)) keys.add(' ');
  return [...keys];
}

/** Polls the gamepads at the screen's rate, because their buttons have no events. */
export class GamepadKeys {
  readonly #held_keys: HeldKeys;
  #animation = 0;

  constructor(held_keys: HeldKeys) {
    this.#held_keys = held_keys;
    addEventListener('gamepadconnected', this.#poll);
    this.#poll();
  }

  close(): void {
    removeEventListener('gamepadconnected', this.#poll);
    cancelAnimationFrame(this.#animation);
    this.#held_keys.hold('gamepad', []);
  }

  readonly #poll = (): void => {
    cancelAnimationFrame(this.#animation);
    const pads = (navigator.getGamepads?.() ?? []).filter((pad) => pad !== null);
    this.#held_keys.hold('gamepad', pads.flatMap(gamepadKeys));
    // Without a gamepad, polling begins with the next `gamepadconnected`.
    if (pads.length > 0) this.#animation = requestAnimationFrame(this.#poll);
  };
}
