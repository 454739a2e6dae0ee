/** The games of this page: the current one, and those before it whose last batches may still be on their way. */

import { GameClient, type GameClientHost, type GameEvent } from '../game/GameClient';
import type { GameWorker } from '../game/GameWorker';
import type { WorkerDispatcher } from '../game/WorkerDispatcher';
import type { HeldKeys } from '../input/HeldKeys';
import type { GameConfig, PlayerBack } from '../protocol/messages';
import { FailureScene } from '../scenes/FailureScene';
import type { PlayScene } from '../scenes/PlayScene';
import type { SaveStatus } from '../server/SaveStatus';
import type { PageNotices } from './PageNotices';
import type { SceneDisplay } from './SceneDisplay';

export interface PageGamesHost extends Omit<GameClientHost, 'onEvent'> {
  display: SceneDisplay;
  notices: PageNotices;
  worker: GameWorker;
  dispatcher: WorkerDispatcher;
  held_keys: HeldKeys;
  save_status: SaveStatus;
  /** The current game can reach all players. */
  linked(): void;
}

export class PageGames {
  readonly #host: PageGamesHost;
  readonly #games = new Map<string, GameClient>();
  #current: GameClient | null = null;
  /** Events of the current game, until its scene is shown. */
  #unseen: GameEvent[] = [];

  constructor(host: PageGamesHost) {
    this.#host = host;
  }

  /** The game that began last. */
  get current(): GameClient | null {
    return this.#current;
  }

  /** Begin a game, or tell the current one that the server repeated its description. */
  begin(config: GameConfig): void {
    if (this.#current?.config.game_id === config.game_id) {
      this.#current.handleRepeated(config);
      return;
    }
    this.#current?.close();
    const { display, notices, worker, dispatcher, held_keys } = this.#host;
    if (display.view instanceof FailureScene) return;
    const game: GameClient = new GameClient(config, worker, {
      ...this.#host,
      onEvent: (event) => this.#handleEvent(game, event),
    });
    this.#current = game;
    this.#unseen = [];
    this.#games.set(config.game_id, game);
    dispatcher.addGame(config.game_id, game);
    // The links begin now, even if the scene of the game is still to come: everyone waits for them.
    game.start();
    const scene = this.#sceneOf(game);
    if (scene !== null) {
      notices.dropPending();
      this.#showIn(game, scene);
    }
    worker.post({ kind: 'keys', pressed: [...held_keys.held] });
  }

  /** Show the current game in a scene, if it is that scene's game. */
  showCurrentIn(scene: PlayScene): void {
    const game = this.#current;
    if (game?.config.scene_index === scene.play_scene) this.#showIn(game, scene);
  }

  handlePlayerLeft(game_id: string, player_id: number): void {
    const game = this.#current;
    if (game?.config.game_id !== game_id) return;
    game.handlePlayerLeft(player_id);
    const scene = this.#host.display.playScene;
    if (scene === null) return;
    scene.showLeft(player_id);
    if (!game.over) this.#host.notices.announceNext(scene.cause);
  }

  handlePlayerBack({ game_id, player_id, incarnation, epoch }: PlayerBack): void {
    this.#games.get(game_id)?.handlePlayerBack(player_id, incarnation, epoch);
  }

  /** The game goes on, or is over, without this participant. */
  handleRemoved(game_id: string): void {
    const game = this.#current;
    if (game?.config.game_id !== game_id || game.over) return;
    game.close();
    this.#host.display.playScene?.showRemoved();
  }

  /** The page goes away, perhaps for good: send what can still be sent. */
  flush(): void {
    for (const game of this.#games.values()) game.flush();
  }

  #handleEvent(game: GameClient, event: GameEvent): void {
    if (event.kind === 'saving')
      this.#host.save_status.report(game.config.game_id, event.waiting, event.failing);
    if (this.#current !== game) return;
    const scene = this.#sceneOf(game);
    if (scene !== null) scene.handle(event);
    else this.#unseen.push(event);
    if (game.linked) this.#host.linked();
  }

  #showIn(game: GameClient, scene: PlayScene): void {
    scene.begin(game.config, this.#host.worker.ready);
    for (const event of this.#unseen.splice(0)) scene.handle(event);
  }

  /** The scene of a game, once it is shown. */
  #sceneOf(game: GameClient): PlayScene | null {
    const scene = this.#host.display.playScene;
    return scene?.play_scene === game.config.scene_index ? scene : null;
  }
}
