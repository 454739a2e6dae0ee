import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { IncomingSignal, SignalPayload, SignalType } from '../protocol/messages';
import { FakeConnection } from './FakeConnection';
import { type ManagerEvent, WebRTCManager } from './WebRTCManager';

interface Side {
  manager: WebRTCManager;
  connections: FakeConnection[];
  events: ManagerEvent[];
}

/** The network between managers: what was sent and not delivered yet. */
interface InFlight {
  to: number;
  signal: IncomingSignal;
}

class Table {
  readonly sides: Side[] = [];
  readonly in_flight: InFlight[] = [];
  readonly delivered: IncomingSignal[] = [];
  /** What the server tells pages that load from now on. */
  epoch = 3;
  /** No browser here can make a connection. */
  broken = false;
  readonly #peers: number[];

  constructor(players = 2) {
    this.#peers = Array.from({ length: players }, (_, player) => player);
    for (const player_id of this.#peers) this.sides.push(this.#open(player_id));
  }

  /** The player's page is gone without a word, and there is a new one. */
  reload(player_id: number): void {
    this.sides[player_id] = this.#open(player_id);
  }

  #open(player_id: number): Side {
    const side: Side = { manager: undefined as never, connections: [], events: [] };
    const epoch = this.epoch;
    side.manager = new WebRTCManager({
      game_id: 'game1234',
      player_id,
      peers: this.#peers,
      epochOf: () => epoch,
      ice_servers: [{ urls: 'stun:stun.example' }],
      sendSignal: (to: number, type: SignalType, payload: SignalPayload) => {
        // Over a real wire nothing is shared.
        const signal = {
          type,
          from_player_id: player_id,
          game_id: 'game1234',
          payload: structuredClone(payload),
        };
        this.in_flight.push({ to, signal });
      },
      onEvent: (event) => side.events.push(event),
      createConnection: (configuration) => {
        if (this.broken) throw new ReferenceError('RTCPeerConnection is not defined');
        const connection = new FakeConnection(configuration);
        side.connections.push(connection);
        return connection as unknown as RTCPeerConnection;
      },
      now_ms: () => Date.now(),
      random: () => 0.5,
    });
    return side;
  }

  side(player_id: number): Side {
    const side = this.sides[player_id];
    if (side === undefined) throw new Error('no such player');
    return side;
  }

  /** The connection that a player made last. */
  connection(player_id: number): FakeConnection {
    const connection = this.side(player_id).connections.at(-1);
    if (connection === undefined) throw new Error('no connection yet');
    return connection;
  }

  connect(): void {
    for (const side of this.sides) side.manager.connect();
  }

  deliver({ to, signal }: InFlight): void {
    this.delivered.push(signal);
    this.side(to).manager.handleSignal(structuredClone(signal));
  }

  /** Deliver everything that is sent until nothing is, in an order of `choose`. */
  async settle(choose: (count: number) => number = () => 0): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      await vi.advanceTimersByTimeAsync(16);
      await Promise.all(this.sides.map((side) => side.manager.settled()));
      if (this.in_flight.length === 0) quiet += 1;
      else {
        quiet = 0;
        const [next] = this.in_flight.splice(choose(this.in_flight.length), 1);
        if (next) this.deliver(next);
      }
    }
  }

  /** Connected as far as signaling goes, and the channels open. */
  async connected(): Promise<this> {
    this.connect();
    await this.settle();
    for (const [player, side] of this.sides.entries()) {
      side.connections.at(-1)?.become('connected');
      side.manager.handleChannel(1 - player, side.connections.length, true);
    }
    return this;
  }

  close(): void {
    for (const side of this.sides) side.manager.close();
  }

  sent(type: SignalType): IncomingSignal[] {
    return [...this.delivered, ...this.in_flight.map((item) => item.signal)].filter(
      (signal) => signal.type === type,
    );
  }
}

let table: Table;

beforeEach(() => {
  vi.useFakeTimers();
  table = new Table();
});

afterEach(() => {
  table.close();
  vi.useRealTimers();
});

