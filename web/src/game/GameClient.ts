/**
 * One game of this participant: brings together the worker that simulates, the links to the other players, and the
 * uploads to the server. What a person should see of it leaves as news.
 */

import type { Picture } from '../draw/DisplayList';
import { GameLinks, type GameLinksHost } from '../links/GameLinks';
import type { LinkState } from '../links/life/link';
import type {
  FromWorker,
  GameConfig,
  GamePhase,
  GameReport,
  GameStats,
  Hud,
  IncomingSignal,
  LinkType,
} from '../protocol/messages';
import { sleepUnevenly, UploadQueue } from '../server/UploadQueue';
import type { UploadStore } from '../server/UploadStore';
import type { GameWorker } from './GameWorker';

export type GameEvent =
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

export interface GameClientHost
  extends Pick<GameLinksHost, 'sendSignal' | 'sendDatagram' | 'iceServers' | 'probeServer'> {
  gameOver(game_id: string): void;
  news(news: GameEvent): void;
  /** Keeps on this device what the server has not got yet. */
  outbox: UploadStore;
}

/** After the end, the links stay open for this long: the other players may still wait for our last words. */
const LINGER_MS = 4000;

export class GameClient {
  readonly config: GameConfig;
  readonly #simulation: GameWorker;
  readonly #host: GameClientHost;
  readonly #links: GameLinks;
  readonly #uploads: UploadQueue;
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

  constructor(config: GameConfig, simulation: GameWorker, host: GameClientHost) {
    this.config = config;
    this.#simulation = simulation;
    this.#host = host;
    this.#uploads = new UploadQueue(config.game_id, config.token, {
      request: (url, init) => fetch(url, init),
      outbox: host.outbox,
      settled: (number, ok) => simulation.post({ kind: 'uploaded', number, ok }),
      changed: (waiting, failing) => host.news({ kind: 'saving', waiting, failing }),
      sleep: sleepUnevenly,
    });
    for (const peer of config.peers) this.#incarnations.set(peer, config.incarnations?.[peer] ?? 0);
    this.#links = new GameLinks(config, simulation, {
      sendSignal: (signal) => host.sendSignal(signal),
      sendDatagram: (message) => host.sendDatagram(message),
      iceServers: () => host.iceServers(),
      probeServer: () => host.probeServer(),
      measuredRtt: (peer) => this.#stats?.rtt_ms[peer] ?? null,
      news: (news) => {
        if (news.kind === 'link')
          host.news({ ...news, lost: news.state === 'closed' && !this.#isOver(news.peer) });
        else host.news(news);
      },
    });
  }

  /** Connect at once; the simulation begins when Python is up. */
  start(): void {
    for (const peer of this.config.left ?? []) this.#closePeer(peer);
    this.#links.connect();
    this.#simulation.post({ kind: 'start', config: this.config });
  }

  /** Whether all who are there are reached, by whatever way. */
  get linked(): boolean {
    return this.#links.complete;
  }

  /** Whether the outcome is known; from then on only its way to the server is left. */
  get over(): boolean {
    return this.#reported;
  }

  /** The figures of the automation contract; null before the first ones. */
  get stats(): GameStats | null {
    if (this.#stats === null) return null;
    return { ...this.#stats, ...this.#links.stats };
  }

  handleSignal(signal: IncomingSignal): void {
    this.#links.handleSignal(signal);
  }

  /** A datagram of another player came through the server. */
  handleRelayed(message: unknown): void {
    this.#links.handleRelayed(message);
  }

  handlePlayerLeft(player_id: number): void {
    if (this.#left.has(player_id)) return;
    this.#closePeer(player_id);
    this.#simulation.post({ kind: 'peer_left', peer: player_id });
  }

  /** A player has a new page: their link begins anew, and the worker meets somebody who knows nothing of the game. */
  handlePlayerBack(peer: number, incarnation: number, epoch: number): void {
    if (peer === this.config.player_id || this.#left.has(peer)) return;
    this.#links.handleEpoch(peer, epoch);
    if (incarnation <= (this.#incarnations.get(peer) ?? 0)) return;
    this.#incarnations.set(peer, incarnation);
    this.#simulation.post({ kind: 'peer_returned', peer, incarnation });
  }

  /** The server tells the game again after our socket was away; who left or came back meanwhile is learnt from it. */
  handleRepeated(config: GameConfig): void {
    this.#links.setIceServers(config.ice_servers);
    for (const player of config.left ?? []) this.handlePlayerLeft(player);
    for (const [player, incarnation] of Object.entries(config.incarnations ?? {})) {
      this.handlePlayerBack(Number(player), incarnation, config.epochs?.[player] ?? config.epoch);
    }
  }

  /** The socket to the server is open again. */
  handleSocketBack(): void {
    this.#links.handleSocketBack();
  }

  handleNetworkChange(): void {
    this.#links.handleNetworkChange();
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
      case 'hearing':
      case 'send':
        this.#links.handleMessage(message);
        return;
      case 'closed':
        this.#session_closed();
        this.#links.rest();
        setTimeout(() => this.#links.close(), LINGER_MS);
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
    this.#links.close();
    this.#simulation.post({ kind: 'stop' });
  }

  #closePeer(peer: number): void {
    this.#left.add(peer);
    this.#links.closePeer(peer);
  }

  /** Whether a closed link to this player is as it should be. */
  #isOver(peer: number): boolean {
    return this.#left.has(peer) || this.#reported;
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
