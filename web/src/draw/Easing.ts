/**
 * Moves items that have an id smoothly: between the last two frames, and after corrections.
 *
 * Frames come at the game's rate and the screen draws at its own, so an item is shown in between its places in the last
 * two frames. When a rollback corrects what was shown, the item would jump; instead, the jump becomes an offset that fades
 * within about a tenth of a second.
 */
import type { Item, Picture } from './DisplayList';

/** Time constant of a fading offset: e⁻³ (5 %) is left after 100 ms. */
const FADE_MS = 100 / 3;

/** An item that moves further than this fraction of the view within one frame is shown at its new place immediately. */
const LEAP = 0.25;

/** Offsets below this many world units are dropped. */
const SMALLEST_OFFSET = 0.01;

interface Track {
  /** Its place in the last frame. */
  to: number[];
  /** Where its movement to that place begins. */
  from: number[];
  /** Its movement in the last frame, to predict where it would be without a correction. */
  velocity: number[];
  /** Shown place minus true place, at the time `offset_ms`. */
  offset: number[] | null;
  offset_ms: number;
}

export class Easing {
  readonly #frame_ms: number;
  readonly #reduced: boolean;
  #tracks = new Map<string, Track>();
  #arrived_ms = 0;

  /**
   * @param fps Frames per second; items are shown at most one frame late.
   * @param reduced Whether the participant prefers reduced motion: items are then shown at their true places.
   */
  constructor(fps: number, reduced = false) {
    this.#frame_ms = 1000 / fps;
    this.#reduced = reduced;
  }

  /** Take a new frame. */
  accept(picture: Picture, now_ms: number): void {
    const tracks = new Map<string, Track>();
    const leap = LEAP * Math.max(picture.width, picture.height);
    for (const item of picture.items) {
      if (item.key === null) continue;
      const known = this.#tracks.get(item.key);
      const track =
        known === undefined || known.to.length !== item.place.length || isLeap(known.to, item.place, leap)
          ? still(item.place, now_ms)
          : follow(known, item.place, picture.corrected, now_ms);
      tracks.set(item.key, track);
    }
    this.#tracks = tracks;
    this.#arrived_ms = now_ms;
  }

  /** Return where to paint an item of the last frame now. */
  place(item: Item, now_ms: number): number[] {
    const track = item.key === null ? undefined : this.#tracks.get(item.key);
    if (track === undefined || this.#reduced) return item.place;
    const share = Math.min(1, Math.max(0, (now_ms - this.#arrived_ms) / this.#frame_ms));
    const faded = offsetAt(track, now_ms);
    return track.to.map((to, axis) => {
      const from = track.from[axis] ?? to;
      return from + (to - from) * share + (faded?.[axis] ?? 0);
    });
  }
}

function still(place: number[], now_ms: number): Track {
  return { to: place, from: place, velocity: place.map(() => 0), offset: null, offset_ms: now_ms };
}

function follow(known: Track, place: number[], corrected: boolean, now_ms: number): Track {
  const faded = offsetAt(known, now_ms);
  if (!corrected) {
    const velocity = place.map((to, axis) => to - (known.to[axis] ?? to));
    return { to: place, from: known.to, velocity, offset: faded, offset_ms: now_ms };
  }
  // The movement begins where it would have begun without the wrong prediction, and the offset compensates the jump:
  // what is shown at this moment does not move.
  const jump = place.map((to, axis) => to - ((known.to[axis] ?? to) + (known.velocity[axis] ?? 0)));
  return {
    to: place,
    from: known.to.map((to, axis) => to + (jump[axis] ?? 0)),
    velocity: known.velocity,
    offset: jump.map((amount, axis) => (faded?.[axis] ?? 0) - amount),
    offset_ms: now_ms,
  };
}

function offsetAt(track: Track, now_ms: number): number[] | null {
  if (track.offset === null) return null;
  const left = Math.exp(-(now_ms - track.offset_ms) / FADE_MS);
  const faded = track.offset.map((amount) => amount * left);
  return faded.some((amount) => Math.abs(amount) > SMALLEST_OFFSET) ? faded : null;
}

function isLeap(before: number[], after: number[], leap: number): boolean {
  return after.some((to, axis) => Math.abs(to - (before[axis] ?? to)) > leap);
}