describe('roles', () => {
  it('lets the lower player id make every offer', async () => {
    table.close();
    table = new Table(3);
    table.connect();
    await table.settle();
    expect(table.sent('offer').map((signal) => signal.from_player_id)).toEqual([0, 0, 1]);
    expect(table.sent('answer').map((signal) => signal.from_player_id)).toEqual([1, 2, 2]);
  });

  it('refuses an offer from the higher player id', async () => {
    table.connect();
    await table.settle();
    const offer = table.sent('offer')[0];
    if (!offer) throw new Error('no offer');
    const reversed = {
      ...offer,
      from_player_id: 1,
      payload: { ...offer.payload, message_id: 'x', negotiation: 9 },
    };
    table.side(0).manager.handleSignal(reversed);
    await table.settle();
    expect(table.side(0).manager.rejected).toBe(1);
  });
});

describe('connecting', () => {
  it('opens a negotiated channel that neither orders nor keeps what is old', async () => {
    table.connect();
    await table.settle();
    for (const player of [0, 1]) {
      expect(table.connection(player).channels).toEqual([
        { label: 'game', options: { ordered: false, maxPacketLifeTime: 100, negotiated: true, id: 0 } },
      ]);
      expect(table.connection(player).configuration.iceServers).toEqual([{ urls: 'stun:stun.example' }]);
    }
  });

  it('reaches connected when the channel opens', async () => {
    await table.connected();
    expect(table.side(0).manager.linkState(1)).toBe('connected');
    expect(table.side(1).manager.linkState(0)).toBe('connected');
  });

  it('signals an end mark after the last candidate', async () => {
    table.connect();
    await table.settle();
    expect(table.connection(0).candidates.at(-1)).toBe('');
    expect(table.connection(1).candidates.at(-1)).toBe('');
  });

  it('stamps every signal with epoch, negotiation, a growing seq and its own message id', async () => {
    table.connect();
    await table.settle();
    const stamps = table.delivered
      .filter((signal) => signal.from_player_id === 0)
      .map((signal) => signal.payload);
    expect(stamps.map((stamp) => stamp.seq)).toEqual(stamps.map((_, index) => index + 1));
    expect(new Set(stamps.map((stamp) => stamp.message_id)).size).toBe(stamps.length);
    expect(stamps.every((stamp) => stamp.epoch === 3 && stamp.negotiation === 1)).toBe(true);
  });
});

describe('candidates', () => {
  it('wait for the remote description, then go in, in order', async () => {
    table.connect();
    await vi.advanceTimersByTimeAsync(20);
    const offer = table.in_flight.find(({ signal }) => signal.type === 'offer');
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
      table.deliver({ to: 1, signal: { ...offer.signal, type: 'ice-candidate', payload } });
    }
    await table.settle(() => 0);
    expect(table.connection(1).early).toBe(0);
    expect(table.connection(1).candidates.slice(0, 3)).toEqual(candidates);
  });

  it('go out as soon as one is found, the others of its burst together', async () => {
    table.side(0).manager.connect();
    const sent = (): number[] =>
      table.in_flight
        .filter(({ signal }) => signal.type === 'ice-candidate')
        .map(({ signal }) => [signal.payload.candidate].flat().length);
    await vi.advanceTimersByTimeAsync(2);
    expect(sent()).toEqual([1]);
    const find = (candidate: string): void =>
      table.connection(0).onicecandidate?.({ candidate: { toJSON: () => ({ candidate }) } });
    find('candidate:b');
    await vi.advanceTimersByTimeAsync(20);
    // The end mark of the first burst, and b.
    expect(sent()).toEqual([1, 2]);
  });

  it('that the browser refuses are counted and harm nothing', async () => {
    await table.connected();
    const payload = {
      epoch: 3,
      negotiation: 1,
      seq: 99,
      message_id: 'bad',
      candidate: { candidate: 'broken' },
    };
    table.deliver({
      to: 1,
      signal: { type: 'ice-candidate', from_player_id: 0, game_id: 'game1234', payload },
    });
    await table.settle();
    expect(table.side(1).manager.rejected).toBe(1);
    expect(table.side(1).manager.linkState(0)).toBe('connected');
  });
});

