/**
 * The page's side of one game's links: WebRTCManager, the relay, and channels that stay on the page.
 *
 * Datagrams pass through here only if they cannot go from worker to worker: where a channel could not be transferred,
 * and through the server.
 */

import type {
  FromWorker,
  GameConfig,
  GameStats,
  IncomingSignal,
  LinkType,
  OutgoingSignal,
  ToWorker,
} from '../protocol/messages';
import type { LinkState } from './life/link';
import { TIMES } from './life/times';
import type { LinkFigures } from './linkFigures';
import { decodeRelayed, encodeRelayed, RelayLane } from './RelayLane';
import { type ManagerEvent, WebRTCManager } from './WebRTCManager';

/** The worker that simulates the game, as its links use it. */
export interface LinkWorker {
  post(message: ToWorker, transfer?: Transferable[]): void;
  /** @returns False if the browser cannot transfer channels: the page then keeps this one. */
  transferChannel(peer: number, connection: number, channel: RTCDataChannel): boolean;
}

export type LinkStatusEvent =
  | { kind: 'link'; peer: number; state: LinkState; reason: string }
  | { kind: 'figures'; peer: number; link: LinkType; rtt_ms: number | null };

export interface GameLinksHost {
  sendSignal(signal: OutgoingSignal): void;
  /** Send a datagram through the server: u8 target, then the bytes. */
  sendDatagram(message: Uint8Array): void;
  /** Fetch ICE servers with fresh credentials; null if the server does not answer. */
  iceServers(): Promise<RTCIceServer[] | null>;
  /** Check that the socket to the server works: the game depends on it now. */
  probeServer(): void;
  onStatus(event: LinkStatusEvent): void;
  /** The round trip that the game itself measures, in milliseconds; null before the first measurement. */
  measuredRtt(peer: number): number | null;
}

/** States in which a peer can be reached, or need not be reached any more. */
const SETTLED: ReadonlySet<LinkState> = new Set(['connected', 'relayed', 'closed']);

/** States with a direct path that has worked and may still work. */
const WITH_PATH: ReadonlySet<LinkState> = new Set(['connected', 'suspect', 'restarting']);

/** TURN credentials are valid for ten minutes. */
const ICE_RENEWAL_MS = 240_000;

/** While the game depends on the relay, it is checked this often that something arrives from there. */
const RELAY_WATCH_MS = 500;

/** With more than this in a channel's buffer, the link is slower than the game and datagrams are dropped. */
const MAX_BUFFERED_BYTES = 4096;

export class GameLinks {
  readonly #config: GameConfig;
  readonly #worker: LinkWorker;
  readonly #host: GameLinksHost;
  readonly #manager: WebRTCManager;
  readonly #relay: RelayLane;
  /** Channels that the browser could not transfer to the worker. */
  readonly #kept_channels = new Map<number, RTCDataChannel>();
  /** Most bytes that waited in those since the last report to the worker. */
  readonly #buffered = new Map<number, number>();
  readonly #states = new Map<number, LinkState>();
  readonly #figures = new Map<number, LinkFigures>();
  readonly #types = new Map<number, LinkType>();
  /** Whether the session is over, so that links may end in any way. */
  #session_over = false;
  /** When a datagram last arrived through the server, or the first one was expected. */
  #relayed_ms = 0;
  #relay_timer: ReturnType<typeof setInterval> | null = null;
  #ice_timer: ReturnType<typeof setInterval> | null = null;

