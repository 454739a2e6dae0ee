import fc from 'fast-check';
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

describe('roles', () => {
  it('lets the lower player id make every offer', async () => {
    network.close();
    network = new ManagerNetwork(3);
    network.connect();
    await network.settle();
    expect(network.sent('offer').map((signal) => signal.from_player_id)).toEqual([0, 0, 1]);
    expect(network.sent('answer').map((signal) => signal.from_player_id)).toEqual([1, 2, 2]);
  });

  it('refuses an offer from the higher player id', async () => {
    network.connect();
    await network.settle();
    const offer = network.sent('offer')[0];
    if (!offer) throw new Error('no offer');
    const reversed = {
      ...offer,
      from_player_id: 1,
      payload: { ...offer.payload, message_id: 'x', negotiation: 9 },
    };
    network.side(0).manager.handleSignal(reversed);
    await network.settle();
    expect(network.side(0).manager.rejected).toBe(1);
  });
});

describe('connecting', () => {
  it('opens a negotiated, unordered channel that drops stale datagrams', async () => {
    network.connect();
    await network.settle();
    for (const player of [0, 1]) {
      expect(network.connection(player).channels).toEqual([
        { label: 'game', options: { ordered: false, maxPacketLifeTime: 100, negotiated: true, id: 0 } },
      ]);
      expect(network.connection(player).configuration.iceServers).toEqual([{ urls: 'stun:stun.example' }]);
    }
  });

  it('reaches connected when the channel opens', async () => {
    await network.connected();
    expect(network.side(0).manager.linkState(1)).toBe('connected');
    expect(network.side(1).manager.linkState(0)).toBe('connected');
  });

  it('signals an end mark after the last candidate', async () => {
    network.connect();
    await network.settle();
    expect(network.connection(0).candidates.at(-1)).toBe('');
    expect(network.connection(1).candidates.at(-1)).toBe('');
  });

  it('stamps every signal with epoch, negotiation, a growing seq and a unique message id', async () => {
    network.connect();
    await network.settle();
    const stamps = network.delivered
      .filter((signal) => signal.from_player_id === 0)
      .map((signal) => signal.payload);
    expect(stamps.map((stamp) => stamp.seq)).toEqual(stamps.map((_, index) => index + 1));
    expect(new Set(stamps.map((stamp) => stamp.message_id)).size).toBe(stamps.length);
    expect(stamps.every((stamp) => stamp.epoch === 3 && stamp.negotiation === 1)).toBe(true);
  });
});

describe('candidates', () => {
  it('wait for the remote description, then are added in order', async () => {
    network.connect();
    await vi.advanceTimersByTimeAsync(20);
    const offer = network.in_flight.find(({ signal }) => signal.type === 'offer');
    if (!offer) throw new Error('no offer');
    const candidates = ['candidate:a', 'candidate:b', 'candidate:c'];
    for (const [index, candidate] of candidates.entries()) {
      const payload = {
        epoch: 3,
        negotiation: 1,
        seq: 90 + index,
        message_id: `early-${index}`,
        candidate: { candidate },
      };
      network.deliver({ to: 1, signal: { ...offer.signal, type: 'ice-candidate', payload } });
    }
    await network.settle(() => 0);
    expect(network.connection(1).early).toBe(0);
    expect(network.connection(1).candidates.slice(0, 3)).toEqual(candidates);
  });

  it('are sent as soon as one is found, the others of its burst together', async () => {
    network.side(0).manager.connect();
    const sent = (): number[] =>
      network.in_flight
        .filter(({ signal }) => signal.type === 'ice-candidate')
        .map(({ signal }) => [signal.payload.candidate].flat().length);
    await vi.advanceTimersByTimeAsync(2);
    expect(sent()).toEqual([1]);
    const find = (candidate: string): void =>
      network.connection(0).onicecandidate?.({ candidate: { toJSON: () => ({ candidate }) } });
    find('candidate:b');
    await vi.advanceTimersByTimeAsync(20);
    // The end mark of the first burst, and b.
    expect(sent()).toEqual([1, 2]);
  });

  it('that the browser rejects are counted and do no harm', async () => {
    await network.connected();
    const payload = {
      epoch: 3,
      negotiation: 1,
      seq: 99,
      message_id: 'bad',
      candidate: { candidate: 'broken' },
    };
    network.deliver({
      to: 1,
      signal: { type: 'ice-candidate', from_player_id: 0, game_id: 'game1234', payload },
    });
    await network.settle();
    expect(network.side(1).manager.rejected).toBe(1);
    expect(network.side(1).manager.linkState(0)).toBe('connected');
  });
});

describe('signals that are reordered and duplicated', () => {
  it('still lead to two stable connections, each candidate added once and not too early', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 40 }), fc.boolean(), async (choices, repeat) => {
        network.close();
        network = new ManagerNetwork();
        network.connect();
        let at = 0;
        await network.settle((count) => (choices[at++] ?? 0) % count);
        if (repeat) {
          for (const signal of [...network.delivered])
            network.deliver({ to: 1 - signal.from_player_id, signal });
          await network.settle();
        }
        for (const player of [0, 1]) {
          const connection = network.connection(player);
          expect(network.side(player).connections.length).toBe(1);
          expect(connection.signalingState).toBe('stable');
          expect(connection.early).toBe(0);
          expect(connection.candidates.length).toBe(2);
          expect(network.side(player).manager.linkState(1 - player)).toBe('connecting');
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('closing', () => {
  it('sends a `bye`, and the other side closes too', async () => {
    await network.connected();
    network.side(0).manager.close();
    await network.settle();
    expect(network.side(1).manager.linkState(0)).toBe('closed');
    expect(network.connection(0).signalingState).toBe('closed');
    expect(network.connection(1).signalingState).toBe('closed');
  });
});

describe('malformed signals', () => {
  it('never throw', async () => {
    await network.connected();
    const manager = network.side(1).manager;
    await fc.assert(
      fc.asyncProperty(
        fc.anything(),
        fc.constantFrom('offer', 'answer', 'ice-candidate', 'no'),
        async (payload, type) => {
          manager.handleSignal({ type, from_player_id: 0, game_id: 'game1234', payload } as IncomingSignal);
          await manager.settled();
        },
      ),
      { numRuns: 200 },
    );
    expect(manager.linkState(0)).toBe('connected');
  });
});
