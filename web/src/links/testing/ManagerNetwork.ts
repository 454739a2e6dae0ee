import { vi } from 'vitest';
import type { IncomingSignal, SignalPayload, SignalType } from '../../protocol/messages';
import { type ManagerEvent, WebRTCManager } from '../WebRTCManager';
import { FakeConnection } from './FakeConnection';

/** One player's page. */
interface Side {
  manager: WebRTCManager;
  connections: FakeConnection[];
  events: ManagerEvent[];
}

/** A signal that was sent and not delivered yet. */
interface InFlight {
  to: number;
  signal: IncomingSignal;
}

/** Players' managers, and the network between them, which the test controls. */
export class ManagerNetwork {
  readonly sides: Side[] = [];
  readonly in_flight: InFlight[] = [];
  readonly delivered: IncomingSignal[] = [];
  /** The epoch that the server gives to pages that load from now on. */
  epoch = 3;
  /** Whether the browsers cannot create connections. */
  broken = false;
  readonly #peers: number[];

  constructor(players = 2) {
    this.#peers = Array.from({ length: players }, (_, player) => player);
    for (const player_id of this.#peers) this.sides.push(this.#open(player_id));
  }

  /** Replace a player's page by a new one, without a `bye`. */
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
        // A copy, as over a real network.
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

  /** The connection that a player's page created last. */
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

  /** Deliver signals until none is in flight, in the order that `choose` gives. */
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

  /** Connect all players, up to open channels. */
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
