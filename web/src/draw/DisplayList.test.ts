import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DrawMessage } from '../protocol/messages';
import { DisplayListDecoder } from './DisplayList';

function message(ops: number[], strings: string[] = []): DrawMessage {
  return {
    kind: 'draw',
    game_id: 'game1234',
    ops: Float32Array.from(ops),
    strings,
    width: 600,
    height: 400,
    corrected: false,
    frame: 7,
    now: 0,
  };
}

describe('DisplayListDecoder', () => {
  it('decodes every operation', () => {
    const strings = ['black', 'pad', 'blue', 'ball', 'white', 'red', '3 : 1', 'hit'];
    const ops = [
      [0, -1, 0],
      [1, 1, 20, 150, 12, 80, 4, 2],
      [2, 3, 300, 200, 10, 4],
      [3, -1, 0, 0, 600, 400, 2, 5],
      [4, -1, 3, 5, 1, 2, 3, 4, 5, 6],
      [5, -1, 300, 40, 28, 1, 1, 4, 6],
      [6, -1, 0, 0, 64, 32],
      [7, -1, 7],
    ].flat();
    const picture = new DisplayListDecoder().decode(message(ops, strings));
    expect(picture.items).toEqual([
      { kind: 'clear', key: null, place: [], color: 'black' },
      { kind: 'rect', key: '1:1', place: [20, 150, 12, 80, 4], color: 'blue' },
      { kind: 'circle', key: '2:3', place: [300, 200, 10], color: 'white' },
      { kind: 'line', key: null, place: [0, 0, 600, 400, 2], color: 'red' },
      { kind: 'polygon', key: null, place: [1, 2, 3, 4, 5, 6], color: 'red' },
      {
        kind: 'text',
        key: null,
        place: [300, 40, 28],
        color: 'white',
        text: '3 : 1',
        align: 'center',
        bold: true,
      },
      { kind: 'image', key: null, place: [0, 0, 64, 32] },
    ]);
    expect(picture.sounds).toEqual(['hit']);
  });

  it('remembers the strings of earlier lists', () => {
    const decoder = new DisplayListDecoder();
    decoder.decode(message([0, -1, 0], ['black']));
    const { items } = decoder.decode(message([0, -1, 0, 2, 1, 5, 5, 1, 2], ['ball', 'white']));
    expect(items).toMatchObject([{ color: 'black' }, { color: 'white', key: '2:1' }]);
  });

  it('gives several items of one id different keys', () => {
    const { items } = new DisplayListDecoder().decode(
      message([2, 0, 1, 1, 1, 1, 2, 0, 2, 2, 2, 1], ['eye', 'black']),
    );
    expect(new Set(items.map((item) => item.key)).size).toBe(2);
  });

  it('rejects an unknown operation', () => {
    expect(() => new DisplayListDecoder().decode(message([99, -1]))).toThrow(RangeError);
  });

  it('rejects a polygon with a negative number of corners', () => {
    expect(() => new DisplayListDecoder().decode(message([4, -1, -2, 0]))).toThrow(RangeError);
  });

  it('terminates on any numbers', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.integer({ min: -2, max: 9 }), fc.float())), (ops) => {
        try {
          new DisplayListDecoder().decode(message(ops));
        } catch (cause) {
          expect(cause).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
