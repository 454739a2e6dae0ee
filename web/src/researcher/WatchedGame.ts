/** A game that a spectator watches: its confirmed frames are fetched once a second and shown at the game's own pace. */

import { element } from '../dom';
import { CanvasRenderer } from '../draw/CanvasRenderer';
import { GameWorker } from '../game/GameWorker';
import { WorkerDispatcher } from '../game/WorkerDispatcher';
import type { WatchConfig, WatchedState, WatchOverview } from '../protocol/messages';
import type { SpectatorApi } from './SpectatorApi';

const FETCH_EVERY_MS = 1000;

/** After a batch of more than this, the spectator is far behind: fetch the next one immediately. */
const FAR_BEHIND_FRAMES = 1000;

export class WatchedGame {
  readonly root: HTMLElement;
  readonly #api: SpectatorApi;
  readonly #game_id: string;
  readonly #worker: GameWorker;
  readonly #dispatcher: WorkerDispatcher;
  readonly #canvas = element('canvas', { class: 'stage', 'aria-label': 'The game' });
  readonly #status = element('p', { class: 'said', role: 'status', text: 'Getting the game ready …' });
  readonly #scores = element('ul', { class: 'scores' });
  #renderer: CanvasRenderer | null = null;
  #config: WatchConfig | null = null;
  #received = 0;
  #over = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(api: SpectatorApi, overview: WatchOverview, game_id: string) {
    this.#api = api;
    this.#game_id = game_id;
    this.root = element('section', { class: 'spectacle' }, [this.#scores, this.#canvas, this.#status]);
    this.#dispatcher = new WorkerDispatcher({
      progress: ({ stage }) => this.#write(`${stage} …`),
      watched: (state) => this.#showState(state),
      error: ({ error, hint }) => this.#write(`${error} ${hint}`),
    });
    this.#worker = new GameWorker(overview.runtime, overview.bundle, this.#dispatcher);
    void this.#begin();
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#over = true;
    this.#renderer?.close();
    this.#worker.close();
  }

  /** Number of the player whose screen is shown, from 1. */
  get #viewer(): number {
    return (this.#config?.peers[0] ?? 0) + 1;
  }

  async #begin(): Promise<void> {
    try {
      this.#config = await this.#api.config(this.#game_id);
      this.root.style.setProperty('--players', String(this.#config.peers.length));
      this.#renderer = new CanvasRenderer(
        this.#canvas,
        this.#config.fps,
        () => undefined,
        (aspect) => this.root.style.setProperty('--aspect', String(aspect)),
      );
      this.#dispatcher.showPictures(this.#config.game_id, this.#renderer);
      this.#worker.post({ kind: 'watch', config: this.#config });
      await this.#fetchFrames();
    } catch (cause) {
      this.#write(String(cause instanceof Error ? cause.message : cause));
    }
  }

  async #fetchFrames(): Promise<void> {
    let wait_ms = FETCH_EVERY_MS;
    try {
      const { data, over } = await this.#api.frames(this.#game_id, this.#received);
      const bytes_per_frame = this.#config?.input_sizes.reduce((sum, size) => sum + size, 0) ?? 1;
      const frames = data.byteLength / bytes_per_frame;
      if (frames > 0) {
        this.#worker.post({ kind: 'frames', first: this.#received, data }, [data]);
        this.#received += frames;
        wait_ms = frames > FAR_BEHIND_FRAMES ? 0 : FETCH_EVERY_MS;
      }
      this.#over = over;
    } catch (cause) {
      this.#write(String(cause instanceof Error ? cause.message : cause));
    }
    if (!this.#over) this.#timer = setTimeout(() => void this.#fetchFrames(), wait_ms);
  }

  #showState(state: WatchedState): void {
    const fps = this.#config?.fps ?? 1;
    const behind_s = (state.received - state.frame) / fps;
    const done = this.#over && state.frame >= state.received;
    document.body.dataset.frame = String(state.frame);
    document.body.dataset.phase = done ? 'ended' : state.frame > 0 ? 'playing' : 'waiting';
    if (done) this.#write(`Over after ${state.frame} frames.`);
    else if (state.received === 0) this.#write('Waiting for the first confirmed frames …');
    else if (behind_s > 3) this.#write(`Catching up: ${Math.round((100 * state.frame) / state.received)} %`);
    else
      this.#write(`Frame ${state.frame}, a moment behind the players; drawn as for player ${this.#viewer}.`);
    const rows = state.scores.map((score, player) =>
      element('li', {}, [
        element('span', { text: `Player ${player + 1}` }),
        element('b', { text: String(Math.round(score * 10) / 10) }),
      ]),
    );
    this.#scores.replaceChildren(...rows);
  }

  #write(text: string): void {
    if (this.#status.textContent !== text) this.#status.textContent = text;
  }
}
