import { describe, expect, it } from 'vitest';
import { HeldKeys } from './HeldKeys';

function table() {
  const told: string[][] = [];
  return { told, held: new HeldKeys((keys) => told.push(keys)) };
}

describe('HeldKeys', () => {
  it('tells the keys in the order of pressing', () => {
    const { told, held } = table();
    held.hold('keyboard', ['b']);
    held.hold('keyboard', ['b', 'a']);
    held.hold('keyboard', ['a']);
    held.hold('keyboard', ['a', 'b']);
    expect(told).toEqual([['b'], ['b', 'a'], ['a'], ['a', 'b']]);
  });

  it('says nothing when nothing changed', () => {
    const { told, held } = table();
    held.hold('keyboard', ['a']);
    held.hold('keyboard', ['a']);
    held.hold('touch', ['a']);
    expect(told).toEqual([['a']]);
  });

  it('keeps a key that another source still holds', () => {
    const { told, held } = table();
    held.hold('keyboard', ['a']);
    held.hold('gamepad', ['a', 'b']);
    held.hold('keyboard', []);
    expect(held.held).toEqual(['a', 'b']);
    held.releaseAll();
    expect(told.at(-1)).toEqual([]);
  });
});
