import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { DrawMessage } from '../protocol/messages';
import { CanvasRenderer } from './CanvasRenderer';
import { DisplayListDecoder } from './DisplayList';

/** The images that were written on a canvas: their shape, and the red value of each pixel. */
let written: { width: number; height: number; reds: number[] }[] = [];

class FakeImageData {
  readonly data: Uint8ClampedArray;

  constructor(
    readonly width: number,
    readonly height: number,
  ) {
    this.data = new Uint8ClampedArray(4 * width * height);
  }
}

function fakeCanvas(): HTMLCanvasElement {
  const context = {
    clearRect: () => undefined,
    setTransform: () => undefined,
    putImageData: ({ width, height, data }: FakeImageData) =>
      written.push({ width, height, reds: [...data].filter((_, index) => index % 4 === 0) }),
  };
  return { getContext: () => context, clientWidth: 1, clientHeight: 1 } as unknown as HTMLCanvasElement;
}

beforeEach(() => {
  written = [];
  vi.stubGlobal('ImageData', FakeImageData);
  vi.stubGlobal('document', { createElement: fakeCanvas });
  vi.stubGlobal('window', { devicePixelRatio: 1 });
  vi.stubGlobal('matchMedia', () => ({ matches: false }));
  vi.stubGlobal('requestAnimationFrame', () => 0);
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe(): void {}
    },
  );
});

afterEach(() => vi.unstubAllGlobals());

/** One picture of `rows` by `columns` pixels, drawn `width` by `height` world units large. */
function draw(rows: number, columns: number, width: number, height: number): void {
  const message: DrawMessage = {
    kind: 'draw',
    game_id: 'game1234',
    ops: Float32Array.from([6, -1, 0, 0, width, height]),
    strings: [],
    pixels: Uint8ClampedArray.from({ length: 3 * rows * columns }, (_, index) => index / 3),
    pixels_shape: [rows, columns],
    width: 100,
    height: 100,
    corrected: false,
    frame: 0,
    now: 0,
  };
  const renderer = new CanvasRenderer(
    fakeCanvas(),
    30,
    () => undefined,
    () => undefined,
  );
  renderer.accept(new DisplayListDecoder().decode(message));
}

it.each([
  ['in its own proportions', 2, 8, 80, 20],
  ['in other proportions than its own', 2, 8, 50, 50],
  ['upright though it is wide', 2, 8, 10, 90],
  ['with sides that have no common factor', 5, 7, 7, 90],
])('shows an image pixel by pixel when it is drawn %s', (_, rows, columns, width, height) => {
  draw(rows, columns, width, height);
  expect(written).toEqual([
    { width: columns, height: rows, reds: Array.from({ length: rows * columns }, (_, index) => index) },
  ]);
});
