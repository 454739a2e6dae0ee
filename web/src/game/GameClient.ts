/**
 * One game of this participant: its simulation in the worker, its links, and its uploads.
 *
 * Whatever a participant should see of it leaves as events.
 */

import { GameLinks, type GameLinksHost } from '../links/GameLinks';
import type { LinkState } from '../links/life/link';
import type {
  GameConfig,
  GamePhase,
  GameStats,
  Hud,
  IncomingSignal,
  LinkType,
  ReportMessage,
} from '../protocol/messages';
import { sleepWithJitter, UploadQueue } from '../server/UploadQueue';
import type { UploadStore } from '../server/UploadStore';
import type { GameWorker } from './GameWorker';
import type { GameMessage, GameReceiver } from './WorkerDispatcher';

export type GameEvent =
  | { kind: 'hud'; hud: Hud }
  | { kind: 'phase'; phase: GamePhase }
  /** `lost`: the link is closed although neither side wanted that. */
  | { kind: 'link'; peer: number; state: LinkState; reason: string; lost: boolean }
  | { kind: 'figures'; peer: number; link: LinkType; rtt_ms: number | null }
  | { kind: 'partner'; peer: number; present: boolean }
  /** How many batches and reports the server does not have yet, and whether the last attempt failed. */
  | { kind: 'saving'; waiting: number; failing: boolean }
  /** The server has everything. */
  | { kind: 'saved' };

export interface GameClientHost
  extends Pick<GameLinksHost, 'sendSignal' | 'sendDatagram' | 'iceServers' | 'probeServer'> {
  gameOver(game_id: string): void;
  onEvent(event: GameEvent): void;
  /** Keeps on this device what the server does not have yet. */
  store: UploadStore;
}

/** Links stay open for this long after the end: the other players may still wait for this one's last inputs. */
const LINGER_MS = 4000;

export class GameClient implements GameReceiver {
  readonly config: GameConfig;
  readonly #worker: GameWorker;
  readonly #host: GameClientHost;
  readonly #links: GameLinks;
  readonly #upload_queue: UploadQueue;
  /** Players who left for good. */
  readonly #left = new Set<number>();
  /** For each player, how many pages held the seat before the present one. */
  readonly #incarnations = new Map<number, number>();
  #stats: GameStats | null = null;
  #reported = false;
  #session_closed: () => void = () => undefined;
  /** Resolves when the other players have confirmed the outcome too; the next game must not begin before. */
  readonly #session_over = new Promise<void>((resolve) => {
    this.#session_closed = resolve;
  });

  constructor(config: GameConfig, worker: GameWorker, host: GameClientHost) {
    this.config = config;
    this.#worker = worker;
    this.#host = host;
    this.#upload_queue = new UploadQueue(config.game_id, config.token, {
      request: (url, init) => fetch(url, init),
      store: host.store,
      changed: (waiting, failing) => host.onEvent({ kind: 'saving', waiting, failing }),
      sleep: sleepWithJitter,
    });
    for (const peer of config.peers) this.#incarnations.set(peer, config.incarnations?.[peer] ?? 0);
    this.#links = new GameLinks(config, worker, {
      sendSignal: (signal) => host.sendSignal(signal),
      sendDatagram: (message) => host.sendDatagram(message),
      iceServers: () => host.iceServers(),
      probeServer: () => host.probeServer(),
      measuredRtt: (peer) => this.#stats?.rtt_ms[peer] ?? null,
      onStatus: (event) => {
        if (event.kind === 'figures') host.onEvent(event);
        else host.onEvent({ ...event, lost: event.state === 'closed' && !this.#mayClose(event.peer) });
      },
    });
  }

  /** Begin to connect, and have the worker begin the game once Python has started. */
  start(): void {
    for (const peer of this.config.left ?? []) this.#closePeer(peer);
    this.#links.connect();
    this.#worker.post({ kind: 'start', config: this.config });
  }

  /** Whether every player who is still there can be reached, directly or through the server. */
  get linked(): boolean {
    return this.#links.complete;
  }

  /** Whether the outcome is known; all that remains is to upload it. */
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

  /** Take a datagram of another player that came through the server. */
  handleRelayed(message: unknown): void {
    this.#links.handleRelayed(message);
  }

  handlePlayerLeft(player_id: number): void {
    if (this.#left.has(player_id)) return;
    this.#closePeer(player_id);
    this.#worker.post({ kind: 'peer_left', peer: player_id });
  }

  /** A player has a new page: rebuild the link, and let the worker bring that page into the game. */
  handlePlayerBack(peer: number, incarnation: number, epoch: number): void {
    if (peer === this.config.player_id || this.#left.has(peer)) return;
    this.#links.handleEpoch(peer, epoch);
    if (incarnation <= (this.#incarnations.get(peer) ?? 0)) return;
    this.#incarnations.set(peer, incarnation);
    this.#worker.post({ kind: 'peer_returned', peer, incarnation });
  }

  /** The server repeats the game after our socket was away: catch up on who left or came back meanwhile. */
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
  handleMessage(message: GameMessage): void {
    switch (message.kind) {
      case 'hud':
        this.#host.onEvent({ kind: 'hud', hud: message });
        return;
      case 'phase':
      case 'partner':
        this.#host.onEvent(message);
        return;
      case 'stats': {
        const { kind: _, ...stats } = message;
        this.#stats = stats;
        return;
      }
      case 'upload':
        this.#upload_queue.addBatch(message.number, message.body);
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
        this.#links.endSession();
        setTimeout(() => this.#links.close(), LINGER_MS);
        return;
      default:
        message satisfies never;
    }
  }

  /** The page goes away, perhaps for good: send what can still be sent. */
  flush(): void {
    this.#upload_queue.flush();
  }

  /** Give the game up. */
  close(): void {
    this.#links.close();
    this.#worker.post({ kind: 'stop' });
  }

  #closePeer(peer: number): void {
    this.#left.add(peer);
    this.#links.closePeer(peer);
  }

  /** Whether a closed link to this player is as it should be. */
  #mayClose(peer: number): boolean {
    return this.#left.has(peer) || this.#reported;
  }

  #report(message: ReportMessage): void {
    if (this.#reported) return;
    this.#reported = true;
    const { kind: _, game_id: __, ...report } = message;
    this.#upload_queue.addReport(report);
    void this.#upload_queue.drained().then(async () => {
      this.#host.onEvent({ kind: 'saved' });
      await Promise.race([this.#session_over, new Promise((resolve) => setTimeout(resolve, LINGER_MS))]);
      this.#host.gameOver(this.config.game_id);
    });
  }
}
