/**
 * The page of a participant who has joined: creates worker, socket, games and scenes, and connects them.
 *
 * Python loads in the worker from the start, while the participant reads the first scene.
 */

import { GameWorker } from '../game/GameWorker';
import { WorkerDispatcher } from '../game/WorkerDispatcher';
import type { HeldKeys } from '../input/HeldKeys';
import { warmUpWebRTC } from '../links/warmUpWebRTC';
import type { Failure, Participation } from '../protocol/messages';
import { LeftoverUploads } from '../server/LeftoverUploads';
import { SaveStatus } from '../server/SaveStatus';
import { StudySocket } from '../server/StudySocket';
import { UploadStore } from '../server/UploadStore';
import { PageGames } from './PageGames';
import type { PageNotices } from './PageNotices';
import type { SceneDisplay } from './SceneDisplay';
import { SceneSwitcher } from './SceneSwitcher';

export interface StudyPageHost {
  display: SceneDisplay;
  notices: PageNotices;
  held_keys: HeldKeys;
  fail(failure: Failure): void;
}

export class StudyPage {
  readonly worker: GameWorker;
  readonly games: PageGames;
  readonly #host: StudyPageHost;
  readonly #socket: StudySocket;
  readonly #scenes: SceneSwitcher;
  readonly #leftovers: LeftoverUploads;

  constructor(participation: Participation, host: StudyPageHost) {
    const { display, notices, held_keys } = host;
    this.#host = host;
    const save_status = new SaveStatus();
    const store = new UploadStore(participation.study.name, participation.participant_id);
    this.#leftovers = new LeftoverUploads(store, save_status);
    void save_status.hold(this.#leftovers.resume());
    const dispatcher = this.#createDispatcher();
    this.worker = new GameWorker(participation.runtime, participation.bundle, dispatcher);
    const parts = { display, notices, held_keys, dispatcher, save_status, worker: this.worker };
    this.games = new PageGames({
      ...parts,
      store,
      sendSignal: (signal) => this.#socket.sendSignal(signal),
      sendDatagram: (message) => this.#socket.sendDatagram(message),
      iceServers: () => this.#socket.iceServers(),
      probeServer: () => void this.#socket.probe(),
      gameOver: (game_id) => this.#socket.gameOver(game_id),
      linked: () => this.#scenes.showPending(),
    });
    this.#scenes = new SceneSwitcher({
      ...parts,
      games: this.games,
      advance: (index) => this.#socket.continueFrom(index),
      leave: () => this.#socket.leave(),
    });
    this.#socket = this.#openSocket(participation.token);
    this.#listenToBrowser();
  }

  /** What the worker says, apart from its games. */
  #createDispatcher(): WorkerDispatcher {
    return new WorkerDispatcher({
      progress: (progress) => this.#host.display.playScene?.showLoading(progress),
      ready: () => {
        document.body.dataset.runtime = 'ready';
        // Not earlier: while Python loads, the processor has enough to do.
        void warmUpWebRTC();
      },
      prepared: ({ scene_index }) => this.#socket.prepared(scene_index),
      error: ({ error, hint, detail }) => {
        console.error(`coplay: ${detail}`);
        this.#fail({ error, hint });
      },
    });
  }

  /** What the server says. */
  #openSocket(token: string): StudySocket {
    const { games } = this;
    const { notices } = this.#host;
    return new StudySocket(token, {
      connectionChanged: (connected) => {
        notices.showConnected(connected);
        if (connected) games.current?.handleSocketBack();
      },
      scene: (scene) => this.#scenes.switchTo(scene),
      lobby: (state) => this.#scenes.updateLobby(state),
      game: (config) => games.begin(config),
      webrtc_signal: (signal) => games.current?.handleSignal(signal),
      datagram: (message) => games.current?.handleRelayed(message),
      player_left: ({ game_id, player_id }) => games.handlePlayerLeft(game_id, player_id),
      player_back: (player) => games.handlePlayerBack(player),
      removed: ({ game_id }) => games.handleRemoved(game_id),
      notice: ({ text }) => notices.announce(text),
      storing: ({ ok }) => notices.showStoring(ok),
      failed: (failure) => {
        // The server rejects this page, perhaps because a newer one has taken over: stay silent from here on.
        this.#socket.close();
        games.current?.close();
        this.#fail(failure);
      },
    });
  }

  #listenToBrowser(): void {
    document.addEventListener('visibilitychange', () =>
      this.worker.post({ kind: 'visibility', hidden: document.hidden }),
    );
    addEventListener('pagehide', () => {
      this.games.flush();
      this.#leftovers.flush();
    });
    addEventListener('online', () => {
      this.#socket.renew();
      this.games.current?.handleNetworkChange();
    });
  }

  #fail(failure: Failure): void {
    this.#scenes.dropPending();
    this.#host.fail(failure);
  }
}
