import { expect, test } from 'vitest';
import { describeGuesses, nextCorrection, type RecordedGame, wasGuessed, wrongGuesses } from './recordedGame';

const game: RecordedGame = {
  game_id: 'g',
  study: 's',
  label: '',
  verdict: 'identical',
  difference: null,
  fps: 30,
  frames: 5,
  agents: ['left', '1'],
  viewers: [0, 1],
  people: { 0: 'ada', 1: null },
  actions: { 0: ['0', '0', '1', '1', '1'], 1: ['2', '2', '2', '2', '2'] },
  episodes: [[0, 0]],
  predicted: { 0: [0, 2, 2, 0, 2], 1: [0, 0, 1, 0, 0] },
  corrected_after: {
    0: [
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 3],
    ],
    1: [
      [0, 0],
      [0, 0],
      [1, 0],
      [0, 0],
      [0, 0],
    ],
  },
  rtt: { 0: [], 1: [] },
  strings: {},
  portion: 120,
};

test('wrong guesses name the player and how long they lasted', () => {
  expect(wrongGuesses(game, 0, 4)).toEqual([{ player: 1, frames: 3 }]);
  expect(wrongGuesses(game, 0, 1)).toEqual([]);
  expect(wrongGuesses(game, 0, 99)).toEqual([]);
});

test('a right guess is a guess without a correction', () => {
  expect(wasGuessed(game, 0, 1, 1)).toBe(true);
  expect(wasGuessed(game, 0, 0, 1)).toBe(false);
  expect(describeGuesses(game, 0, 1)).toBe('the others’ inputs were guessed, and rightly');
  expect(describeGuesses(game, 0, 0)).toBe('all inputs were known');
});

test('a correction is described with its length', () => {
  expect(describeGuesses(game, 1, 2)).toBe(
    'player 0 (left)’s input was guessed wrongly, corrected after 1 frame',
  );
  expect(describeGuesses(game, 0, 4)).toBe('player 1’s input was guessed wrongly, corrected after 3 frames');
});

test('corrections are found in both directions, and on each side alone', () => {
  expect(nextCorrection(game, 0, 0, 1)).toBe(4);
  expect(nextCorrection(game, 0, 4, 1)).toBeNull();
  expect(nextCorrection(game, 1, 4, -1)).toBe(2);
  expect(nextCorrection(game, 1, 2, -1)).toBeNull();
});
