import { describe, expect, it } from 'vitest';
import type { Picture } from '../draw/DisplayList';
import type { DrawMessage, FromWorker } from '../protocol/messages';
import { type GameMessage, WorkerDispatcher } from './WorkerDispatcher';

const CLEAR = 0;

/** A picture that is filled with the colour of index `color`; `strings` are the new ones. */
function draw(game_id: string, color: number, strings: string[] = []): DrawMessage {
  return {
    kind: 'draw',
    game_id,
    ops: Float32Array.from([CLEAR, -1, color]),
    strings,
    width: 10,
    height: 10,
    corrected: false,
    frame: 0,
    now: 0,
  };
}

function canvas() {
  const colors: string[] = [];
  const accept = ({ items: [item] }: Picture) => {
    if (item?.kind === 'clear') colors.push(item.color);
  };
  return { colors, accept };
}

function game() {
  const kinds: string[] = [];
  return { kinds, handleMessage: (message: GameMessage) => kinds.push(message.kind) };
}

describe('pictures', () => {
  it('reach the canvas that shows their game, and no other', () => {
    const dispatcher = new WorkerDispatcher({});
    const shown = canvas();
    dispatcher.showPictures('b', shown);
    dispatcher.dispatch(draw('a', 0, ['red']));
    dispatcher.dispatch(draw('b', 0));
    expect(shown.colors).toEqual(['red']);
  });

  it('that come before there is a canvas are dropped, but their strings are known to later ones', () => {
    const dispatcher = new WorkerDispatcher({});
    const shown = canvas();
    dispatcher.dispatch(draw('a', 0, ['red']));
    dispatcher.showPictures('a', shown);
    dispatcher.dispatch(draw('a', 1, ['blue']));
    dispatcher.dispatch(draw('a', 0));
    expect(shown.colors).toEqual(['blue', 'red']);
  });

  it('end with the canvas, unless another one has taken its place', () => {
    const dispatcher = new WorkerDispatcher({});
    const [first, second] = [canvas(), canvas()];
    const hide_first = dispatcher.showPictures('a', first);
    const hide_second = dispatcher.showPictures('a', second);
    hide_first();
    dispatcher.dispatch(draw('a', 0, ['red']));
    hide_second();
    dispatcher.dispatch(draw('a', 0));
    expect([first.colors, second.colors]).toEqual([[], ['red']]);
  });

  it('of a newly prepared scene begin a new table of strings', () => {
    const dispatcher = new WorkerDispatcher({});
    const shown = canvas();
    dispatcher.showPictures('a', shown);
    dispatcher.dispatch(draw('a', 0, ['red']));
    dispatcher.dispatch({ kind: 'prepared', scene_index: 1, step_cost_ms: 1 });
    dispatcher.dispatch(draw('a', 0, ['green']));
    expect(shown.colors).toEqual(['red', 'green']);
  });
});

describe('messages about a game', () => {
  it('reach their game, also after the next one began', () => {
    const dispatcher = new WorkerDispatcher({});
    const [first, second] = [game(), game()];
    dispatcher.addGame('a', first);
    dispatcher.addGame('b', second);
    dispatcher.dispatch({ kind: 'upload', game_id: 'a', number: 0, body: new ArrayBuffer(1) });
    dispatcher.dispatch({ kind: 'phase', game_id: 'b', phase: 'playing' });
    expect([first.kinds, second.kinds]).toEqual([['upload'], ['phase']]);
  });

  it('reach the game that began last if they concern channels, which name no game', () => {
    const dispatcher = new WorkerDispatcher({});
    const [first, second] = [game(), game()];
    dispatcher.addGame('a', first);
    dispatcher.addGame('b', second);
    dispatcher.dispatch({ kind: 'channel_state', peer: 1, connection: 1, open: true });
    dispatcher.dispatch({ kind: 'hearing', peer: 1, connection: 1, direct: true });
    dispatcher.dispatch({ kind: 'send', peer: 1, data: new ArrayBuffer(1), direct: false });
    expect([first.kinds, second.kinds]).toEqual([[], ['channel_state', 'hearing', 'send']]);
  });

  it('are dropped while there is no game', () => {
    const dispatcher = new WorkerDispatcher({});
    expect(() => dispatcher.dispatch({ kind: 'closed', game_id: 'a' })).not.toThrow();
  });
});

it('messages about the worker reach the page', () => {
  const heard: string[] = [];
  const hear = (message: FromWorker) => heard.push(message.kind);
  const dispatcher = new WorkerDispatcher({
    progress: hear,
    ready: hear,
    prepared: hear,
    watched: hear,
    error: hear,
  });
  dispatcher.addGame('a', game());
  dispatcher.dispatch({ kind: 'progress', stage: 'Ready', fraction: 1 });
  dispatcher.dispatch({ kind: 'ready' });
  dispatcher.dispatch({ kind: 'prepared', scene_index: 0, step_cost_ms: 1 });
  dispatcher.dispatch({ kind: 'watched', frame: 0, received: 0, phase: 'playing', scores: [], episode: 0 });
  dispatcher.dispatch({ kind: 'error', error: '', hint: '', detail: '' });
  expect(heard).toEqual(['progress', 'ready', 'prepared', 'watched', 'error']);
});
