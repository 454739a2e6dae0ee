import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DrawMessage, GameConfig, Scene, ServerEvents } from '../protocol/messages';
import { App } from './App';
import { type FakeBrowser, FakeElement, FakeWorker, installFakeBrowser } from './testing/fakeBrowser';

/** The page's socket: what the server says goes in, what the page says is kept. */
const socket = vi.hoisted(() => {
  const handlers = new Map<string, (data: unknown) => void>();
  const sent: [string, unknown][] = [];
  const send = (name: string, data: unknown) => {
    sent.push([name, data]);
  };
  const emitWithAck = async (name: string, data: unknown) => {
    send(name, data);
    return { ok: true };
  };
  return {
    handlers,
    sent,
    connected: true,
    disconnected: false,
    io: { engine: { close: () => undefined } },
    on: (name: string, handler: (data: unknown) => void) => handlers.set(name, handler),
    onAny: () => undefined,
    emit: send,
    volatile: { emit: send },
    timeout: () => ({ emitWithAck }),
    connect: () => undefined,
    disconnect() {
      this.disconnected = true;
    },
  };
});
vi.mock('socket.io-client', () => ({ io: () => socket }));

const INSTRUCTIONS: Scene = {
  kind: 'instructions',
  index: 0,
  prepare: 2,
  title: 'Welcome',
  html: '',
  button: 'Go',
};
const LOBBY: Scene = { kind: 'lobby', index: 1, prepare: null, title: '', size: 2, patience_s: 60 };
const PLAY: Scene = {
  kind: 'play',
  index: 2,
  play_scene: 2,
  prepare: null,
  label: 'volley',
  title: '',
  controls_html: '',
  scores: true,
  keys: [],
};
const FINISH: Scene = { kind: 'finish', index: 3, title: '', html: '', code: 'C0DE', redirect: '' };

const CONFIG = {
  game_id: 'game1',
  scene_index: 2,
  player_id: 0,
  peers: [0, 1],
  fps: 30,
  episodes: 1,
  when_left: 'end',
  epoch: 0,
  epochs: {},
  incarnations: {},
  left: [],
  ice_servers: [],
  token: 'token',
} as unknown as GameConfig;

const PICTURE: DrawMessage = {
  kind: 'draw',
  game_id: 'game1',
  ops: Float32Array.from([0, -1, 0]),
  strings: ['red'],
  width: 10,
  height: 10,
  corrected: false,
  frame: 0,
  now: 0,
};

let browser: FakeBrowser;
let root: FakeElement;
let app: App;
let worker: FakeWorker;

function server<Name extends keyof ServerEvents>(name: Name, data: ServerEvents[Name]): void {
  socket.handlers.get(name)?.(data);
}

/** A direct path to the other player opens. */
async function connectDirectly(): Promise<void> {
  await vi.advanceTimersByTimeAsync(20);
  worker.say({ kind: 'channel_state', peer: 1, connection: 1, open: true });
}

function find(name: string): FakeElement {
  const found = root.querySelector(name);
  if (found === null) throw new Error(`there is no ${name} on the page`);
  return found;
}

