import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { IncomingSignal } from '../protocol/messages';
import { ManagerNetwork } from './testing/ManagerNetwork';

let network: ManagerNetwork;

beforeEach(() => {
  vi.useFakeTimers();
  network = new ManagerNetwork();
});

afterEach(() => {
  network.close();
  vi.useRealTimers();
});

describe('lost signals', () => {
  it('are recovered: the offer is resent after three seconds, and the answer with it', async () => {
    network.connect();
    await vi.advanceTimersByTimeAsync(20);
    network.in_flight.length = 0;
    await vi.advanceTimersByTimeAsync(3000);
    const offers = network.in_flight.filter(({ signal }) => signal.type === 'offer');
    expect(offers.length).toBeGreaterThanOrEqual(1);
    expect(offers[0]?.signal.payload.negotiation).toBe(1);
    await network.settle();
    expect(network.side(0).manager.linkState(1)).toBe('connecting');
  });

  it('lead to play through the server, with a reason, when nobody ever answers', async () => {
    network.connect();
    for (let second = 0; second < 14; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      network.in_flight.length = 0;
    }
    const last = network.side(0).events.findLast((event) => event.kind === 'link');
    expect(last).toMatchObject({ state: 'relayed', reason: 'the other player did not answer' });
    expect(network.side(0).events).toContainEqual({ kind: 'relay', peer: 1, on: true });
  });

  it('are resent with the same message_id until they are acknowledged', async () => {
    await network.connected();
    network.side(1).connections.at(-1)?.become('failed');
    network.in_flight.length = 0;
    for (let second = 0; second < 2; second++) await vi.advanceTimersByTimeAsync(1000);
    const requests = network.in_flight.filter(({ signal }) => signal.type === 'rebuild-request');
    expect(requests.length).toBe(2);
    expect(new Set(requests.map(({ signal }) => signal.payload.message_id)).size).toBe(1);
    await network.settle();
    const sent = network.in_flight.length;
    await vi.advanceTimersByTimeAsync(900);
    expect(network.in_flight.length).toBe(sent);
  });
});

describe('a connection that breaks', () => {
  it('restarts ICE once after being disconnected for 1.5 seconds, on the same connection', async () => {
    await network.connected();
    network.connection(0).become('disconnected');
    expect(network.side(0).manager.linkState(1)).toBe('suspect');
    await vi.advanceTimersByTimeAsync(1500);
    await network.settle();
    expect(network.connection(0).restarts).toBe(1);
    expect(network.sent('offer').at(-1)?.payload.negotiation).toBe(2);
    network.connection(0).become('connected');
    expect(network.side(0).manager.linkState(1)).toBe('connected');
    expect(network.side(1).connections.length).toBe(1);
  });

  it('is not restarted if it recovers by itself', async () => {
    await network.connected();
    network.connection(0).become('disconnected');
    await vi.advanceTimersByTimeAsync(1400);
    network.connection(0).become('connected');
    await vi.advanceTimersByTimeAsync(3000);
    expect(network.connection(0).restarts).toBe(0);
  });

  it('is restarted on request of the side that answers', async () => {
    await network.connected();
    network.connection(1).become('disconnected');
    await vi.advanceTimersByTimeAsync(1500);
    await network.settle();
    expect(network.sent('restart-request').map((signal) => signal.from_player_id)).toEqual([1]);
    expect(network.connection(0).restarts).toBe(1);
  });

  it('is rebuilt on both sides after it failed, with a new negotiation', async () => {
    await network.connected();
    network.connection(0).become('failed');
    await network.settle();
    expect(network.side(0).connections.length).toBe(2);
    expect(network.side(1).connections.length).toBe(2);
    expect(network.side(0).connections[0]?.signalingState).toBe('closed');
    expect(network.connection(0).signalingState).toBe('stable');
    expect(network.connection(1).candidates.length).toBe(2);
    expect(network.side(0).manager.linkState(1)).toBe('connecting');
    expect(network.side(1).manager.linkState(0)).toBe('connecting');
  });

  it('is rebuilt on request of the side that answers', async () => {
    await network.connected();
    network.connection(1).become('failed');
    await network.settle();
    expect(network.sent('rebuild-request').length).toBe(1);
    expect(network.side(0).connections.length).toBe(2);
    expect(network.connection(1).signalingState).toBe('stable');
  });
});