  constructor(config: GameConfig, worker: LinkWorker, host: GameLinksHost) {
    this.#config = config;
    this.#worker = worker;
    this.#host = host;
    this.#relay = new RelayLane((peer, data) => host.sendDatagram(encodeRelayed(peer, data)));
    this.#manager = new WebRTCManager({
      game_id: config.game_id,
      player_id: config.player_id,
      peers: config.peers,
      epochOf: (peer) => config.epochs?.[peer] ?? config.epoch,
      ice_servers: config.ice_servers,
      ...(config.ice_policy ? { ice_policy: config.ice_policy } : {}),
      sendSignal: (target_player_id, type, payload) =>
        host.sendSignal({ type, game_id: config.game_id, target_player_id, payload }),
      onEvent: (event) => this.#handle(event),
    });
  }

  /** Begin to connect to every peer that has not left. */
  connect(): void {
    if (this.#config.ice_servers.length > 0) {
      this.#ice_timer = setInterval(() => void this.#renewIceServers(), ICE_RENEWAL_MS);
    }
    this.#manager.connect();
  }

  /** Whether every peer can be reached, or need not be reached any more. */
  get complete(): boolean {
    const others = this.#config.peers.filter((peer) => peer !== this.#config.player_id);
    return others.every((peer) => SETTLED.has(this.#states.get(peer) ?? 'idle'));
  }

  /** For the automation contract: how each peer is reached, and the browser's figures about that path. */
  get stats(): Pick<GameStats, 'link' | 'paths'> {
    const paths = [...this.#figures].map(([peer, { link: _, ...figures }]) => [peer, figures]);
    return { link: Object.fromEntries(this.#types), paths: Object.fromEntries(paths) };
  }

  handleSignal(signal: IncomingSignal): void {
    this.#manager.handleSignal(signal);
  }

  /** Take a datagram of another player that arrived through the server. */
  handleRelayed(message: unknown): void {
    const datagram = decodeRelayed(message);
    if (datagram === null || !this.#states.has(datagram.player_id)) return;
    const { player_id: peer, data } = datagram;
    this.#relayed_ms = performance.now();
    this.#manager.handleRelayed(peer);
    this.#worker.post({ kind: 'datagram', peer, data, direct: false }, [data]);
  }

  /** The server raised the epoch of this pair. */
  handleEpoch(peer: number, epoch: number): void {
    this.#manager.handleEpoch(peer, epoch);
  }

  handleSocketBack(): void {
    this.#manager.handleSocketBack();
  }

  handleNetworkChange(): void {
    this.#manager.handleNetworkChange();
  }

  setIceServers(ice_servers: RTCIceServer[]): void {
    this.#manager.setIceServers(ice_servers);
  }

  /** Take a message of the worker: about its channels, or a datagram for the page to send. */
  handleMessage(message: Extract<FromWorker, { kind: 'channel_state' | 'hearing' | 'send' }>): void {
    switch (message.kind) {
      case 'channel_state':
        this.#manager.handleChannel(message.peer, message.connection, message.open);
        return;
      case 'hearing':
        this.#manager.handleHearing(message.peer, message.connection, message.direct);
        return;
      case 'send':
        if (message.direct) this.#sendKept(message.peer, message.data);
        else this.#relay.send(message.peer, message.data, performance.now());
        return;
      default:
        message satisfies never;
    }
  }

  /** The session is over: report no more about how links end. */
  endSession(): void {
    this.#session_over = true;
  }

  /** Close the link to one player for good. */
  closePeer(peer: number): void {
    this.#manager.closePeer(peer);
  }

  close(): void {
    if (this.#ice_timer !== null) clearInterval(this.#ice_timer);
    if (this.#relay_timer !== null) clearInterval(this.#relay_timer);
    this.#manager.close();
  }

  #handle(event: ManagerEvent): void {
    if (this.#session_over && event.kind !== 'channel') return;
    switch (event.kind) {
      case 'channel':
        this.#figures.delete(event.peer); // they belong to the former connection
        this.#placeChannel(event.peer, event.connection, event.channel);
        return;
      case 'link':
        this.#states.set(event.peer, event.state);
        this.#publishType(event.peer);
        this.#host.onStatus(event);
        return;
      case 'relay':
        this.#relay.set(event.peer, event.on);
        this.#watchRelay();
        this.#worker.post({ kind: 'relay', peer: event.peer, on: event.on });
        this.#publishType(event.peer);
        return;
      case 'figures':
        this.#figures.set(event.peer, event.figures);
        this.#publishType(event.peer);
        this.#reportPath(event.peer, event.figures);
        return;
      case 'rejected':
        console.warn(`coplay: rejected from player ${event.peer}: ${event.reason}`);
        return;
      default:
        event satisfies never;
    }
  }

  /** Probe the server when the game begins to depend on the relay, and whenever nothing arrives that way. */
  #watchRelay(): void {
    const relaying = this.#config.peers.some((peer) => this.#relay.has(peer));
    if (relaying === (this.#relay_timer !== null)) return;
    if (this.#relay_timer !== null) {
      clearInterval(this.#relay_timer);
      this.#relay_timer = null;
      return;
    }
    this.#host.probeServer();
    this.#relayed_ms = performance.now();
    this.#relay_timer = setInterval(() => {
      if (performance.now() - this.#relayed_ms > TIMES.silent_ms) this.#host.probeServer();
    }, RELAY_WATCH_MS);
  }

  /** Tell the worker and the page how a peer is reached, if at all. */
  #publishType(peer: number): void {
    const state = this.#states.get(peer) ?? 'idle';
    const figures = WITH_PATH.has(state) ? this.#figures.get(peer) : undefined;
    // While a new direct path is on trial, both ways carry every datagram, and the relay is the one play depends on.
    const relayed = this.#relay.has(peer) && state !== 'connected';
    const link = relayed ? 'relay' : figures?.link;
    this.#worker.post({ kind: 'link', peer, link: link ?? '' });
    if (link === undefined) {
      this.#types.delete(peer);
      return;
    }
    this.#types.set(peer, link);
    const rtt_ms = relayed ? this.#host.measuredRtt(peer) : (figures?.rtt_ms ?? null);
    this.#host.onStatus({ kind: 'figures', peer, link, rtt_ms });
  }

  #reportPath(peer: number, { link: _, ...path }: LinkFigures): void {
    const buffered_amount = this.#buffered.get(peer) ?? null;
    this.#buffered.delete(peer);
    this.#worker.post({ kind: 'path', peer, path, buffered_amount });
  }

  #placeChannel(peer: number, connection: number, channel: RTCDataChannel): void {
    if (this.#worker.transferChannel(peer, connection, channel)) return;
    this.#kept_channels.set(peer, channel);
    channel.onopen = () => this.#worker.post({ kind: 'channel_open', peer, connection });
    channel.onclose = () => {
      if (this.#kept_channels.get(peer) === channel)
        this.#worker.post({ kind: 'channel_closed', peer, connection });
    };
    channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) =>
      this.#worker.post({ kind: 'datagram', peer, data, direct: true }, [data]);
  }

  #sendKept(peer: number, data: ArrayBuffer): void {
    const channel = this.#kept_channels.get(peer);
    if (channel?.readyState !== 'open') return;
    const waiting = channel.bufferedAmount;
    this.#buffered.set(peer, Math.max(waiting, this.#buffered.get(peer) ?? 0));
    if (waiting <= MAX_BUFFERED_BYTES) channel.send(data);
  }

  async #renewIceServers(): Promise<void> {
    const ice_servers = await this.#host.iceServers();
    if (ice_servers !== null) this.#manager.setIceServers(ice_servers);
  }
}
