/**
 * One game of this participant: brings together the worker that simulates, the links to the other players, and the
 * uploads to the server. What a person should see of it leaves as news.
 */
import type { LinkState } from '../connection/link';
import type { LinkFigures } from '../connection/linkFigures';
import type { Outbox } from '../connection/Outbox';
import type { IncomingSignal, OutgoingSignal } from '../connection/signals';
import { sleepUnevenly, Uploads } from '../connection/Uploads';
import { WebRTCManager } from '../connection/WebRTCManager';
import type { Picture } from '../draw/DisplayList';
import type {
  FromWorker,
  GameConfig,
  GamePhase,
  GameReport,
  GameStats,
  Hud,
  LinkType,
} from '../worker/messages';
import { addressed, RelayLane, readAddressed } from './RelayLane';
import type { Simulation } from './Simulation';

export type GameNews =
  | { kind: 'picture'; picture: Picture }
  | { kind: 'hud'; hud: Hud }
  | { kind: 'phase'; phase: GamePhase }
  /** `lost` when it was given up: neither side closed it. */
  | { kind: 'link'; peer: number; state: LinkState; reason: string; lost: boolean }
  | { kind: 'figures'; peer: number; link: LinkType; rtt_ms: number | null }
  | { kind: 'partner'; peer: number; present: boolean }
  | { kind: 'report'; report: GameReport }
  /** Batches or the report are on their way to the server. */
  | { kind: 'saving'; waiting: number; failing: boolean }
  /** The server has everything. */
  | { kind: 'saved' };

export interface GameHost {
  sendSignal(signal: OutgoingSignal): void;
  /** Through the server: u8 target, then the datagram. */
  sendDatagram(message: Uint8Array): void;
  gameOver(game_id: string): void;
  news(news: GameNews): void;
  /** Keeps on this device what the server has not got yet. */
  outbox: Outbox;
}

/** After the end, the links stay open for this long: the other players may still wait for our last words. */
const LINGER_MS = 4000;

