/** A canvas that shows one picture, scaled to its width. */

import { element } from '../dom';
import { paint } from '../draw/paintItem';
import type { LoadedPicture } from './PictureLoader';

export class StillCanvas {
  readonly root: HTMLElement;
  readonly #canvas = element('canvas');
  readonly #note = element('span', { class: 'screen-note' });
  #shown: LoadedPicture | null = null;

  constructor(title: string) {
    this.root = element('figure', { class: 'screen' }, [
      element('figcaption', {}, [element('strong', { text: title }), this.#note]),
      this.#canvas,
    ]);
    new ResizeObserver(() => this.#paint()).observe(this.#canvas);
  }

  show(shown: LoadedPicture | null, note: string, marked: boolean): void {
    this.#shown = shown;
    this.#note.textContent = note;
    this.root.classList.toggle('marked', marked);
    this.#paint();
  }

  #paint(): void {
    const shown = this.#shown;
    const context = this.#canvas.getContext('2d');
    if (shown === null || context === null) return;
    const { picture, image } = shown;
    this.#canvas.style.aspectRatio = `${picture.width} / ${picture.height}`;
    const width = Math.max(1, Math.round(this.#canvas.clientWidth * devicePixelRatio));
    const height = Math.max(1, Math.round((width * picture.height) / picture.width));
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    const scale = width / picture.width;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    for (const item of picture.items) paint(context, item, item.place, picture, image);
  }
}
