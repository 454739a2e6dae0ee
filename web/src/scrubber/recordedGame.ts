/** A recorded game as `coplay scrub` serves it, and what the page derives from it. */

export interface RecordedGame {
  game_id: string;
  study: string;
  label: string;
  verdict: string;
  /** Where the replay differed from the recording; null if nowhere. */
  difference: string | null;
  fps: number;
  frames: number;
  agents: string[];
  /** The players whose browsers uploaded what they showed. */
  viewers: number[];
  people: Record<string, string | null>;
  /** Each player's action in every frame, as text. */
  actions: Record<string, string[]>;
  /** Number and first frame of each episode. */
  episodes: [number, number][];
  /** By viewer and frame: the players whose inputs were guesses, as a bit field. */
  predicted: Record<string, number[]>;
  /** By viewer, frame and player: the number of frames until a wrong guess was corrected; 0 if it was right. */
  corrected_after: Record<string, number[][]>;
  /** By viewer: frame, other player, round trip in milliseconds. */
  rtt: Record<string, [number, number, number][]>;
  strings: Record<string, string[]>;
  /** Number of frames whose pictures are in one file. */
  portion: number;
}

export interface StoredPicture {
  width: number;
  height: number;
  ops: string;
  png?: string;
}

type PicturesOfFrames = Record<string, Record<string, StoredPicture>>;

/** Pictures by player and frame: the confirmed ones, and those shown at first if they differ. */
export interface PicturePortion {
  true: PicturesOfFrames;
  shown: PicturesOfFrames;
}

export interface WrongGuess {
  player: number;
  frames: number;
}

/** Return whose inputs of a frame a viewer's browser had guessed wrongly when it first showed the frame. */
export function wrongGuesses(game: RecordedGame, viewer: number, frame: number): WrongGuess[] {
  const row = game.corrected_after[viewer]?.[frame] ?? [];
  return row.flatMap((frames, player) => (frames > 0 ? [{ player, frames }] : []));
}

/** Return true if a player's input was a guess when a viewer's browser first showed the frame. */
export function wasGuessed(game: RecordedGame, viewer: number, player: number, frame: number): boolean {
  return (((game.predicted[viewer]?.[frame] ?? 0) >> player) & 1) === 1;
}

/**
 * Return the next frame after `frame` (or before it) that was corrected on a viewer's screen; null if there is none.
 */
export function nextCorrection(
  game: RecordedGame,
  viewer: number,
  frame: number,
  step: 1 | -1,
): number | null {
  for (let at = frame + step; at >= 0 && at < game.frames; at += step) {
    if (wrongGuesses(game, viewer, at).length > 0) return at;
  }
  return null;
}

/** Describe which inputs of a frame the viewer's browser had to guess. */
export function describeGuesses(game: RecordedGame, viewer: number, frame: number): string {
  const wrong = wrongGuesses(game, viewer, frame);
  if (wrong.length > 0) {
    const parts = wrong.map(
      ({ player, frames }) =>
        `${playerName(game, player)}’s input was guessed wrongly, corrected after ${count(frames)}`,
    );
    return parts.join('; ');
  }
  const others = game.agents.map((_, player) => player).filter((player) => player !== viewer);
  return others.some((player) => wasGuessed(game, viewer, player, frame))
    ? 'the others’ inputs were guessed, and rightly'
    : 'all inputs were known';
}

export function playerName(game: RecordedGame, player: number): string {
  const agent = game.agents[player];
  return agent === undefined || agent === String(player) ? `player ${player}` : `player ${player} (${agent})`;
}

function count(frames: number): string {
  return frames === 1 ? '1 frame' : `${frames} frames`;
}
