/** Images that a study draws with `canvas.image`: RGB bytes made into something that a 2D context can paint. */

export interface RgbImage {
  /** Three bytes (red, green, blue) per pixel, row by row. */
  pixels: Uint8ClampedArray;
  rows: number;
  columns: number;
}

/**
 * Write an image onto a canvas of its own, pixel by pixel; how large it is drawn plays no part.
 *
 * @param reused The canvas of the frame before, or null to make one.
 * @returns The canvas that holds the image; an image without pixels leaves `reused` as it is.
 */
export function writeImage(
  { pixels, rows, columns }: RgbImage,
  reused: HTMLCanvasElement | null,
): HTMLCanvasElement | null {
  if (columns * rows === 0) return reused;
  const canvas = reused ?? document.createElement('canvas');
  if (canvas.width !== columns || canvas.height !== rows) {
    canvas.width = columns;
    canvas.height = rows;
  }
  const data = new ImageData(columns, rows);
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    data.data[to] = pixels[from] ?? 0;
    data.data[to + 1] = pixels[from + 1] ?? 0;
    data.data[to + 2] = pixels[from + 2] ?? 0;
    data.data[to + 3] = 255;
  }
  canvas.getContext('2d')?.putImageData(data, 0, 0);
  return canvas;
}
