import { describe, expect, it } from 'vitest';
import { gamepadKeys } from './GamepadKeys';

const buttons = (...pressed: number[]) =>
  Array.from({ length: 17 }, (_, index) => ({ pressed: pressed.includes(index) }));

describe('gamepadKeys', () => {
  it('is empty at rest, also with a slightly tilted stick', () => {
    expect(gamepadKeys({ axes: [0.2, -0.3], buttons: buttons() })).toEqual([]);
  });

  it('reads the stick and the directional pad alike', () => {
    expect(gamepadKeys({ axes: [0.9, -0.8], buttons: buttons() })).toEqual(['ArrowRight', 'ArrowUp']);
    expect(gamepadKeys({ axes: [0, 0], buttons: buttons(12, 15) })).toEqual(['ArrowUp', 'ArrowRight']);
    expect(gamepadKeys({ axes: [1, 0], buttons: buttons(15) })).toEqual(['ArrowRight']);
  });

  it('reads every face button as the space bar', () => {
    for (const button of [0, 1, 2, 3])
      expect(gamepadKeys({ axes: [], buttons: buttons(button) })).toEqual([' ']);
  });
});