beforeEach(async () => {
  vi.useFakeTimers();
  socket.handlers.clear();
  socket.sent.length = 0;
  socket.disconnected = false;
  browser = installFakeBrowser(() => ({
    participant_id: 'p-1',
    secret: 's',
    token: 't',
    study: { name: 'volley', version: '1' },
    runtime: { base: '/', lock_hash: '', packages: [] },
    bundle: { url: '/', hash: '', module: 'study' },
  }));
  root = new FakeElement('main');
  app = new App(root as unknown as HTMLElement);
  await app.start();
  worker = FakeWorker.last;
  server('scene', INSTRUCTIONS);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('scenes', () => {
  it('are shown as the server names them, while the worker prepares the game', () => {
    expect(browser.body.dataset).toMatchObject({ scene: 'instructions', phase: '' });
    expect(root.textContent).toContain('Welcome');
    expect(worker.posted).toContainEqual({ kind: 'prepare', scene_index: 2 });
    worker.say({ kind: 'prepared', scene_index: 2, step_cost_ms: 1 });
    expect(socket.sent).toContainEqual(['prepared', { index: 2 }]);
    server('scene', LOBBY);
    expect(browser.body.dataset).toMatchObject({ scene: 'lobby', phase: 'waiting' });
    server('lobby', { present: 1, size: 2, waited_s: 3, patience_s: 60, reason: 'Almost there.' });
    expect(root.textContent).toContain('Almost there.');
  });

  it('go on when the participant presses the button', () => {
    find('continue').fire('click');
    expect(socket.sent).toContainEqual(['continue', { index: 0 }]);
  });

  it('stay as they are when the server repeats them', () => {
    const { children } = root;
    server('scene', { ...INSTRUCTIONS });
    expect(root.children).toBe(children);
  });

  it('carry the notice that explains them, once', () => {
    server('notice', { text: 'Nobody came.' });
    expect(find('remarks').textContent).toContain('Nobody came.');
    server('scene', LOBBY);
    expect(find('remarks').textContent).toContain('Nobody came.');
    server('scene', { ...INSTRUCTIONS, index: 5 });
    expect(find('remarks').textContent).not.toContain('Nobody came.');
  });

  it('say that the study cannot save data, except the last one', () => {
    server('storing', { ok: false });
    expect(find('remarks').textContent).toContain('cannot save data');
    server('scene', FINISH);
    expect(find('remarks').textContent).not.toContain('cannot save data');
  });
});

describe('a game', () => {
  it('connects before its scene is shown, and its scene comes when the players are linked', async () => {
    server('scene', LOBBY);
    server('game', CONFIG);
    server('scene', PLAY);
    expect(browser.body.dataset.scene).toBe('lobby');
    expect(worker.kinds()).toEqual(expect.arrayContaining(['channel', 'start', 'keys']));
    await connectDirectly();
    expect(browser.body.dataset).toMatchObject({ scene: 'play', phase: 'loading' });
    worker.say({ kind: 'progress', stage: 'Ready', fraction: 1 });
    expect(browser.body.dataset.phase).toBe('connecting');
    worker.say({ kind: 'phase', game_id: 'game1', phase: 'playing' });
    expect(browser.body.dataset.phase).toBe('playing');
  });

  it('is shown after a quarter of a second even if the players are not linked', async () => {
    server('game', CONFIG);
    server('scene', PLAY);
    await vi.advanceTimersByTimeAsync(249);
    expect(browser.body.dataset.scene).toBe('instructions');
    await vi.advanceTimersByTimeAsync(1);
    expect(browser.body.dataset.scene).toBe('play');
  });

  it('shows its pictures on the canvas of its scene, and what came before the scene but pictures', async () => {
    server('game', CONFIG);
    worker.say(PICTURE);
    worker.say({ kind: 'phase', game_id: 'game1', phase: 'playing' });
    server('scene', PLAY);
    await connectDirectly();
    expect(browser.body.dataset.phase).toBe('playing');
    browser.drawScreen();
    expect(find('canvas').painted).toBe(0);
    worker.say({ ...PICTURE, strings: [] });
    browser.drawScreen();
    expect(find('canvas').painted).toBe(1);
  });

  it('no longer paints once its scene is gone', async () => {
    server('game', CONFIG);
    server('scene', PLAY);
    await connectDirectly();
    worker.say(PICTURE);
    const canvas = find('canvas');
    server('scene', FINISH);
    const { painted } = canvas;
    worker.say(PICTURE);
    expect(canvas.painted).toBe(painted);
  });

  it('that another player left explains the next scene', async () => {
    server('game', CONFIG);
    server('scene', PLAY);
    await connectDirectly();
    server('player_left', { game_id: 'game1', player_id: 1, reason: '' });
    expect(worker.posted).toContainEqual({ kind: 'peer_left', peer: 1 });
    expect(root.textContent).toContain('The other player has left the game.');
    server('scene', FINISH);
    expect(find('remarks').textContent).toContain('The other player has left, so the game ended early.');
  });

  it('is stopped when the participant was removed, or moves on before the end', async () => {
    server('game', CONFIG);
    server('scene', PLAY);
    await connectDirectly();
    server('removed', { game_id: 'game1' });
    expect(browser.body.dataset.phase).toBe('ended');
    expect(worker.kinds().filter((kind) => kind === 'stop').length).toBe(1);
    server('scene', FINISH);
    expect(worker.kinds().filter((kind) => kind === 'stop').length).toBe(2);
  });

  it('gets the keys that are held, before and after its beginning', () => {
    app.press(['a']);
    server('game', CONFIG);
    app.press([]);
    const keys = worker.posted.flatMap((message) => (message.kind === 'keys' ? [message.pressed] : []));
    expect(keys).toEqual([['a'], ['a'], []]);
  });

  it('has figures for scripts', () => {
    expect(app.stats()).toEqual({});
    server('game', CONFIG);
    worker.say({ kind: 'stats', game_id: 'game1', frame: 7 } as never);
    expect(app.stats()).toMatchObject({ frame: 7, link: {} });
  });
});

describe('failure', () => {
  it('of the worker is shown with the participant as its reference', () => {
    vi.spyOn(console, 'error').mockReturnValue();
    worker.say({ kind: 'error', error: 'It broke.', hint: 'Reload.', detail: '' });
    expect(browser.body.dataset).toMatchObject({ scene: 'error', phase: 'ended' });
    expect(root.textContent).toContain('It broke.');
    expect(root.textContent).toContain('Reference p-1');
  });

  it('that the server names ends the socket, and no game begins any more', () => {
    server('failed', { error: 'Another tab took over.', hint: '', reference: 'R7' });
    expect(socket.disconnected).toBe(true);
    expect(root.textContent).toContain('Reference R7');
    server('game', CONFIG);
    expect(worker.kinds()).not.toContain('start');
  });
});