describe('epochs', () => {
  it('drop signals of a former epoch, and of one that was never announced', async () => {
    await network.connected();
    const bye = (epoch: number, message_id: string): IncomingSignal => ({
      type: 'bye',
      from_player_id: 0,
      game_id: 'game1234',
      payload: { epoch, negotiation: 1, seq: 50, message_id },
    });
    network.side(1).manager.handleSignal(bye(2, 'old'));
    network.side(1).manager.handleSignal(bye(4, 'new'));
    await network.settle();
    expect(network.side(1).manager.linkState(0)).toBe('connected');
    expect(network.side(1).manager.rejected).toBe(1);
  });

  it('start new connections when the server announces one', async () => {
    await network.connected();
    network.side(1).manager.handleEpoch(0, 4);
    network.side(0).manager.handleEpoch(1, 4);
    await vi.advanceTimersByTimeAsync(200);
    await network.settle();
    expect(network.connection(0).signalingState).toBe('stable');
    expect(network.connection(1).signalingState).toBe('stable');
    expect(network.side(0).connections.length).toBe(2);
    expect(network.sent('answer').at(-1)?.payload).toMatchObject({ epoch: 4, negotiation: 1 });
  });
});

describe('a peer whose page was reloaded', () => {
  it('gets a new connection although the old one was closed in the middle of a step', async () => {
    network.connect();
    const old = network.connection(0);
    while (!old.busy) await Promise.resolve();
    network.epoch = 4;
    network.reload(1);
    network.side(0).manager.handleEpoch(1, 4);
    network.side(1).manager.connect();
    expect(old.signalingState).toBe('closed');
    await vi.advanceTimersByTimeAsync(200);
    await network.settle();
    expect(old.busy).toBe(true);
    expect(network.sent('answer').at(-1)?.payload).toMatchObject({ epoch: 4, negotiation: 1 });
  });

  it('gets a new connection in the new epoch, whichever side offers', async () => {
    for (const reloaded of [0, 1]) {
      network.close();
      network = await new ManagerNetwork().connected();
      const old = network.side(1 - reloaded).connections[0];
      network.epoch = 4;
      network.reload(reloaded);
      network.side(1 - reloaded).manager.handleEpoch(reloaded, 4);
      network.side(reloaded).manager.connect();
      await vi.advanceTimersByTimeAsync(200);
      await network.settle();
      expect(old?.signalingState).toBe('closed');
      for (const player of [0, 1]) {
        expect(network.connection(player).signalingState).toBe('stable');
        expect(network.side(player).manager.linkState(1 - player)).toBe('connecting');
        expect(network.side(player).manager.rejected).toBe(0);
      }
      expect(network.sent('answer').at(-1)?.payload).toMatchObject({ epoch: 4, negotiation: 1 });
    }
  });

  it('gets one new connection although the epoch is announced twice', async () => {
    await network.connected();
    network.side(0).manager.handleEpoch(1, 4);
    network.side(0).manager.handleEpoch(1, 4);
    await vi.advanceTimersByTimeAsync(150);
    // Its page was reloaded again: only the last epoch counts.
    network.side(0).manager.handleEpoch(1, 5);
    await vi.advanceTimersByTimeAsync(200);
    await network.settle();
    expect(network.side(0).connections.length).toBe(2);
    expect(network.sent('offer').at(-1)?.payload.epoch).toBe(5);
  });
});

describe('a browser without WebRTC', () => {
  it('plays through the server', async () => {
    network.close();
    network = new ManagerNetwork();
    network.broken = true;
    network.connect();
    await vi.advanceTimersByTimeAsync(2500);
    for (const player of [0, 1])
      expect(network.side(player).events).toContainEqual({ kind: 'relay', peer: 1 - player, on: true });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(network.side(0).manager.linkState(1)).toBe('relayed');
  });
});
