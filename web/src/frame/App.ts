/**
 * The participant's page: joins the study, loads the game while the first page is read, and shows one scene after another
 * as the server says.
 */

import { element } from '../dom';
import { GameClient, type GameEvent } from '../game/GameClient';
import { GameWorker } from '../game/GameWorker';
import { HeldKeys } from '../input/HeldKeys';
import { warmUpWebRTC } from '../links/warmUpWebRTC';
import type { Failure, FromWorker, GameConfig, GameStats, Scene } from '../protocol/messages';
import { FailureScene } from '../scenes/FailureScene';
import { FinishScene } from '../scenes/FinishScene';
import { InstructionsScene } from '../scenes/InstructionsScene';
import { LobbyScene } from '../scenes/LobbyScene';
import { NOT_STORING, NoticeBar } from '../scenes/NoticeBar';
import { PlayScene } from '../scenes/PlayScene';
import { announceScene, type SceneView } from '../scenes/SceneView';
import { joinStudy, StudyError } from '../server/joinStudy';
import { SaveStatus } from '../server/SaveStatus';
import { StudySocket } from '../server/StudySocket';
import { sleepUnevenly, UploadQueue, type UploadQueueHost } from '../server/UploadQueue';
import { UploadStore } from '../server/UploadStore';

/** A game that is broken off sends what it had gathered: within this time, unless the device is very slow. */
const LAST_BATCH_MS = 1000;

/** Links that take longer than this are waited for in the scene of the game. */
const DRAWN_AFTER_MS = 250;

export class App {
  readonly #root: HTMLElement;
  readonly #offline = element('p', { class: 'offline', role: 'status', hidden: '', text: 'Reconnecting …' });
  readonly #held = new HeldKeys((pressed) => this.#simulation?.post({ kind: 'keys', pressed }));
  #signaling: StudySocket | null = null;
  #simulation: GameWorker | null = null;
  #view: SceneView | null = null;
  #participant_id = '';
  #scene: Scene | null = null;
  /** The next one, if it is still to be drawn. */
  #coming: Scene | null = null;
  /** The game of the scene that is shown. */
  #game: GameClient | null = null;
  /** What is to be seen of it, while its scene is still on its way. */
  #unseen: GameEvent[] = [];
  /** All games of this page: the last words of one may come while the next one begins. */
  readonly #games = new Map<string, GameClient>();
  /** Keeps what is on its way to the server; and what earlier pages left of that. */
  #outbox = new UploadStore('', '');
  #left_over: UploadQueue[] = [];
  readonly #saving = new SaveStatus();
  readonly #remarks = new NoticeBar();
  /** What the next scene has to say first: the reason that it follows. */
  #notice = '';
  #storing = true;
  #conditions = { latency_ms: 0, loss: 0 };

  constructor(root: HTMLElement) {
    this.#root = root;
    document.body.append(this.#offline);
    document.addEventListener('visibilitychange', () =>
      this.#simulation?.post({ kind: 'visibility', hidden: document.hidden }),
    );
    addEventListener('pagehide', () => {
      for (const game of this.#games.values()) game.flush();
      for (const uploads of this.#left_over) uploads.flush();
    });
    addEventListener('online', () => {
      this.#signaling?.renew();
      this.#game?.handleNetworkChange();
    });
  }

  async start(): Promise<void> {
    announceScene('loading', 'loading');
    try {
      const participation = await joinStudy(location.search, {
        // Where storage is switched off, naming it throws already.
        tab: () => sessionStorage,
        browser: () => localStorage,
      });
      document.title = participation.study.name;
      this.#participant_id = participation.participant_id;
      this.#outbox = new UploadStore(participation.study.name, participation.participant_id);
      void this.#saving.hold(this.#bringLeftOver());
      this.#simulation = new GameWorker(participation.runtime, participation.bundle, (message) =>
        this.#hear(message),
      );
      this.#simulation.post({ kind: 'conditions', ...this.#conditions });
      this.#signaling = this.#connect(participation.token);
    } catch (cause) {
      this.#fail(
        cause instanceof StudyError ? cause : { error: 'This page could not start.', hint: String(cause) },
      );
    }
  }

  /** Earlier pages of this participant, or of others who sat here, may have been closed before all was saved. */
  async #bringLeftOver(): Promise<void> {
    const { own, others } = await this.#outbox.leftOver();
    const host = (changed: UploadQueueHost['changed']): UploadQueueHost => ({
      request: (url, init) => fetch(url, init),
      outbox: this.#outbox,
      sleep: sleepUnevenly,
      changed,
    });
    const noting = (token: string) => host((waiting, failing) => this.#saving.note(token, waiting, failing));
    this.#left_over = [
      ...UploadQueue.resume(own, noting),
      ...UploadQueue.resume(others, () => host(() => undefined)),
    ];
  }

