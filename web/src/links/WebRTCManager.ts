/**
 * All links of one game, from the first offer to the last `bye`.
 *
 * Connections are created, negotiated, monitored, restarted, rebuilt and closed here, and it is decided when datagrams
 * go through the server.
 *
 * Signals leave through an injected function and enter through `handleSignal`; everything else leaves as typed events.
 * Datagrams never pass through here: each new data channel is handed over immediately, so that it can be transferred
 * to the worker, and the manager is told when the channel opens, closes or falls silent.
 */

import type { IncomingSignal, SignalPayload, SignalType } from '../protocol/messages';
import { type Link, type LinkState, shownState } from './life/link';
import { isStamped } from './life/signals';
import { TIMES } from './life/times';
import type { LinkFigures } from './linkFigures';
import { readLinkFigures } from './linkFigures';
import { PeerLink, type PeerLinkHost } from './PeerLink';

export type ManagerEvent =
  /** A channel was created and is not open yet. It can be transferred to a worker only during this event. */
  | { kind: 'channel'; peer: number; channel: RTCDataChannel; connection: number }
  | { kind: 'link'; peer: number; state: LinkState; reason: string }
  /** Start or stop sending the game's datagrams to this peer through the server as well. */
  | { kind: 'relay'; peer: number; on: boolean }
  | { kind: 'figures'; peer: number; figures: LinkFigures }
  | { kind: 'rejected'; peer: number; reason: string };

export interface WebRTCManagerOptions {
  game_id: string;
  player_id: number;
  /** The player ids of all people in the game, with or without this player's own. */
  peers: readonly number[];
  /** Return the signaling epoch of this player's pair with a peer. */
  epochOf(peer: number): number;
  ice_servers: RTCIceServer[];
  ice_policy?: RTCIceTransportPolicy;
  sendSignal(target_player_id: number, type: SignalType, payload: SignalPayload): void;
  onEvent(event: ManagerEvent): void;
  /** For tests: a factory of connections, a clock, and a generator of numbers in [0, 1). */
  createConnection?(configuration: RTCConfiguration): RTCPeerConnection;
  now_ms?(): number;
  random?(): number;
}

/** What was last published about a link. */
interface PublishedLink {
  state: LinkState;
  relaying: boolean;
  reason: string;
}

export class WebRTCManager {
  readonly #options: WebRTCManagerOptions;
  readonly #links = new Map<number, PeerLink>();
  readonly #published = new Map<number, PublishedLink>();
  readonly #ticker: ReturnType<typeof setInterval>;
  #ice_servers: RTCIceServer[];
  #ticked_ms = Date.now();
  #rejected = 0;
  #closed = false;

  constructor(options: WebRTCManagerOptions) {
    this.#options = options;
    this.#ice_servers = options.ice_servers;
    const page = randomName();
    for (const peer of options.peers) {
      if (peer === options.player_id) continue;
      // Of two players the lower id offers, so that offers never cross.
      const role = options.player_id < peer ? 'offer' : 'answer';
      const name = `${options.player_id}-${page}-${peer}`;
      this.#links.set(peer, new PeerLink(peer, role, options.epochOf(peer), name, this.#linkHost()));
    }
    this.#ticker = setInterval(() => this.#tick(), TIMES.tick_ms);
  }

  /** Number of signals, candidates and negotiation steps rejected so far. */
  get rejected(): number {
    return this.#rejected;
  }

