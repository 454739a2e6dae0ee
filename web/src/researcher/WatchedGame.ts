/** One game that is looked on at: fetches its frames once a second and shows them at their own pace. */

import { element } from '../dom';
import { CanvasRenderer } from '../draw/CanvasRenderer';
import { GameWorker } from '../game/GameWorker';
import type { FromWorker, WatchConfig, WatchOverview } from '../protocol/messages';
import type { SpectatorApi } from './SpectatorApi';

const ASK_EVERY_MS = 1000;

export class WatchedGame {
  readonly root: HTMLElement;
  readonly #feed: SpectatorApi;
  readonly #game_id: string;
  readonly #simulation: GameWorker;
  readonly #canvas = element('canvas', { class: 'stage', 'aria-label': 'The game' });
  readonly #said = element('p', { class: 'said', role: 'status', text: 'Getting the game ready …' });
  readonly #scores = element('ul', { class: 'scores' });
  #renderer: CanvasRenderer | null = null;
  #config: WatchConfig | null = null;
  #received = 0;
  #over = false;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(feed: SpectatorApi, overview: WatchOverview, game_id: string) {
    this.#feed = feed;
    this.#game_id = game_id;
    this.root = element('section', { class: 'spectacle' }, [this.#scores, this.#canvas, this.#said]);
    this.#simulation = new GameWorker(overview.runtime, overview.bundle, (message) => this.#hear(message));
    void this.#begin();
  }

  get #viewer(): number {
    return (this.#config?.peers[0] ?? 0) + 1;
  }

  async #begin(): Promise<void> {
    try {
      this.#config = await this.#feed.config(this.#game_id);
      this.root.style.setProperty('--players', String(this.#config.peers.length));
      this.#renderer = new CanvasRenderer(
        this.#canvas,
        this.#config.fps,
        () => undefined,
        (aspect) => this.root.style.setProperty('--aspect', String(aspect)),
      );
      this.#simulation.post({ kind: 'watch', config: this.#config });
      await this.#ask();
    } catch (cause) {
      this.#say(String(cause instanceof Error ? cause.message : cause));
    }
  }

  async #ask(): Promise<void> {
    let wait_ms = ASK_EVERY_MS;
    try {
      const { data, over } = await this.#feed.frames(this.#game_id, this.#received);
      const width = this.#config?.input_sizes.reduce((sum, size) => sum + size, 0) ?? 1;
      const frames = data.byteLength / width;
      if (frames > 0) {
        this.#simulation.post({ kind: 'frames', first: this.#received, data }, [data]);
        this.#received += frames;
        wait_ms = frames > ASK_EVERY_MS ? 0 : ASK_EVERY_MS;
      }
      this.#over = over;
    } catch (cause) {
      this.#say(String(cause instanceof Error ? cause.message : cause));
    }
    if (!this.#over) this.#timer = setTimeout(() => void this.#ask(), wait_ms);
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case 'draw':
        this.#renderer?.accept(this.#simulation.decoder.decode(message));
        return;
      case 'watched':
        this.#showState(message);
        return;
      case 'error':
        this.#say(`${message.error} ${message.hint}`);
        return;
      case 'progress':
        this.#say(`${message.stage} …`);
        return;
    }
  }

  #showState(state: Extract<FromWorker, { kind: 'watched' }>): void {
    const fps = this.#config?.fps ?? 1;
    const behind_s = (state.received - state.frame) / fps;
    const done = this.#over && state.frame >= state.received;
    document.body.dataset.frame = String(state.frame);
    document.body.dataset.phase = done ? 'ended' : state.frame > 0 ? 'playing' : 'waiting';
    if (done) this.#say(`Over after ${state.frame} frames.`);
    else if (state.received === 0) this.#say('Waiting for the first confirmed frames …');
    else if (behind_s > 3) this.#say(`Catching up: ${Math.round((100 * state.frame) / state.received)} %`);
    else this.#say(`Frame ${state.frame}, a moment behind the players; drawn as for player ${this.#viewer}.`);
    const rows = state.scores.map((score, player) =>
      element('li', {}, [
        element('span', { text: `Player ${player + 1}` }),
        element('b', { text: String(Math.round(score * 10) / 10) }),
      ]),
    );
    this.#scores.replaceChildren(...rows);
  }

  #say(text: string): void {
    if (this.#said.textContent !== text) this.#said.textContent = text;
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#over = true;
    this.#renderer?.close();
    this.#simulation.close();
  }
}
