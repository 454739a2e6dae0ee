import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { GameConfig, ToWorker } from '../protocol/messages';
import { GameLinks, type LinkWorker } from './GameLinks';
import { FakeConnection } from './testing/FakeConnection';

const made: Connected[] = [];

/** A connection that has found a direct path. */
class Connected extends FakeConnection {
  constructor() {
    super();
    this.connectionState = 'connected';
    made.push(this);
  }

  override async getStats(): Promise<Map<string, object>> {
    return new Map([['pair', { id: 'pair', type: 'candidate-pair', nominated: true }]]);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('RTCPeerConnection', Connected);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
  made.length = 0;
});

it('shows no link to a peer between the loss of one path and the next', async () => {
  const posted: ToWorker[] = [];
  const worker = {
    post: (message: ToWorker) => posted.push(message),
    transferChannel: () => true,
  } as LinkWorker;
  const config = { game_id: 'game1234', player_id: 0, peers: [0, 1], epoch: 0, ice_servers: [] };
  const links = new GameLinks(config as unknown as GameConfig, worker, {
    sendSignal: () => undefined,
    sendDatagram: () => undefined,
    iceServers: async () => null,
    probeServer: () => undefined,
    onStatus: () => undefined,
    measuredRtt: () => null,
  });
  const open = async (): Promise<void> => {
    links.handleMessage({ kind: 'channel_state', peer: 1, connection: made.length, open: true });
    await vi.advanceTimersByTimeAsync(10);
  };
  const links_posted = (): string[] =>
    posted.flatMap((message) => (message.kind === 'link' ? [message.link] : []));

  links.connect();
  await vi.advanceTimersByTimeAsync(10);
  expect(links.stats.link).toEqual({});
  await open();
  expect(links.stats.link).toEqual({ 1: 'direct' });
  expect(links.complete).toBe(true);

  // The peer's page was reloaded.
  links.handleEpoch(1, 1);
  await vi.advanceTimersByTimeAsync(1500);
  expect(made.length).toBe(2);
  expect(links.stats.link).toEqual({});
  expect(links.complete).toBe(false);
  expect(links_posted().at(-1)).toBe('');

  await open();
  expect(links.stats.link).toEqual({ 1: 'direct' });
  links.close();
});
