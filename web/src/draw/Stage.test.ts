import { describe, expect, it } from 'vitest';
import { imageShape } from './Stage';

describe('imageShape', () => {
  it.each([
    [600 * 400, 600, 400, 600, 400],
    [64 * 32, 200, 100, 64, 32],
    [7 * 5, 70, 50, 7, 5],
    [0, 10, 10, 0, 0],
  ])('of %i pixels shown %i by %i', (count, width, height, columns, rows) => {
    expect(imageShape(count, width, height)).toEqual({ columns, rows });
  });
});