describe('a relay that reorders and repeats', () => {
  it('still ends in two stable connections, each candidate added once and never early', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 40 }), fc.boolean(), async (choices, repeat) => {
        table.close();
        table = new Table();
        table.connect();
        let at = 0;
        await table.settle((count) => (choices[at++] ?? 0) % count);
        if (repeat) {
          for (const signal of [...table.delivered]) table.deliver({ to: 1 - signal.from_player_id, signal });
          await table.settle();
        }
        for (const player of [0, 1]) {
          const connection = table.connection(player);
          expect(table.side(player).connections.length).toBe(1);
          expect(connection.signalingState).toBe('stable');
          expect(connection.early).toBe(0);
          expect(connection.candidates.length).toBe(2);
          expect(table.side(player).manager.linkState(1 - player)).toBe('connecting');
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('lost signals', () => {
  it('sends the same offer again after three seconds, and the answer again for it', async () => {
    table.connect();
    await vi.advanceTimersByTimeAsync(20);
    table.in_flight.length = 0;
    await vi.advanceTimersByTimeAsync(3000);
    const offers = table.in_flight.filter(({ signal }) => signal.type === 'offer');
    expect(offers.length).toBeGreaterThanOrEqual(1);
    expect(offers[0]?.signal.payload.negotiation).toBe(1);
    await table.settle();
    expect(table.side(0).manager.linkState(1)).toBe('connecting');
  });

  it('go through the server, with a reason, when nobody ever answers', async () => {
    table.connect();
    for (let second = 0; second < 14; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      table.in_flight.length = 0;
    }
    const last = table.side(0).events.findLast((event) => event.kind === 'link');
    expect(last).toMatchObject({ state: 'relayed', reason: 'the other player did not answer' });
    expect(table.side(0).events).toContainEqual({ kind: 'relay', peer: 1, on: true });
  });

  it('come again with the same message_id until they are acknowledged', async () => {
    await table.connected();
    table.side(1).connections.at(-1)?.become('failed');
    table.in_flight.length = 0;
    for (let second = 0; second < 2; second++) await vi.advanceTimersByTimeAsync(1000);
    const requests = table.in_flight.filter(({ signal }) => signal.type === 'rebuild-request');
    expect(requests.length).toBe(2);
    expect(new Set(requests.map(({ signal }) => signal.payload.message_id)).size).toBe(1);
    await table.settle();
    const sent = table.in_flight.length;
    await vi.advanceTimersByTimeAsync(900);
    expect(table.in_flight.length).toBe(sent);
  });
});

describe('a connection that breaks', () => {
  it('restarts ICE once after being disconnected for 1.5 seconds, on the same connection', async () => {
    await table.connected();
    table.connection(0).become('disconnected');
    expect(table.side(0).manager.linkState(1)).toBe('suspect');
    await vi.advanceTimersByTimeAsync(1500);
    await table.settle();
    expect(table.connection(0).restarts).toBe(1);
    expect(table.sent('offer').at(-1)?.payload.negotiation).toBe(2);
    table.connection(0).become('connected');
    expect(table.side(0).manager.linkState(1)).toBe('connected');
    expect(table.side(1).connections.length).toBe(1);
  });

  it('is not restarted when it comes back by itself', async () => {
    await table.connected();
    table.connection(0).become('disconnected');
    await vi.advanceTimersByTimeAsync(1400);
    table.connection(0).become('connected');
    await vi.advanceTimersByTimeAsync(3000);
    expect(table.connection(0).restarts).toBe(0);
  });

  it('is restarted at the wish of the side that answers', async () => {
    await table.connected();
    table.connection(1).become('disconnected');
    await vi.advanceTimersByTimeAsync(1500);
    await table.settle();
    expect(table.sent('restart-request').map((signal) => signal.from_player_id)).toEqual([1]);
    expect(table.connection(0).restarts).toBe(1);
  });

  it('is rebuilt on both sides after it failed, with a new negotiation', async () => {
    await table.connected();
    table.connection(0).become('failed');
    await table.settle();
    expect(table.side(0).connections.length).toBe(2);
    expect(table.side(1).connections.length).toBe(2);
    expect(table.side(0).connections[0]?.signalingState).toBe('closed');
    expect(table.connection(0).signalingState).toBe('stable');
    expect(table.connection(1).candidates.length).toBe(2);
    expect(table.side(0).manager.linkState(1)).toBe('connecting');
    expect(table.side(1).manager.linkState(0)).toBe('connecting');
  });

  it('is rebuilt at the wish of the side that answers', async () => {
    await table.connected();
    table.connection(1).become('failed');
    await table.settle();
    expect(table.sent('rebuild-request').length).toBe(1);
    expect(table.side(0).connections.length).toBe(2);
    expect(table.connection(1).signalingState).toBe('stable');
  });
});

describe('epochs', () => {
  it('drops signals of an epoch that is over, and of one that was never announced', async () => {
    await table.connected();
    const bye = (epoch: number, message_id: string): IncomingSignal => ({
      type: 'bye',
      from_player_id: 0,
      game_id: 'game1234',
      payload: { epoch, negotiation: 1, seq: 50, message_id },
    });
    table.side(1).manager.handleSignal(bye(2, 'old'));
    table.side(1).manager.handleSignal(bye(4, 'new'));
    await table.settle();
    expect(table.side(1).manager.linkState(0)).toBe('connected');
    expect(table.side(1).manager.rejected).toBe(1);
  });

  it('begins anew in an epoch that the server announced', async () => {
    await table.connected();
    table.side(1).manager.handleEpoch(0, 4);
    table.side(0).manager.handleEpoch(1, 4);
    await vi.advanceTimersByTimeAsync(200);
    await table.settle();
    expect(table.connection(0).signalingState).toBe('stable');
    expect(table.connection(1).signalingState).toBe('stable');
    expect(table.side(0).connections.length).toBe(2);
    expect(table.sent('answer').at(-1)?.payload).toMatchObject({ epoch: 4, negotiation: 1 });
  });
});

describe('a peer whose page was loaded anew', () => {
  it('is met by a new connection when the old one was closed at work', async () => {
    table.connect();
    const old = table.connection(0);
    while (!old.busy) await Promise.resolve();
    table.epoch = 4;
    table.reload(1);
    table.side(0).manager.handleEpoch(1, 4);
    table.side(1).manager.connect();
    expect(old.signalingState).toBe('closed');
    await vi.advanceTimersByTimeAsync(200);
    await table.settle();
    expect(old.busy).toBe(true);
    expect(table.sent('answer').at(-1)?.payload).toMatchObject({ epoch: 4, negotiation: 1 });
  });

  it('is met again in the new epoch, whichever side offers', async () => {
    for (const reloaded of [0, 1]) {
      table.close();
      table = await new Table().connected();
      const old = table.side(1 - reloaded).connections[0];
      table.epoch = 4;
      table.reload(reloaded);
      table.side(1 - reloaded).manager.handleEpoch(reloaded, 4);
      table.side(reloaded).manager.connect();
      await vi.advanceTimersByTimeAsync(200);
      await table.settle();
      expect(old?.signalingState).toBe('closed');
      for (const player of [0, 1]) {
        expect(table.connection(player).signalingState).toBe('stable');
        expect(table.side(player).manager.linkState(1 - player)).toBe('connecting');
        expect(table.side(player).manager.rejected).toBe(0);
      }
      expect(table.sent('answer').at(-1)?.payload).toMatchObject({ epoch: 4, negotiation: 1 });
    }
  });

  it('is not met twice when the news comes twice', async () => {
    await table.connected();
    table.side(0).manager.handleEpoch(1, 4);
    table.side(0).manager.handleEpoch(1, 4);
    await vi.advanceTimersByTimeAsync(150);
    // Its page was loaded twice in a row: only the last one is worth meeting.
    table.side(0).manager.handleEpoch(1, 5);
    await vi.advanceTimersByTimeAsync(200);
    await table.settle();
    expect(table.side(0).connections.length).toBe(2);
    expect(table.sent('offer').at(-1)?.payload.epoch).toBe(5);
  });
});

describe('a browser that makes no connections', () => {
  it('plays through the server', async () => {
    table.close();
    table = new Table();
    table.broken = true;
    table.connect();
    await vi.advanceTimersByTimeAsync(2500);
    for (const player of [0, 1])
      expect(table.side(player).events).toContainEqual({ kind: 'relay', peer: 1 - player, on: true });
    await vi.advanceTimersByTimeAsync(20_000);
    expect(table.side(0).manager.linkState(1)).toBe('relayed');
  });
});

describe('closing', () => {
  it('says goodbye, and the other side closes too', async () => {
    await table.connected();
    table.side(0).manager.close();
    await table.settle();
    expect(table.side(1).manager.linkState(0)).toBe('closed');
    expect(table.connection(0).signalingState).toBe('closed');
    expect(table.connection(1).signalingState).toBe('closed');
  });
});

describe('malformed signals', () => {
  it('never throw', async () => {
    await table.connected();
    const manager = table.side(1).manager;
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
