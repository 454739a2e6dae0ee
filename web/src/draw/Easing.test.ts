import { describe, expect, it } from 'vitest';
import type { Item, Picture } from './DisplayList';
import { Easing } from './Easing';

const ball = (x: number, key: string | null = 'ball'): Item => ({
  kind: 'circle',
  key,
  place: [x, 100, 5],
  color: 'white',
});

function picture(item: Item, corrected = false): Picture {
  return { items: [item], sounds: [], width: 600, height: 400, corrected, frame: 0, image: null };
}

/** Let a ball move by 10 units in each frame of 50 ms. */
function moving(easing: Easing, frames = 3): void {
  for (let frame = 0; frame < frames; frame++) easing.accept(picture(ball(10 * frame)), 50 * frame);
}

describe('Easing', () => {
  it('shows an item between its places in the last two frames, and no further', () => {
    const easing = new Easing(20);
    moving(easing);
    const last = ball(20);
    const shown = [100, 125, 150, 400].map((now_ms) => easing.place(last, now_ms)[0]);
    expect(shown).toEqual([10, 15, 20, 20]);
  });

  it('shows items without an id at their true places', () => {
    const easing = new Easing(20);
    easing.accept(picture(ball(0, null)), 0);
    easing.accept(picture(ball(10, null)), 50);
    expect(easing.place(ball(10, null), 50)[0]).toBe(10);
  });

  it('shows a new item at its true place immediately', () => {
    const easing = new Easing(20);
    easing.accept(picture(ball(77)), 0);
    expect(easing.place(ball(77), 0)[0]).toBe(77);
  });

  it('does not drag an item across the view that jumped', () => {
    const easing = new Easing(20);
    easing.accept(picture(ball(10)), 0);
    easing.accept(picture(ball(500)), 50);
    expect(easing.place(ball(500), 50)[0]).toBe(500);
  });

  it('does not jump at the moment of a correction', () => {
    const easing = new Easing(20);
    moving(easing);
    const before = easing.place(ball(20), 150)[0];
    easing.accept(picture(ball(60), true), 150);
    expect(easing.place(ball(60), 150)[0]).toBeCloseTo(before ?? Number.NaN, 6);
  });

  it('keeps five percent of a corrected jump after 100 ms, and later nothing', () => {
    const easing = new Easing(20);
    moving(easing);
    // By its velocity it would have come to 30: the jump is 30.
    easing.accept(picture(ball(60), true), 150);
    expect(easing.place(ball(60), 250)[0]).toBeCloseTo(60 - 30 * Math.exp(-3), 6);
    expect(easing.place(ball(60), 650)[0]).toBe(60);
  });

  it('adds up corrections that follow each other without a jump', () => {
    const easing = new Easing(20);
    moving(easing);
    easing.accept(picture(ball(60), true), 150);
    const before = easing.place(ball(60), 200)[0];
    easing.accept(picture(ball(40), true), 200);
    expect(easing.place(ball(40), 200)[0]).toBeCloseTo(before ?? Number.NaN, 6);
  });

  it('does not change a movement that was corrected to what was expected', () => {
    const easing = new Easing(20);
    moving(easing);
    easing.accept(picture(ball(30), true), 150);
    expect(easing.place(ball(30), 175)[0]).toBeCloseTo(25, 6);
  });

  it('eases nothing for people who prefer reduced motion', () => {
    const easing = new Easing(20, true);
    moving(easing);
    easing.accept(picture(ball(60), true), 150);
    expect(easing.place(ball(60), 150)[0]).toBe(60);
  });
});
