/** Gamepads as keys: directions are the arrows, every face button is the space bar. */
import type { HeldKeys } from './HeldKeys';

/** How far a stick must lean to count. */
const LEAN = 0.5;

/** Of the standard mapping. */
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

/** The keys that a gamepad holds. */
export function gamepadKeys({ axes, buttons }: GamepadState): string[] {
  const keys = new Set(DPAD.filter(([button]) => buttons[button]?.pressed).map(([, key]) => key));
  const [across = 0, along = 0] = axes;
  if (across < -LEAN) keys.add('ArrowLeft');
  if (across > LEAN) keys.add('ArrowRight');
  if (along < -LEAN) keys.add('ArrowUp');
  if (along > LEAN) keys.add('ArrowDown');
  if (FACE_BUTTONS.some((button) => buttons[button]?.pressed)) keys.add(' ');
  return [...keys];
}

/** Looks at the gamepads as often as the screen draws; they have no events for their buttons. */
export class GamepadKeys {
  readonly #held: HeldKeys;
  #animation = 0;

  constructor(held: HeldKeys) {
    this.#held = held;
    addEventListener('gamepadconnected', this.#watch);
    this.#watch();
  }

  close(): void {
    removeEventListener('gamepadconnected', this.#watch);
    cancelAnimationFrame(this.#animation);
    this.#held.hold('gamepad', []);
  }

  readonly #watch = (): void => {
    cancelAnimationFrame(this.#animation);
    const pads = (navigator.getGamepads?.() ?? []).filter((pad) => pad !== null);
    this.#held.hold('gamepad', pads.flatMap(gamepadKeys));
    // Without a gamepad there is nothing to look at until one is connected.
    if (pads.length > 0) this.#animation = requestAnimationFrame(this.#watch);
  };
}
