/** Loads a recorded game's pictures: fetches them in portions, keeps the last few portions, and decodes pictures. */
import { DisplayListDecoder, type Picture } from '../draw/DisplayList';
import type { PicturePortion, RecordedGame, StoredPicture } from './recordedGame';

/** How many portions are kept. */
const MAX_PORTIONS = 6;

/** A picture that can be painted. */
export interface LoadedPicture {
  picture: Picture;
  image: HTMLImageElement | null;
}

/** What a player's screen showed before a frame, and what it should have shown. */
export interface ScreenPair {
  /** As the screen showed it at first. */
  first: LoadedPicture;
  /** By the confirmed inputs. */
  truth: LoadedPicture;
  /** Whether a wrong guess made the two differ. */
  differs: boolean;
}

export class PictureLoader {
  readonly #game: RecordedGame;
  readonly #portions = new Map<number, Promise<PicturePortion>>();

  constructor(game: RecordedGame) {
    this.#game = game;
  }

  /** Return a player's screen before a frame; null if it was not drawn. */
  async at(player: number, frame: number): Promise<ScreenPair | null> {
    const portion = await this.#portion(frame);
    const stored = portion.true[player]?.[frame];
    if (stored === undefined) return null;
    const before = portion.shown[player]?.[frame];
    const truth = await this.#decode(stored, player, frame);
    return {
      truth,
      first: before === undefined ? truth : await this.#decode(before, player, frame),
      differs: before !== undefined,
    };
  }

  #portion(frame: number): Promise<PicturePortion> {
    // The picture after the last frame is in the last frame's portion.
    const last = Math.max(0, Math.ceil(this.#game.frames / this.#game.portion) - 1);
    const number = Math.min(last, Math.floor(frame / this.#game.portion));
    const known = this.#portions.get(number);
    if (known !== undefined) return known;
    const fetched = fetch(`/game/pictures-${number}.json`).then(async (answer) => {
      if (!answer.ok) throw new Error(`The pictures of frame ${frame} are not there.`);
      return (await answer.json()) as PicturePortion;
    });
    this.#portions.set(number, fetched);
    for (const old of this.#portions.keys()) {
      if (this.#portions.size <= MAX_PORTIONS) break;
      this.#portions.delete(old);
    }
    return fetched;
  }

  async #decode(stored: StoredPicture, player: number, frame: number): Promise<LoadedPicture> {
    const bytes = Uint8Array.from(atob(stored.ops), (letter) => letter.charCodeAt(0));
    // Pictures are seen in any order, so each is decoded on its own, with all strings of the game.
    const picture = new DisplayListDecoder().decode({
      ops: new Float32Array(bytes.buffer),
      strings: this.#game.strings[player] ?? [],
      width: stored.width,
      height: stored.height,
      corrected: false,
      frame,
    });
    return { picture, image: stored.png === undefined ? null : await toImage(stored.png) };
  }
}

async function toImage(png: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  return image;
}
