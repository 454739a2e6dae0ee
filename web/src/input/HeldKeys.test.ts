import { describe, expect, it } from 'vitest';
import { HeldKeys } from './HeldKeys';

function setUp() {
  const reported: string[][] = [];
  return { reported, held: new HeldKeys((keys) => reported.push(keys)) };
}

describe('HeldKeys', () => {
  it('reports the keys in the order of their presses', () => {
    const { reported, held } = setUp();
    held.hold('keyboard', ['b']);
    held.hold('keyboard', ['b', 'a']);
    held.hold('keyboard', ['a']);
    held.hold('keyboard', ['a', 'b']);
    expect(reported).toEqual([['b'], ['b', 'a'], ['a'], ['a', 'b']]);
  });

  it('reports nothing when nothing changed', () => {
    const { reported, held } = setUp();
    held.hold('keyboard', ['a']);
    held.hold('keyboard', ['a']);
    held.hold('touch', ['a']);
    expect(reported).toEqual([['a']]);
  });

  it('keeps a key that another source still holds', () => {
    const { reported, held } = setUp();
    held.hold('keyboard', ['a']);
    held.hold('gamepad', ['a', 'b']);
    held.hold('keyboard', []);
    expect(held.held).toEqual(['a', 'b']);
    held.releaseAll();
    expect(reported.at(-1)).toEqual([]);
  });
});
