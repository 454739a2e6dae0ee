/**
 * The canvas of a running game: takes display lists as they come and paints at the screen's own rate.
 *
 * The world is scaled to the canvas and centred, with its proportions kept, in the screen's real pixels.
 */
import type { Picture } from './DisplayList';
import { Easing } from './Easing';
import { paint } from './painting';

export class Stage {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #easing: Easing;
  readonly #playSound: (name: string) => void;
  readonly #shapeChanged: (aspect: number) => void;
  readonly #resizing: ResizeObserver;
  #picture: Picture | null = null;
  #image: HTMLCanvasElement | null = null;
  #animation = 0;

  /**
   * @param playSound Called once for each sound of each frame.
   * @param shapeChanged Told the world's width divided by its height.
   */
  constructor(
    canvas: HTMLCanvasElement,
    fps: number,
    playSound: (name: string) => void,
    shapeChanged: (aspect: number) => void,
  ) {
    const context = canvas.getContext('2d', { alpha: false }); // an opaque canvas is composed for less
    if (context === null) throw new Error('this browser has no 2D canvas');
    this.#canvas = canvas;
    this.#context = context;
    this.#easing = new Easing(fps, matchMedia('(prefers-reduced-motion: reduce)').matches);
    this.#playSound = playSound;
    this.#shapeChanged = shapeChanged;
    this.#resizing = new ResizeObserver(() => this.#fit());
    this.#resizing.observe(canvas);
    this.#fit();
    this.#animate();
  }

  accept(picture: Picture): void {
    this.#easing.accept(picture, performance.now());
    const shape_changed = this.#picture?.width !== picture.width || this.#picture.height !== picture.height;
    this.#picture = picture;
    if (picture.pixels !== null) this.#image = toImage(picture, this.#image);
    if (shape_changed) this.#shapeChanged(picture.width / picture.height);
    for (const name of picture.sounds) this.#playSound(name);
  }

  close(): void {
    cancelAnimationFrame(this.#animation);
    this.#resizing.disconnect();
  }

  #animate(): void {
    this.#animation = requestAnimationFrame(() => {
      this.#paint();
      this.#animate();
    });
  }

  #fit(): void {
    const ratio = window.devicePixelRatio || 1;
    const width = Math.max(1, Math.round(this.#canvas.clientWidth * ratio));
    const height = Math.max(1, Math.round(this.#canvas.clientHeight * ratio));
    if (this.#canvas.width === width && this.#canvas.height === height) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#paint();
  }

  #paint(): void {
    const picture = this.#picture;
    if (picture === null) return;
    const { width, height } = this.#canvas;
    const context = this.#context;
    const scale = Math.min(width / picture.width, height / picture.height);
    const left = (width - picture.width * scale) / 2;
    const top = (height - picture.height * scale) / 2;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(scale, 0, 0, scale, left, top);
    context.save();
    context.beginPath();
    context.rect(0, 0, picture.width, picture.height);
    context.clip();
    const now_ms = performance.now();
    for (const item of picture.items)
      paint(context, item, this.#easing.place(item, now_ms), picture, this.#image);
    context.restore();
  }
}

/** RGB bytes as something a context can draw. */
function toImage(picture: Picture, reused: HTMLCanvasElement | null): HTMLCanvasElement | null {
  const place = picture.items.find((item) => item.kind === 'image')?.place;
  const pixels = picture.pixels;
  if (place === undefined || pixels === null) return reused;
  const { columns, rows } = imageShape(pixels.length / 3, place[2] ?? 1, place[3] ?? 1);
  if (columns * rows === 0) return reused;
  const image = reused ?? document.createElement('canvas');
  if (image.width !== columns || image.height !== rows) {
    image.width = columns;
    image.height = rows;
  }
  const data = new ImageData(columns, rows);
  for (let from = 0, to = 0; from < pixels.length; from += 3, to += 4) {
    data.data[to] = pixels[from] ?? 0;
    data.data[to + 1] = pixels[from + 1] ?? 0;
    data.data[to + 2] = pixels[from + 2] ?? 0;
    data.data[to + 3] = 255;
  }
  image.getContext('2d')?.putImageData(data, 0, 0);
  return image;
}

/** The shape of an image of `count` pixels that is shown `width` by `height` world units large. */
export function imageShape(count: number, width: number, height: number): { columns: number; rows: number } {
  const wanted = Math.sqrt((count * width) / height);
  for (let distance = 0; distance <= wanted; distance++) {
    for (const columns of [Math.round(wanted) - distance, Math.round(wanted) + distance]) {
      if (columns > 0 && count % columns === 0) return { columns, rows: count / columns };
    }
  }
  return { columns: 0, rows: 0 };
}