  /** Begin to connect to every peer. */
  connect(): void {
    for (const link of this.#links.values()) link.dispatch({ kind: 'start' });
  }

  /** Take a signal that the server relayed. Malformed ones never throw. */
  handleSignal(signal: IncomingSignal): void {
    if (this.#closed || signal.game_id !== this.#options.game_id) return;
    const { from_player_id, type, payload } = signal;
    const link = this.#links.get(from_player_id);
    if (link === undefined || !isStamped(payload)) {
      this.#reject(
        from_player_id,
        'a signal of an unknown player, or without epoch, negotiation and message id',
      );
      return;
    }
    link.dispatch({ kind: 'signal', type, payload });
  }

  /** The peer's channel opened or closed, in the worker or on the page. */
  handleChannel(peer: number, connection: number, open: boolean): void {
    this.#links.get(peer)?.dispatch({ kind: 'channel', connection, open });
    if (open) void this.#readFigures();
  }

  /** Datagrams arrive over the peer's channel again, or have not for a while. */
  handleHearing(peer: number, connection: number, direct: boolean): void {
    this.#links.get(peer)?.dispatch({ kind: 'hearing', connection, direct });
  }

  /** A datagram of the peer arrived through the server. */
  handleRelayed(peer: number): void {
    this.#links.get(peer)?.dispatch({ kind: 'relay_heard' });
  }

  /** The server raised the epoch of this pair: connect again from the start. */
  handleEpoch(peer: number, epoch: number): void {
    this.#links.get(peer)?.dispatch({ kind: 'epoch', epoch });
  }

  /** The socket to the server is open again. */
  handleSocketBack(): void {
    this.#all('socket_back');
  }

  /** The machine changed networks: any path may be dead although nothing has reported it. */
  handleNetworkChange(): void {
    this.#all('network_changed');
  }

  /** Set fresh TURN credentials, for connections that are created or restarted from now on. */
  setIceServers(ice_servers: RTCIceServer[]): void {
    this.#ice_servers = ice_servers;
  }

  linkState(peer: number): LinkState | undefined {
    return this.#links.get(peer)?.link.state;
  }

  /** Close the link to a peer for good, and send it a `bye`. */
  closePeer(peer: number): void {
    this.#links.get(peer)?.dispatch({ kind: 'close' });
  }

  /** Close every link for good, and send each peer a `bye`. */
  close(): void {
    if (this.#closed) return;
    clearInterval(this.#ticker);
    this.#all('close');
    this.#closed = true;
  }

  /** Resolve when every step of every link so far is done; for tests. */
  async settled(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.settled()));
  }

  #all(kind: 'socket_back' | 'network_changed' | 'woke' | 'close'): void {
    for (const link of this.#links.values()) link.dispatch({ kind });
  }

  #configuration(): RTCConfiguration {
    const configuration: RTCConfiguration = { iceServers: this.#ice_servers };
    if (this.#options.ice_policy) configuration.iceTransportPolicy = this.#options.ice_policy;
    return configuration;
  }

  #linkHost(): PeerLinkHost {
    const options = this.#options;
    const create = options.createConnection ?? ((given) => new RTCPeerConnection(given));
    return {
      createConnection: () => create(this.#configuration()),
      configuration: () => this.#configuration(),
      sendSignal: (peer, type, payload) => options.sendSignal(peer, type, payload),
      channelCreated: (peer, channel, connection) =>
        options.onEvent({ kind: 'channel', peer, channel, connection }),
      changed: (peer, link) => this.#publish(peer, link),
      rejected: (peer, reason) => this.#reject(peer, reason),
      now_ms: () => options.now_ms?.() ?? performance.now(),
      random: () => options.random?.() ?? Math.random(),
    };
  }

  #publish(peer: number, link: Link): void {
    const before = this.#published.get(peer) ?? { state: 'idle', relaying: false, reason: '' };
    const now = { state: shownState(link), relaying: link.relaying, reason: link.reason };
    this.#published.set(peer, now);
    if (now.relaying !== before.relaying) this.#options.onEvent({ kind: 'relay', peer, on: now.relaying });
    if (now.state !== before.state || now.reason !== before.reason)
      this.#options.onEvent({ kind: 'link', peer, state: now.state, reason: link.reason });
  }

  #tick(): void {
    // Wall clock, because the monotonic clock stops while some machines sleep.
    const now_ms = Date.now();
    const gap_ms = now_ms - this.#ticked_ms;
    this.#ticked_ms = now_ms;
    if (gap_ms > TIMES.sleep_gap_ms) this.#all('woke');
    void this.#readFigures();
  }

  async #readFigures(): Promise<void> {
    for (const link of this.#links.values()) {
      const connection = link.connection;
      if (connection?.connectionState !== 'connected') continue;
      const figures = readLinkFigures(await connection.getStats());
      if (figures !== null && link.connection === connection) {
        this.#options.onEvent({ kind: 'figures', peer: link.peer, figures });
      }
    }
  }

  #reject(peer: number, reason: string): void {
    this.#rejected += 1;
    this.#options.onEvent({ kind: 'rejected', peer, reason });
  }
}

/** Return a random name: after a reload, new messages must not be taken for duplicates of the former page's. */
function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
