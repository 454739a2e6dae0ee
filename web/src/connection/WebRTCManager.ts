/**
 * All the peer connections of one game: created, negotiated, watched, restarted, rebuilt and closed here.
 *
 * Signals go out through an injected function and come in through `handleSignal`; everything else leaves as typed events.
 * The game's datagrams are none of this module's business: it hands each new data channel over at once, so that it can be
 * transferred to the worker, and is told when the channel opens and closes.
 */
import type { LinkType } from '../worker/messages';
import { readLinkFigures } from './linkFigures';
import type { LinkState } from './linkLife';
import { PeerLink } from './PeerLink';
import { type IncomingSignal, isStamped, type SignalPayload, type SignalType } from './signals';

export type ManagerEvent =
  /** A new channel, not open yet. It can be transferred only now, before anything else happens to it. */
  | { kind: 'channel'; peer: number; channel: RTCDataChannel }
  | { kind: 'link'; peer: number; state: LinkState; reason: string }
  | { kind: 'figures'; peer: number; link: LinkType; rtt_ms: number | null }
  | { kind: 'rejected'; peer: number; reason: string };

export interface WebRTCManagerOptions {
  game_id: string;
  player_id: number;
  /** The player ids of all persons of the game; ours may be among them. */
  peers: readonly number[];
  /** Signaling epoch of our pair with each peer. */
  epochOf(peer: number): number;
  ice_servers: RTCIceServer[];
  ice_transport_policy?: RTCIceTransportPolicy;
  sendSignal(target_player_id: number, type: SignalType, payload: SignalPayload): void;
  onEvent(event: ManagerEvent): void;
  /** Tests give a factory of their own. */
  createConnection?(configuration: RTCConfiguration): RTCPeerConnection;
  now_ms?(): number;
}

const FIGURES_EVERY_MS = 1000;

export class WebRTCManager {
  readonly #options: WebRTCManagerOptions;
  readonly #links = new Map<number, PeerLink>();
  readonly #figures_timer: ReturnType<typeof setInterval>;
  #rejected = 0;
  #closed = false;

  constructor(options: WebRTCManagerOptions) {
    this.#options = options;
    const name = `${options.player_id}-${randomName()}`;
    for (const peer of options.peers) {
      if (peer === options.player_id) continue;
      // Of two players the lower id offers: no glare, by construction.
      const role = options.player_id < peer ? 'offer' : 'answer';
      this.#links.set(peer, new PeerLink(peer, role, options.epochOf(peer), name, this.#linkHost()));
    }
    this.#figures_timer = setInterval(() => void this.#readFigures(), FIGURES_EVERY_MS);
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
    const link = this.#links.get(signal.from_player_id);
    if (link === undefined || !isStamped(signal.payload)) {
      this.#reject(signal.from_player_id, 'a signal from nobody we know, or without a stamp');
      return;
    }
    link.receiveSignal(signal.type, signal.payload);
  }

  /** The peer's channel opened, wherever it is worked. */
  handleChannelOpen(peer: number): void {
    this.#links.get(peer)?.dispatch({ kind: 'channel_open' });
    void this.#readFigures();
  }

  handleChannelClosed(peer: number): void {
    this.#links.get(peer)?.dispatch({ kind: 'channel_closed' });
  }

  /** The server issued a new epoch for the pair that we and `peer` are. */
  announceEpoch(peer: number, epoch: number): void {
    this.#links.get(peer)?.announceEpoch(epoch);
  }

  /** The peer's page is another one: what there was with the former one is over, and we meet anew in `epoch`. */
  beginAnew(peer: number, epoch: number): void {
    this.#links.get(peer)?.beginAnew(epoch);
  }

  /** The machine changed networks: every path may be dead without knowing it. */
  handleNetworkChange(): void {
    for (const link of this.#links.values()) link.dispatch({ kind: 'network_changed' });
  }

  linkState(peer: number): LinkState | undefined {
    return this.#links.get(peer)?.life.state;
  }

  /** Close the link to one peer, with a goodbye. */
  closePeer(peer: number): void {
    this.#links.get(peer)?.dispatch({ kind: 'close' });
  }

  /** Close every link, with a goodbye to each peer. */
  close(): void {
    if (this.#closed) return;
    clearInterval(this.#figures_timer);
    for (const link of this.#links.values()) link.dispatch({ kind: 'close' });
    this.#closed = true;
  }

  /** Everything asked for so far has been done; for tests. */
  async settled(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.settled()));
  }

  #linkHost(): ConstructorParameters<typeof PeerLink>[4] {
    const options = this.#options;
    const configuration: RTCConfiguration = { iceServers: options.ice_servers };
    if (options.ice_transport_policy) configuration.iceTransportPolicy = options.ice_transport_policy;
    const create = options.createConnection ?? ((given) => new RTCPeerConnection(given));
    return {
      createConnection: () => create(configuration),
      sendSignal: (peer, type, payload) => options.sendSignal(peer, type, payload),
      channelCreated: (peer, channel) => options.onEvent({ kind: 'channel', peer, channel }),
      lifeChanged: (peer, { state, reason }) => options.onEvent({ kind: 'link', peer, state, reason }),
      rejected: (peer, reason) => this.#reject(peer, reason),
      now_ms: () => options.now_ms?.() ?? performance.now(),
    };
  }

  async #readFigures(): Promise<void> {
    for (const link of this.#links.values()) {
      const connection = link.connection;
      if (connection?.connectionState !== 'connected') continue;
      const figures = readLinkFigures(await connection.getStats());
      if (figures !== null && link.connection === connection) {
        this.#options.onEvent({ kind: 'figures', peer: link.peer, ...figures });
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
