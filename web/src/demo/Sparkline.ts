/** A line chart of the last values, scaled to the highest of them. */
import { element } from '../dom';

const MAX_VALUES = 150;
const WIDTH = 240;
const HEIGHT = 28;

export class Sparkline {
  readonly root: HTMLElement;
  readonly #line = document.createElementNS('http://www.w3.org/2000/svg', 'polyline');
  readonly #most = element('span', { class: 'spark-most' });
  readonly #values: number[] = [];

  constructor(name: string) {
    const picture = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    picture.setAttribute('viewBox', `0 -1 ${WIDTH} ${HEIGHT + 2}`);
    picture.setAttribute('preserveAspectRatio', 'none');
    picture.setAttribute('aria-hidden', 'true');
    picture.append(this.#line);
    this.root = element('figure', { class: 'sparkline' }, [
      element('figcaption', { text: name }),
      element('div', {}, [picture, this.#most]),
    ]);
  }

  push(value: number): void {
    this.#values.push(value);
    if (this.#values.length > MAX_VALUES) this.#values.shift();
    const most = Math.max(...this.#values);
    this.#line.setAttribute('points', points(this.#values, most));
    this.#most.textContent = most > 0 ? String(Math.round(most)) : '';
  }
}

function points(values: readonly number[], most: number): string {
  const step = WIDTH / (MAX_VALUES - 1);
  const from = WIDTH - step * (values.length - 1);
  return values
    .map((value, index) => {
      const y = HEIGHT - (most > 0 ? value / most : 0) * HEIGHT;
      return `${(from + index * step).toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}
