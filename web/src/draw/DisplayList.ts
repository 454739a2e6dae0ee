/**
 * Decodes display lists: what the simulation drew in a frame, encoded as numbers.
 *
 * A list is one array of floats, operation after operation: `[code, id, ...fields]`. Strings (ids, colours, texts) are
 * indices into a table that only grows; each list comes with the strings that it uses for the first time.
 *
 * | Code | Operation | Fields after code and id |
 * |---|---|---|
 * | 0 | clear   | color |
 * | 1 | rect    | x, y, w, h, radius, color |
 * | 2 | circle  | x, y, r, color |
 * | 3 | line    | x1, y1, x2, y2, width, color |
 * | 4 | polygon | n, color, x1, y1, … xn, yn |
 * | 5 | text    | x, y, size, align (0 left, 1 center, 2 right), bold, color, string |
 * | 6 | image   | x, y, w, h |
 * | 7 | sound   | string |
 */
import type { DrawMessage } from '../protocol/messages';
import type { RgbImage } from './rgbImage';

/** A thing to paint. `place` holds all its coordinates and sizes, so that easing need not know what it is. */
export type Item =
  | { kind: 'clear'; key: null; place: number[]; color: string }
  | { kind: 'rect' | 'circle' | 'line' | 'polygon'; key: string | null; place: number[]; color: string }
  | {
      kind: 'text';
      key: string | null;
      place: number[];
      color: string;
      text: string;
      align: CanvasTextAlign;
      bold: boolean;
    }
  | { kind: 'image'; key: null; place: number[] };

/** A frame as the simulation drew it, still encoded. */
export type DisplayList = Omit<DrawMessage, 'kind' | 'game_id' | 'now'>;

/** A frame as it is painted. */
export interface Picture {
  items: Item[];
  sounds: string[];
  width: number;
  height: number;
  corrected: boolean;
  frame: number;
  /** What the `image` operation paints; null if the frame has none. */
  image: RgbImage | null;
}

const CLEAR = 0;
const RECT = 1;
const CIRCLE = 2;
const LINE = 3;
const POLYGON = 4;
const TEXT = 5;
const IMAGE = 6;
const SOUND = 7;

const ALIGN: readonly CanvasTextAlign[] = ['left', 'center', 'right'];

/** Decodes the lists of one canvas. They must come in order, as each may use the strings of all before it. */
export class DisplayListDecoder {
  readonly #strings: string[] = [];

  decode(message: DisplayList): Picture {
    for (const string of message.strings) this.#strings.push(string);
    const { items, sounds } = this.#items(message.ops);
    return {
      items,
      sounds,
      width: message.width,
      height: message.height,
      corrected: message.corrected,
      frame: message.frame,
      image: imageOf(message),
    };
  }

  #items(ops: Float32Array): { items: Item[]; sounds: string[] } {
    const items: Item[] = [];
    const sounds: string[] = [];
    const used = new Set<string>();
    let at = 0;
    const next = (): number => ops[at++] ?? 0;
    const fields = (count: number): number[] => {
      if (!(count >= 0 && at + count <= ops.length))
        throw new RangeError(`an operation of ${count} fields at ${at} does not fit into its display list`);
      at += count;
      return Array.from(ops.subarray(at - count, at));
    };
    while (at < ops.length) {
      const code = next();
      const key = this.#key(code, next(), used);
      switch (code) {
        case CLEAR:
          items.push({ kind: 'clear', key: null, place: [], color: this.#string(next()) });
          break;
        case RECT:
          items.push({ kind: 'rect', key, place: fields(5), color: this.#string(next()) });
          break;
        case CIRCLE:
          items.push({ kind: 'circle', key, place: fields(3), color: this.#string(next()) });
          break;
        case LINE:
          items.push({ kind: 'line', key, place: fields(5), color: this.#string(next()) });
          break;
        case POLYGON: {
          const count = next();
          const color = this.#string(next());
          items.push({ kind: 'polygon', key, place: fields(2 * count), color });
          break;
        }
        case TEXT: {
          const place = fields(3);
          const align = ALIGN[next()] ?? 'left';
          const bold = next() === 1;
          const color = this.#string(next());
          items.push({ kind: 'text', key, place, color, align, bold, text: this.#string(next()) });
          break;
        }
        case IMAGE:
          items.push({ kind: 'image', key: null, place: fields(4) });
          break;
        case SOUND:
          sounds.push(this.#string(next()));
          break;
        default:
          throw new RangeError(`a display list has the unknown operation ${code} at ${at - 2}`);
      }
    }
    return { items, sounds };
  }

  /**
   * Return the key by which an item is recognised in the next list.
   *
   * It is made of the kind and the id, and of a suffix if several items share both.
   */
  #key(code: number, id: number, used: Set<string>): string | null {
    if (id < 0) return null;
    let key = `${code}:${id}`;
    while (used.has(key)) key += '+';
    used.add(key);
    return key;
  }

  #string(index: number): string {
    return this.#strings[index] ?? '';
  }
}

function imageOf({ pixels, pixels_shape }: DisplayList): RgbImage | null {
  if (pixels === undefined || pixels_shape === undefined) return null;
  const [rows, columns] = pixels_shape;
  return { pixels, rows, columns };
}
