/** Shows the scenes that the server names, one after another. */

import type { GameWorker } from '../game/GameWorker';
import type { WorkerDispatcher } from '../game/WorkerDispatcher';
import type { HeldKeys } from '../input/HeldKeys';
import type { LobbyState, Scene } from '../protocol/messages';
import { FinishScene } from '../scenes/FinishScene';
import { InstructionsScene } from '../scenes/InstructionsScene';
import { LobbyScene } from '../scenes/LobbyScene';
import { PlayScene } from '../scenes/PlayScene';
import type { SaveStatus } from '../server/SaveStatus';
import type { PageGames } from './PageGames';
import type { PageNotices } from './PageNotices';
import type { SceneDisplay } from './SceneDisplay';

/** A game that is broken off sends its last batch within this time, unless the device is very slow. */
const LAST_BATCH_MS = 1000;

/** If the links of a game take longer than this, the participant waits for them in the scene of the game. */
const DRAWN_AFTER_MS = 250;

export interface SceneSwitcherHost {
  display: SceneDisplay;
  notices: PageNotices;
  games: PageGames;
  worker: GameWorker;
  dispatcher: WorkerDispatcher;
  held_keys: HeldKeys;
  save_status: SaveStatus;
  /** The participant is done with scene `index`. @returns Whether the server agreed. */
  advance(index: number): Promise<boolean>;
  /** The participant wants to leave the lobby or the game. */
  leave(): void;
}

export class SceneSwitcher {
  readonly #host: SceneSwitcherHost;
  #scene: Scene | null = null;
  /** The next scene, until it is shown. */
  #pending: Scene | null = null;

  constructor(host: SceneSwitcherHost) {
    this.#host = host;
  }

  /** Show a scene, now or within a moment. */
  switchTo(scene: Scene): void {
    // After a reconnection the server repeats the scene; a running game must not notice.
    if (this.#scene?.index === scene.index && this.#scene.kind === scene.kind) return;
    this.#pending = scene;
    // A short wait needs no picture of its own, and on a slow device drawing one would make the wait longer.
    const { display, games } = this.#host;
    const game = games.current;
    const has_begun = scene.kind === 'play' && game?.config.scene_index === scene.play_scene;
    if (has_begun && display.view !== null && game?.linked === false)
      setTimeout(() => this.#show(scene), DRAWN_AFTER_MS);
    else this.#show(scene);
  }

  /** Show the scene that waits for its links, if there is one. */
  showPending(): void {
    if (this.#pending !== null) this.#show(this.#pending);
  }

  dropPending(): void {
    this.#pending = null;
  }

  updateLobby(state: LobbyState): void {
    const { view } = this.#host.display;
    if (view instanceof LobbyScene) view.update(state);
  }

  #show(scene: Scene): void {
    // It was shown already, or another one came after it.
    if (scene !== this.#pending) return;
    this.#pending = null;
    this.#scene = scene;
    const { notices, games, worker } = this.#host;
    this.#display(scene);
    notices.sceneShown(scene.kind);
    // A game that ended by itself closes its links later, when the other players have its last inputs.
    if (scene.kind !== 'play' && games.current?.over === false) games.current.close();
    if ('prepare' in scene && scene.prepare != null) {
      worker.post({ kind: 'prepare', scene_index: scene.prepare });
    }
  }

  #display(scene: Scene): void {
    const { display, games, worker, dispatcher, held_keys, save_status, advance, leave } = this.#host;
    switch (scene.kind) {
      case 'instructions':
        display.show('instructions', '', new InstructionsScene(scene, () => advance(scene.index)));
        return;
      case 'lobby':
        display.show('lobby', 'waiting', new LobbyScene(scene, leave));
        return;
      case 'play': {
        const play = new PlayScene(scene, held_keys, dispatcher, leave);
        display.show('play', 'loading', play);
        play.showLoading(worker.progress);
        games.showCurrentIn(play);
        return;
      }
      case 'finish':
        if (games.current?.over === false) void save_status.hold(later(LAST_BATCH_MS));
        display.show('finish', 'ended', new FinishScene(scene, save_status));
        return;
      default:
        scene satisfies never;
    }
  }
}

function later(delay_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delay_ms));
}
