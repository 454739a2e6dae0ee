/** A recorded game as `coplay scrub` serves it, and questions about it that the page asks. */

export interface RecordedGame {
  game_id: string;
  study: string;
  label: string;
  verdict: string;
  /** Where the replay came out otherwise than the record; null if nowhere. */
  difference: string | null;
  fps: number;
  frames: number;
  agents: string[];
  /** The players whose browsers have told what they saw. */
  viewers: number[];
  people: Record<string, string | null>;
  /** Each player's action in every frame, as text. */
  actions: Record<string, string[]>;
  /** Number and first frame of each. */
  episodes: [number, number][];
  /** Of each viewer and frame, the players whose inputs were guesses, as bits. */
  predicted: Record<string, number[]>;
  /** Of each viewer, frame and player, the frames until a wrong guess was corrected; 0 for a right one. */
  corrected_after: Record<string, number[][]>;
  /** Of each viewer: frame, other player, milliseconds. */
  rtt: Record<string, [number, number, number][]>;
  strings: Record<string, string[]>;
  /** Pictures of so many frames are in one file. */
  portion: number;
}

export interface StoredPicture {
  width: number;
  height: number;
  ops: string;
  png?: string;
}

type PicturesOfFrames = Record<string, Record<string, StoredPicture>>;

/** By player and frame: what became true, and what was shown at first where that was something else. */
export interface PicturePortion {
  true: PicturesOfFrames;
  shown: PicturesOfFrames;
}

export interface WrongGuess {
  player: number;
  frames: number;
}

/** Whose inputs of a frame a viewer's browser had guessed wrongly when it first showed it. */
export function wrongGuesses(recording: RecordedGame, viewer: number, frame: number): WrongGuess[] {
  const row = recording.corrected_after[viewer]?.[frame] ?? [];
  return row.flatMap((frames, player) => (frames > 0 ? [{ player, frames }] : []));
}

/** Whether a player's input of a frame was a guess when a viewer's browser first showed it. */
export function wasGuessed(recording: RecordedGame, viewer: number, player: number, frame: number): boolean {
  return (((recording.predicted[viewer]?.[frame] ?? 0) >> player) & 1) === 1;
}

/** The next frame after `frame` (or before it) with a correction on a viewer's screen; null if there is none. */
export function nextCorrection(
  recording: RecordedGame,
  viewer: number,
  frame: number,
  step: 1 | -1,
): number | null {
  for (let at = frame + step; at >= 0 && at < recording.frames; at += step) {
    if (wrongGuesses(recording, viewer, at).length > 0) return at;
  }
  return null;
}

/** A sentence about what the viewer's browser did not know yet in a frame. */
export function describeGuesses(recording: RecordedGame, viewer: number, frame: number): string {
  const wrong = wrongGuesses(recording, viewer, frame);
  if (wrong.length > 0) {
    const parts = wrong.map(
      ({ player, frames }) =>
        `${playerName(recording, player)}’s input was guessed wrongly, corrected after ${count(frames)}`,
    );
    return parts.join('; ');
  }
  const others = recording.agents.map((_, player) => player).filter((player) => player !== viewer);
  return others.some((player) => wasGuessed(recording, viewer, player, frame))
    ? 'the others’ inputs were guessed, and rightly'
    : 'all inputs were known';
}

export function playerName(recording: RecordedGame, player: number): string {
  const agent = recording.agents[player];
  return agent === undefined || agent === String(player) ? `player ${player}` : `player ${player} (${agent})`;
}

function count(frames: number): string {
  return frames === 1 ? '1 frame' : `${frames} frames`;
}
