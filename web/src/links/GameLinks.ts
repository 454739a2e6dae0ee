/**
 * The links of one game on the page: their connections, the channels that the worker could not take, and the way through
 * the server. Datagrams pass through here only where they cannot go from worker to worker.
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
import { addressed, RelayLane, readAddressed } from './RelayLane';
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
  /** Through the server: u8 target, then the datagram. */
  sendDatagram(message: Uint8Array): void;
  /** Relays with fresh credentials; null when they cannot be had. */
  iceServers(): Promise<RTCIceServer[] | null>;
  /** The game rests on the way through the server now: see that there is one. */
  probeServer(): void;
  onStatus(event: LinkStatusEvent): void;
  /** The round trip that the game itself measures. */
  measuredRtt(peer: number): number | null;
}

const SETTLED: ReadonlySet<LinkState> = new Set(['connected', 'relayed', 'closed']);

/** A path that was proven, and is not known to be gone. */
const WITH_PATH: ReadonlySet<LinkState> = new Set(['connected', 'suspect', 'restarting']);

/** Credentials for relays are valid for ten minutes. */
const ICE_RENEWAL_MS = 240_000;

/** While the game rests on the server, it is seen this often that something comes from there. */
const RELAY_WATCH_MS = 500;

/** More than this waiting in a channel's buffer means that the link is slower than the game. */
const MAX_BUFFERED_BYTES = 4096;

export class GameLinks {
  readonly #config: GameConfig;
  readonly #worker: LinkWorker;
  readonly #host: GameLinksHost;
  readonly #manager: WebRTCManager;
  readonly #relay: RelayLane;
  /** Channels that the browser would not transfer. */
  readonly #kept_channels = new Map<number, RTCDataChannel>();
  /** Most bytes that waited in those since the worker was told last. */
  readonly #buffered = new Map<number, number>();
  readonly #states = new Map<number, LinkState>();
  readonly #figures = new Map<number, LinkFigures>();
  readonly #types = new Map<number, LinkType>();
  #resting = false;
  /** When something came through the server last, or was expected to from then on. */
  #relayed_ms = 0;
  #relay_timer: ReturnType<typeof setInterval> | null = null;
  #ice_timer: ReturnType<typeof setInterval> | null = null;

  constructor(config: GameConfig, worker: LinkWorker, host: GameLinksHost) {
    this.#config = config;
    this.#worker = worker;
    this.#host = host;
    this.#relay = new RelayLane((peer, data) => host.sendDatagram(addressed(peer, data)));
    this.#manager = new WebRTCManager({
      game_id: config.game_id,
      player_id: config.player_id,
      peers: config.peers,
      epochOf: (peer) => config.epochs?.[peer] ?? config.epoch,
      ice_servers: config.ice_servers,
      ...(config.ice_policy ? { ice_policy: config.ice_policy } : {}),
      sendSignal: (target_player_id, type, payload) =>
        host.sendSignal({ type, game_id: config.game_id, target_player_id, payload }),
      onEvent: (event) => this.#take(event),
    });
  }

  /** Begin to connect to everybody who is still there. */
  connect(): void {
    if (this.#config.ice_servers.length > 0) {
      this.#ice_timer = setInterval(() => void this.#renewIceServers(), ICE_RENEWAL_MS);
    }
    this.#manager.connect();
  }

  /** Whether there is a way to everybody, or nobody to be reached any more. */
  get complete(): boolean {
    const others = this.#config.peers.filter((peer) => peer !== this.#config.player_id);
    return others.every((peer) => SETTLED.has(this.#states.get(peer) ?? 'idle'));
  }

  /** Of the automation contract: how each peer is reached, and what the browser says of that path. */
  get stats(): Pick<GameStats, 'link' | 'paths'> {
    const paths = [...this.#figures].map(([peer, { link: _, ...figures }]) => [peer, figures]);
    return { link: Object.fromEntries(this.#types), paths: Object.fromEntries(paths) };
  }

  handleSignal(signal: IncomingSignal): void {
    this.#manager.handleSignal(signal);
  }

  /** A datagram of another player came through the server. */
  handleRelayed(message: unknown): void {
    const datagram = readAddressed(message);
    if (datagram === null || !this.#states.has(datagram.player_id)) return;
    const { player_id: peer, data } = datagram;
    this.#relayed_ms = performance.now();
    this.#manager.handleRelayed(peer);
    this.#worker.post({ kind: 'datagram', peer, data, direct: false }, [data]);
  }

  /** The server raised the epoch of our pair. */
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

  /** Take what the worker says of its channels, and what it wants sent. */
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
    }
  }

  /** The session is over: how the links end is no news. */
  rest(): void {
    this.#resting = true;
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

  #take(event: ManagerEvent): void {
    if (this.#resting && event.kind !== 'channel') return;
    switch (event.kind) {
      case 'channel':
        this.#figures.delete(event.peer); // they were another connection's
        this.#placeChannel(event.peer, event.connection, event.channel);
        return;
      case 'link':
        this.#states.set(event.peer, event.state);
        this.#showType(event.peer);
        this.#host.onStatus(event);
        return;
      case 'relay':
        this.#relay.set(event.peer, event.on);
        this.#watchRelay();
        this.#worker.post({ kind: 'relay', peer: event.peer, on: event.on });
        this.#showType(event.peer);
        return;
      case 'figures':
        this.#figures.set(event.peer, event.figures);
        this.#showType(event.peer);
        this.#tellPath(event.peer, event.figures);
        return;
      case 'rejected':
        console.warn(`coplay: refused from player ${event.peer}: ${event.reason}`);
        return;
    }
  }

  /** What the game rests on must be certain: at once when it begins to, and whenever nothing comes that way any more. */
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

  /** Tell the worker and the page by which way a peer is reached, if by any. */
  #showType(peer: number): void {
    const state = this.#states.get(peer) ?? 'idle';
    const figures = WITH_PATH.has(state) ? this.#figures.get(peer) : undefined;
    // While the direct path is on trial both lanes carry everything; what cannot fail is what play rests on.
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

  #tellPath(peer: number, { link: _, ...path }: LinkFigures): void {
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
