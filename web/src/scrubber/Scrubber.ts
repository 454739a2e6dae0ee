/** Shows a recorded game frame by frame: what a player's screen showed, and what it should have shown. */
import { element, minutes } from '../dom';
import { PictureLoader } from './PictureLoader';
import { describeGuesses, nextCorrection, playerName, type RecordedGame } from './recordedGame';
import { StillCanvas } from './StillCanvas';
import { TimelineView } from './TimelineView';

const SPEEDS = [1, 0.5, 0.25, 0.1];

export class Scrubber {
  readonly #game: RecordedGame;
  readonly #pictures: PictureLoader;
  readonly #then = new StillCanvas('What they saw then');
  readonly #truth = new StillCanvas('What became true');
  readonly #timeline: TimelineView;
  readonly #description = element('p', { class: 'said', 'aria-live': 'polite' });
  readonly #where = element('output', { class: 'where' });
  readonly #play = element('button', { type: 'button', class: 'primary', text: 'Play' });
  readonly #speed = element('select', { 'aria-label': 'Speed' });
  #viewer: number;
  #frame = 0;
  #asked = 0;
  #playing = 0;

  constructor(root: HTMLElement, game: RecordedGame) {
    this.#game = game;
    this.#viewer = game.viewers[0] ?? 0;
    this.#pictures = new PictureLoader(game);
    this.#timeline = new TimelineView(game, this.#viewer, (frame) => this.#seek(frame));
    for (const speed of SPEEDS)
      this.#speed.append(element('option', { value: String(speed), text: `${speed} ×` }));
    this.#play.addEventListener('click', () => this.#toggle());
    root.append(
      this.#head(),
      element('div', { class: 'screens' }, [this.#then.root, this.#truth.root]),
      this.#description,
      element('div', { class: 'controls' }, [
        this.#play,
        this.#speed,
        this.#button('◀ correction', () => this.#toCorrection(-1)),
        this.#button('◀ frame', () => this.#seek(this.#frame - 1)),
        this.#button('frame ▶', () => this.#seek(this.#frame + 1)),
        this.#button('correction ▶', () => this.#toCorrection(1)),
        this.#where,
      ]),
      this.#timeline.root,
      element('p', {
        class: 'legend',
        text:
          'Colours are actions. A line under an input: it was a guess on the chosen screen at first. A red mark: the ' +
          'guess was wrong, and the screen was corrected. Keys: space, ← and →, with Shift to the next correction.',
      }),
    );
    window.addEventListener('keydown', (event) => this.#key(event));
    this.#seek(0);
  }

  #head(): HTMLElement {
    const { study, label, game_id, verdict, difference, viewers } = this.#game;
    const chooser = element('select', { 'aria-label': 'Whose screen' });
    for (const viewer of viewers) {
      chooser.append(element('option', { value: String(viewer), text: playerName(this.#game, viewer) }));
    }
    chooser.addEventListener('change', () => {
      this.#viewer = Number(chooser.value);
      this.#timeline.view(this.#viewer);
      this.#seek(this.#frame);
    });
    return element('header', {}, [
      element('div', {}, [
        element('h1', { text: [study, label].filter(Boolean).join(' · ') }),
        element('p', {
          text: `game ${game_id}, ${difference === null ? verdict : `${verdict}; ${difference}`}`,
        }),
      ]),
      element('label', {}, ['screen of ', chooser]),
    ]);
  }

  #button(text: string, pressed: () => void): HTMLButtonElement {
    const made = element('button', { type: 'button', class: 'quiet', text });
    made.addEventListener('click', pressed);
    return made;
  }

  #key(event: KeyboardEvent): void {
    if (event.target instanceof HTMLSelectElement) return;
    if (event.key === ' ') this.#toggle();
    else if (event.key === 'ArrowLeft') event.shiftKey ? this.#toCorrection(-1) : this.#seek(this.#frame - 1);
    else if (event.key === 'ArrowRight') event.shiftKey ? this.#toCorrection(1) : this.#seek(this.#frame + 1);
    else return;
    event.preventDefault();
  }

  #toCorrection(step: 1 | -1): void {
    // A screen shows the state after its last frame was played.
    const found = nextCorrection(this.#game, this.#viewer, this.#frame - 1, step);
    if (found !== null) this.#seek(found + 1);
  }

  #toggle(): void {
    if (this.#playing !== 0) {
      cancelAnimationFrame(this.#playing);
      this.#playing = 0;
      this.#play.textContent = 'Play';
      return;
    }
    if (this.#frame >= this.#game.frames) this.#seek(0);
    this.#play.textContent = 'Pause';
    let last_ms = performance.now();
    let due = 0;
    const go = (now_ms: number): void => {
      due += ((now_ms - last_ms) / 1000) * this.#game.fps * Number(this.#speed.value);
      last_ms = now_ms;
      const steps = Math.floor(due);
      due -= steps;
      if (steps > 0) this.#seek(this.#frame + steps);
      if (this.#frame >= this.#game.frames) this.#toggle();
      else this.#playing = requestAnimationFrame(go);
    };
    this.#playing = requestAnimationFrame(go);
  }

  #seek(frame: number): void {
    this.#frame = Math.min(this.#game.frames, Math.max(0, frame));
    this.#timeline.moveTo(this.#frame);
    const played = this.#frame - 1;
    const time = minutes(this.#frame / this.#game.fps);
    this.#where.textContent = `frame ${this.#frame} of ${this.#game.frames} · ${time}`;
    const actions = this.#game.agents.map((_, player) => this.#game.actions[player]?.[played] ?? '–');
    this.#description.textContent =
      played < 0
        ? 'before the first frame'
        : `${describeGuesses(this.#game, this.#viewer, played)} · actions ${actions.join(', ')}`;
    void this.#show(++this.#asked, this.#viewer, this.#frame);
  }

  async #show(asked: number, viewer: number, frame: number): Promise<void> {
    const both = await this.#pictures.at(viewer, frame);
    if (asked !== this.#asked || both === null) return; // the next one is asked for already
    this.#then.show(both.first, both.differs ? 'differs' : '', both.differs);
    this.#truth.show(both.truth, '', false);
    document.body.dataset.frame = String(frame);
  }
}
