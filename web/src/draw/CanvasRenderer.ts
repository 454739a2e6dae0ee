/**
 * Paints a running game on a canvas: pictures come at the game's rate, and are painted at the screen's own rate.
 *
 * The world is scaled to the canvas and centred. It keeps its proportions, and is painted in the screen's physical pixels.
 */
import type { Picture } from './DisplayList';
import { Easing } from './Easing';
import { paint } from './paintItem';
import { writeImage } from './rgbImage';

export class CanvasRenderer {
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
   * @param shapeChanged Called with the world's width divided by its height when that changes.
   */
  constructor(
    canvas: HTMLCanvasElement,
    fps: number,
    playSound: (name: string) => void,
    shapeChanged: (aspect: number) => void,
  ) {
    const context = canvas.getContext('2d', { alpha: false }); // opaque canvases are cheaper to compose
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

  /** Show a new frame from now on. */
  accept(picture: Picture): void {
    this.#easing.accept(picture, performance.now());
    const shape_changed = this.#picture?.width !== picture.width || this.#picture.height !== picture.height;
    this.#picture = picture;
    if (picture.image !== null) this.#image = writeImage(picture.image, this.#image);
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