  // For scripts: window.coplay

  stats(): GameStats | Record<string, never> {
    return this.#game?.stats ?? {};
  }

  press(keys: readonly string[]): void {
    this.#held.hold('script', keys);
  }

  conditions(conditions: { latency_ms: number; loss: number }): void {
    this.#conditions = conditions;
    this.#simulation?.post({ kind: 'conditions', ...conditions });
  }

  // What the server says

  #connect(token: string): StudySocket {
    return new StudySocket(token, {
      connectionChanged: (connected) => {
        this.#offline.hidden = connected;
        if (this.#view instanceof PlayScene) this.#view.showOnline(connected);
        if (connected) this.#game?.handleSocketBack();
      },
      scene: (scene) => this.#showScene(scene),
      lobby: (state) => {
        if (this.#view instanceof LobbyScene) this.#view.update(state);
      },
      game: (config) => this.#beginGame(config),
      webrtc_signal: (signal) => this.#game?.handleSignal(signal),
      datagram: (message) => this.#game?.handleRelayed(message),
      player_left: ({ game_id, player_id }) => {
        if (this.#game?.config.game_id !== game_id) return;
        this.#game.handlePlayerLeft(player_id);
        if (this.#view instanceof PlayScene) {
          this.#view.showLeft(player_id);
          if (!this.#game.over) this.#notice ||= this.#view.cause;
        }
      },
      player_back: ({ game_id, player_id, incarnation, epoch }) =>
        this.#games.get(game_id)?.handlePlayerBack(player_id, incarnation, epoch),
      removed: ({ game_id }) => {
        if (this.#game?.config.game_id !== game_id || this.#game.over) return;
        this.#game.close();
        if (this.#view instanceof PlayScene) this.#view.showRemoved();
      },
      notice: ({ text }) => {
        this.#notice = text;
        this.#showNotice(text);
      },
      storing: ({ ok }) => {
        this.#storing = ok;
        this.#showStoring();
      },
      failed: (failure) => {
        // The server is done with this page, perhaps because a newer one speaks for the participant: be quiet.
        this.#signaling?.close();
        this.#game?.close();
        this.#fail(failure);
      },
    });
  }

  #showScene(scene: Scene): void {
    // After a reconnect the server repeats where we are; a running game must not notice.
    if (this.#scene?.index === scene.index && this.#scene.kind === scene.kind) return;
    this.#coming = scene;
    // A wait of a moment needs no picture of its own, and on a slow device drawing one makes it longer.
    const begun = scene.kind === 'play' && this.#game?.config.scene_index === scene.play_scene;
    if (begun && this.#view !== null && this.#game?.linked === false)
      setTimeout(() => this.#drawScene(scene), DRAWN_AFTER_MS);
    else this.#drawScene(scene);
  }

  /** Unless it was drawn already, or another one came after it. */
  #drawScene(scene: Scene): void {
    if (scene !== this.#coming) return;
    this.#coming = null;
    this.#scene = scene;
    switch (scene.kind) {
      case 'instructions':
        this.#show('instructions', '', new InstructionsScene(scene, () => this.#continue(scene.index)));
        break;
      case 'lobby':
        this.#show('lobby', 'waiting', new LobbyScene(scene, () => this.#signaling?.leave()));
        break;
      case 'play': {
        const play = new PlayScene(scene, this.#held, () => this.#signaling?.leave());
        this.#show('play', 'loading', play);
        this.#showProgress(play);
        if (this.#game?.config.scene_index === scene.play_scene) this.#showGame(this.#game, play);
        break;
      }
      case 'finish':
        if (this.#game?.over === false) void this.#saving.hold(later(LAST_BATCH_MS));
        this.#show('finish', 'ended', new FinishScene(scene, this.#saving));
        break;
    }
    if (!(this.#view instanceof PlayScene)) this.#view?.root.prepend(this.#remarks.root);
    this.#showNotice(this.#notice);
    this.#showStoring();
    this.#notice = '';
    // A game that ended on its own closes its links by itself, once the others had our last words.
    if (scene.kind !== 'play' && this.#game?.over === false) this.#game.close();
    if ('prepare' in scene && scene.prepare != null) {
      this.#simulation?.post({ kind: 'prepare', scene_index: scene.prepare });
    }
  }

  /** The links begin at once, for everyone waits for them; the scene may still be on its way. */
  #beginGame(config: GameConfig): void {
    if (this.#game?.config.game_id === config.game_id) {
      this.#game.handleRepeated(config);
      return;
    }
    this.#game?.close();
    const simulation = this.#simulation;
    if (simulation === null || this.#view instanceof FailureScene) return;
    const game = new GameClient(config, simulation, {
      sendSignal: (signal) => this.#signaling?.sendSignal(signal),
      sendDatagram: (message) => this.#signaling?.sendDatagram(message),
      iceServers: async () => (await this.#signaling?.iceServers()) ?? null,
      probeServer: () => void this.#signaling?.probe(),
      gameOver: (game_id) => this.#signaling?.gameOver(game_id),
      outbox: this.#outbox,
      news: (news) => {
        if (news.kind === 'saving') this.#saving.note(config.game_id, news.waiting, news.failing);
        if (this.#game !== game) return;
        const view = this.#viewOf(game);
        if (view !== null) view.handle(news);
        else if (news.kind !== 'picture') this.#unseen.push(news);
        if (game.linked && this.#coming !== null) this.#drawScene(this.#coming);
      },
    });
    this.#game = game;
    this.#unseen = [];
    this.#games.set(config.game_id, game);
    game.start();
    const view = this.#viewOf(game);
    if (view !== null) {
      this.#notice = '';
      this.#showGame(game, view);
    }
    simulation.post({ kind: 'keys', pressed: [...this.#held.held] });
  }

  #showGame(game: GameClient, view: PlayScene): void {
    view.begin(game.config, this.#simulation?.ready ?? false);
    for (const news of this.#unseen.splice(0)) view.handle(news);
  }

  /** The scene that shows a game, once it is there. */
  #viewOf(game: GameClient): PlayScene | null {
    const scene = this.#scene;
    const shown = scene?.kind === 'play' && scene.play_scene === game.config.scene_index;
    return shown && this.#view instanceof PlayScene ? this.#view : null;
  }

  async #continue(index: number): Promise<boolean> {
    return (await this.#signaling?.continueFrom(index)) ?? false;
  }

  // What the worker says

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case 'progress':
        if (this.#view instanceof PlayScene) this.#showProgress(this.#view);
        return;
      case 'ready':
        document.body.dataset.runtime = 'ready';
        // Not earlier: while the runtime loads, the processor has enough to do.
        void warmUpWebRTC();
        return;
      case 'prepared':
        this.#signaling?.prepared(message.scene_index);
        return;
      case 'error':
        console.error(`coplay: ${message.detail}`);
        this.#fail({ error: message.error, hint: message.hint });
        return;
      default:
        (('game_id' in message && this.#games.get(message.game_id)) || this.#game)?.handleMessage(message);
    }
  }

  #showProgress(view: PlayScene): void {
    const { stage, fraction } = this.#simulation?.progress ?? { stage: '', fraction: 0 };
    view.showLoading(stage, fraction);
  }

  // The page

  #show(scene: string, phase: string, view: SceneView): void {
    this.#view?.close();
    this.#view = view;
    announceScene(scene, phase);
    this.#root.replaceChildren(view.root);
    const heading = this.#root.querySelector('h1');
    // A new scene is a new page: a screen reader should begin at its top.
    heading?.setAttribute('tabindex', '-1');
    heading?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  #showNotice(text: string): void {
    if (this.#view instanceof PlayScene) this.#view.notify(text);
    else this.#remarks.notice(text);
  }

  #showStoring(): void {
    if (this.#view instanceof PlayScene) this.#view.showStoring(this.#storing);
    // At the end it is their own data that participants wait for, and that the page speaks of.
    const waits = !this.#storing && this.#scene?.kind !== 'finish';
    this.#remarks.trouble(waits ? NOT_STORING : '');
  }

  #fail(failure: Failure): void {
    this.#offline.hidden = true;
    this.#coming = null;
    // What broke in this browser only is in no log of the server: the researcher can at least find whose it was.
    const reference = failure.reference || this.#participant_id;
    this.#show('error', 'ended', new FailureScene({ ...failure, reference }, () => location.reload()));
  }
}

function later(delay_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delay_ms));
}
