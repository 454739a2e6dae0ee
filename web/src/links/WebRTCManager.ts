/**
 * All the links of one game: connections created, negotiated, watched, restarted, rebuilt and closed, and the way through the
 * server where there is no other.
 *
 * Signals go out through an injected function and come in through `handleSignal`; everything else leaves as typed events.
 * The game's datagrams are none of this module's business: it hands each new data channel over at once, so that it can be
 * transferred to the worker, and is told when the channel opens, closes and falls silent.
 */

import type { IncomingSignal, SignalPayload, SignalType } from '../protocol/messages';
import { type Link, type LinkState, shownState } from './life/link';
import { isStamped } from './life/signals';
import { TIMES } from './life/times';
import type { LinkFigures } from './linkFigures';
import { readLinkFigures } from './linkFigures';
import { PeerLink, type PeerLinkHost } from './PeerLink';

export type ManagerEvent =
  /** A new channel, not open yet. It can be transferred only now, before anything else happens to it. */
  | { kind: 'channel'; peer: number; channel: RTCDataChannel; connection: number }
  | { kind: 'link'; peer: number; state: LinkState; reason: string }
  /** Carry the game's datagrams to this peer through the server, too; or not any more. */
  | { kind: 'relay'; peer: number; on: boolean }
  | { kind: 'figures'; peer: number; figures: LinkFigures }
  | { kind: 'rejected'; peer: number; reason: string };

export interface WebRTCManagerOptions {
  game_id: string;
  player_id: number;
  /** The player ids of all persons of the game; ours may be among them. */
  peers: readonly number[];
  /** Signaling epoch of our pair with each peer. */
  epochOf(peer: number): number;
  ice_servers: RTCIceServer[];
  ice_policy?: RTCIceTransportPolicy;
  sendSignal(target_player_id: number, type: SignalType, payload: SignalPayload): void;
  onEvent(event: ManagerEvent): void;
  /** Tests give a factory of their own, a clock and a generator of numbers in [0, 1). */
  createConnection?(configuration: RTCConfiguration): RTCPeerConnection;
  now_ms?(): number;
  random?(): number;
}

interface ShownLink {
  state: LinkState;
  relaying: boolean;
  reason: string;
}

export class WebRTCManager {
  readonly #options: WebRTCManagerOptions;
  readonly #links = new Map<number, PeerLink>();
  readonly #shown = new Map<number, ShownLink>();
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
      // Of two players the lower id offers: no glare, by construction.
      const role = options.player_id < peer ? 'offer' : 'answer';
      const name = `${options.player_id}-${page}-${peer}`;
      this.#links.set(peer, new PeerLink(peer, role, options.epochOf(peer), name, this.#linkHost()));
    }
    this.#ticker = setInterval(() => this.#tick(), TIMES.tick_ms);
  }

  /** How many signals, candidates or negotiation steps were refused so far. */
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
      this.#reject(from_player_id, 'a signal from nobody we know, or without a stamp');
      return;
    }
    link.dispatch({ kind: 'signal', type, payload });
  }

  /** The peer's channel opened or closed, wherever it is worked. */
  handleChannel(peer: number, connection: number, open: boolean): void {
    this.#links.get(peer)?.dispatch({ kind: 'channel', connection, open });
    if (open) void this.#readFigures();
  }

  /** Datagrams come over the peer's channel, or have not for a while. */
  handleHearing(peer: number, connection: number, direct: boolean): void {
    this.#links.get(peer)?.dispatch({ kind: 'hearing', connection, direct });
  }

  /** A datagram of the peer came through the server. */
  handleRelayed(peer: number): void {
    this.#links.get(peer)?.dispatch({ kind: 'relay_heard' });
  }

  /** The server raised the epoch of our pair: what there was is over, and we meet anew. */
  handleEpoch(peer: number, epoch: number): void {
    this.#links.get(peer)?.dispatch({ kind: 'epoch', epoch });
  }

  /** The socket to the server is open again. */
  handleSocketBack(): void {
    this.#all('socket_back');
  }

  /** The machine changed networks: every path may be dead without knowing it. */
  handleNetworkChange(): void {
    this.#all('network_changed');
  }

  /** Fresh credentials for relays; what is made or restarted from now on uses them. */
  setIceServers(ice_servers: RTCIceServer[]): void {
    this.#ice_servers = ice_servers;
  }

  linkState(peer: number): LinkState | undefined {
    return this.#links.get(peer)?.link.state;
  }

  /** Close the link to one peer for good, with a goodbye. */
  closePeer(peer: number): void {
    this.#links.get(peer)?.dispatch({ kind: 'close' });
  }

  /** Close every link, with a goodbye to each peer. */
  close(): void {
    if (this.#closed) return;
    clearInterval(this.#ticker);
    this.#all('close');
    this.#closed = true;
  }

  /** Everything asked for so far has been done; for tests. */
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
      changed: (peer, link) => this.#show(peer, link),
      rejected: (peer, reason) => this.#reject(peer, reason),
      now_ms: () => options.now_ms?.() ?? performance.now(),
      random: () => options.random?.() ?? Math.random(),
    };
  }

  #show(peer: number, link: Link): void {
    const before = this.#shown.get(peer) ?? { state: 'idle', relaying: false, reason: '' };
    const now = { state: shownState(link), relaying: link.relaying, reason: link.reason };
    this.#shown.set(peer, now);
    if (now.relaying !== before.relaying) this.#options.onEvent({ kind: 'relay', peer, on: now.relaying });
    if (now.state !== before.state || now.reason !== before.reason)
      this.#options.onEvent({ kind: 'link', peer, state: now.state, reason: link.reason });
  }

  #tick(): void {
    // The wall clock, for the monotonic one stands still in some machines' sleep.
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

/** Differs after each reload, so that a new page's messages are never taken for the old one's duplicates. */
function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