export class GameClient {
  readonly config: GameConfig;
  readonly #simulation: Simulation;
  readonly #host: GameHost;
  readonly #manager: WebRTCManager;
  readonly #uploads: Uploads;
  readonly #relay: RelayLane;
  /** Channels that the browser would not transfer. */
  readonly #kept_channels = new Map<number, RTCDataChannel>();
  readonly #states = new Map<number, LinkState>();
  readonly #figures = new Map<number, LinkFigures>();
  readonly #link_types = new Map<number, LinkType>();
  readonly #left = new Set<number>();
  /** Which of its pages each player has now. */
  readonly #incarnations = new Map<number, number>();
  #stats: GameStats | null = null;
  #reported = false;
  #session_closed: () => void = () => undefined;
  /** The others have confirmed the outcome too; before that the next game must not begin. */
  readonly #session_over = new Promise<void>((resolve) => {
    this.#session_closed = resolve;
  });

  constructor(config: GameConfig, simulation: Simulation, host: GameHost) {
    this.config = config;
    this.#simulation = simulation;
    this.#host = host;
    this.#uploads = new Uploads(config.game_id, config.token, {
      request: (url, init) => fetch(url, init),
      outbox: host.outbox,
      settled: (number, ok) => simulation.post({ kind: 'uploaded', number, ok }),
      changed: (waiting, failing) => host.news({ kind: 'saving', waiting, failing }),
      sleep: sleepUnevenly,
    });
    for (const peer of config.peers) this.#incarnations.set(peer, config.incarnations?.[peer] ?? 0);
    this.#relay = new RelayLane((peer, data) => host.sendDatagram(addressed(peer, data)));
    const policy = config.ice_policy;
    this.#manager = new WebRTCManager({
      game_id: config.game_id,
      player_id: config.player_id,
      peers: config.peers,
      epochOf: (peer) => config.epochs?.[peer] ?? config.epoch,
      ice_servers: config.ice_servers,
      ...(policy ? { ice_policy: policy } : {}),
      sendSignal: (target_player_id, type, payload) =>
        host.sendSignal({ type, game_id: config.game_id, target_player_id, payload }),
      onEvent: (event) => {
        switch (event.kind) {
          case 'channel':
            this.#placeChannel(event.peer, event.connection, event.channel);
            return;
          case 'link':
            this.#states.set(event.peer, event.state);
            this.#showLinkType(event.peer);
            host.news({ ...event, lost: event.state === 'closed' && this.#isLost(event.peer) });
            return;
          case 'relay':
            this.#relay.set(event.peer, event.on);
            this.#simulation.post({ kind: 'relay', peer: event.peer, on: event.on });
            this.#showLinkType(event.peer);
            return;
          case 'figures':
            this.#figures.set(event.peer, event.figures);
            this.#showLinkType(event.peer);
            return;
          case 'rejected':
            console.warn(`coplay: refused from player ${event.peer}: ${event.reason}`);
            return;
        }
      },
    });
  }

  /** Connect at once; the simulation begins when Python is up. */
  start(): void {
    for (const peer of this.config.left ?? []) this.#closePeer(peer);
    this.#manager.connect();
    this.#simulation.post({ kind: 'start', config: this.config });
  }

  /** Whether the outcome is known; from then on only its way to the server is left. */
  get over(): boolean {
    return this.#reported;
  }

  /** The figures of the automation contract; null before the first ones. */
  get stats(): GameStats | null {
    if (this.#stats === null) return null;
    const paths = [...this.#figures].map(([peer, { link: _, ...figures }]) => [peer, figures]);
    return { ...this.#stats, link: Object.fromEntries(this.#link_types), paths: Object.fromEntries(paths) };
  }

  handleSignal(signal: IncomingSignal): void {
    this.#manager.handleSignal(signal);
  }

  /** A datagram of another player came through the server. */
  handleRelayed(message: unknown): void {
    const datagram = readAddressed(message);
    if (datagram === null || !this.#states.has(datagram.player_id)) return;
    const { player_id: peer, data } = datagram;
    this.#manager.handleRelayed(peer);
    this.#simulation.post({ kind: 'datagram', peer, data, direct: false }, [data]);
  }

  handlePlayerLeft(player_id: number): void {
    if (this.#left.has(player_id)) return;
    this.#closePeer(player_id);
    this.#simulation.post({ kind: 'peer_left', peer: player_id });
  }

  /** A player has a new page: their link begins anew, and the worker meets somebody who knows nothing of the game. */
  handlePlayerBack(peer: number, incarnation: number, epoch: number): void {
    if (peer === this.config.player_id || this.#left.has(peer)) return;
    this.#manager.handleEpoch(peer, epoch);
    if (incarnation <= (this.#incarnations.get(peer) ?? 0)) return;
    this.#incarnations.set(peer, incarnation);
    this.#simulation.post({ kind: 'peer_returned', peer, incarnation });
  }

  /** The server tells the game again after our socket was away; who left or came back meanwhile is learnt from it. */
  handleRepeated(config: GameConfig): void {
    this.#manager.setIceServers(config.ice_servers);
    for (const player of config.left ?? []) this.handlePlayerLeft(player);
    for (const [player, incarnation] of Object.entries(config.incarnations ?? {})) {
      this.handlePlayerBack(Number(player), incarnation, config.epochs?.[player] ?? config.epoch);
    }
  }

  /** The socket to the server is open again. */
  handleSocketBack(): void {
    this.#manager.handleSocketBack();
  }

  handleNetworkChange(): void {
    this.#manager.handleNetworkChange();
  }

  /** Take what the worker says about this game. */
  handleMessage(message: FromWorker): void {
    switch (message.kind) {
      case 'draw':
        this.#host.news({ kind: 'picture', picture: this.#simulation.decoder.decode(message) });
        return;
      case 'hud':
        this.#host.news({ kind: 'hud', hud: message });
        return;
      case 'phase':
        this.#host.news(message);
        return;
      case 'stats': {
        const { kind: _, ...stats } = message;
        this.#stats = stats as GameStats;
        return;
      }
      case 'partner':
        this.#host.news(message);
        return;
      case 'upload':
        this.#uploads.addBatch(message.number, message.body);
        return;
      case 'report':
        this.#report(message);
        return;
      case 'channel_state':
        this.#manager.handleChannel(message.peer, message.connection, message.open);
        return;
      case 'hearing':
        this.#manager.handleHearing(message.peer, message.connection, message.direct);
        return;
      case 'send': {
        if (!message.direct) {
          this.#relay.send(message.peer, message.data, performance.now());
          return;
        }
        const channel = this.#kept_channels.get(message.peer);
        if (channel?.readyState === 'open' && channel.bufferedAmount <= 4096) channel.send(message.data);
        return;
      }
      case 'closed':
        this.#session_closed();
        setTimeout(() => this.#manager.close(), LINGER_MS);
        return;
      default:
        return;
    }
  }

  /** The page goes away, perhaps for ever. */
  flush(): void {
    this.#uploads.flush();
  }

  /** Give the game up. */
  close(): void {
    this.#manager.close();
    this.#simulation.post({ kind: 'stop' });
  }

  #closePeer(peer: number): void {
    this.#left.add(peer);
    this.#manager.closePeer(peer);
  }

  #isLost(peer: number): boolean {
    return !this.#left.has(peer) && !this.#reported;
  }

  /** Tell the worker and the page by which way a peer is reached, when that has changed. */
  #showLinkType(peer: number): void {
    const figures = this.#figures.get(peer);
    // While the direct path is on trial both lanes carry everything; what cannot fail is what play rests on.
    const relayed = this.#relay.has(peer) && this.#states.get(peer) !== 'connected';
    const link = relayed ? 'relay' : figures?.link;
    if (link === undefined) return;
    this.#link_types.set(peer, link);
    this.#simulation.post({ kind: 'link', peer, link });
    const rtt_ms = relayed ? this.#stats?.rtt_ms[peer] : figures?.rtt_ms;
    this.#host.news({ kind: 'figures', peer, link, rtt_ms: rtt_ms ?? null });
  }

  #placeChannel(peer: number, connection: number, channel: RTCDataChannel): void {
    if (this.#simulation.transferChannel(peer, connection, channel)) return;
    this.#kept_channels.set(peer, channel);
    channel.onopen = () => this.#simulation.post({ kind: 'channel_open', peer, connection });
    channel.onclose = () => {
      if (this.#kept_channels.get(peer) === channel)
        this.#simulation.post({ kind: 'channel_closed', peer, connection });
    };
    channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) =>
      this.#simulation.post({ kind: 'datagram', peer, data, direct: true }, [data]);
  }

  #report(message: Extract<FromWorker, { kind: 'report' }>): void {
    if (this.#reported) return;
    this.#reported = true;
    const { kind: _, game_id: __, ...report } = message;
    this.#uploads.addReport(report);
    this.#host.news({ kind: 'report', report: report as GameReport });
    void this.#uploads.allAcked().then(async () => {
      this.#host.news({ kind: 'saved' });
      await Promise.race([this.#session_over, new Promise((resolve) => setTimeout(resolve, LINGER_MS))]);
      this.#host.gameOver(this.config.game_id);
    });
  }
}
