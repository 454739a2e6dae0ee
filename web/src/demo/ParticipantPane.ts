/** One participant of the demo: the page in a frame, sliders for its network, and its figures. */
import { element } from '../dom';
import type { GameStats } from '../protocol/messages';
import { Sparkline } from './Sparkline';

export interface ParticipantPaneProps {
  name: string;
  /** Prefix of the participant's id. */
  side: string;
  /** Labels of the keys to press. */
  keys: readonly string[];
}

const FIGURES = {
  rtt: ['Round trip', 'How long a datagram takes to the other side and back'],
  rollbacks: ['Rollbacks', 'How often a guess was wrong and the game was played again from there'],
  depth: ['Deepest', 'The most frames that one rollback played again'],
  frame: ['Frame', 'The frame that is shown'],
  confirmed: ['Confirmed', 'The last frame for which both sides hold the same keys'],
  link: ['Link', 'How the two browsers are connected'],
} as const;

type Figure = keyof typeof FIGURES;

export class ParticipantPane {
  readonly root: HTMLElement;
  readonly frame: HTMLIFrameElement;
  readonly #shown = new Map<Figure, HTMLElement>();
  readonly #rtt = new Sparkline('Round trip (ms)');
  readonly #resimulated_line = new Sparkline('Frames played again');
  readonly #side: string;
  #conditions = { latency_ms: 0, loss: 0 };
  #resimulated = 0;

  constructor({ name, side, keys }: ParticipantPaneProps) {
    this.#side = side;
    this.frame = element('iframe', {
      src: this.#address(),
      title: name,
      allow: 'autoplay; gamepad; clipboard-write',
    });
    // A new document begins without imitated network conditions.
    this.frame.addEventListener('load', () => this.#applyConditions());
    this.root = element('section', { class: 'pane', 'aria-label': name }, [
      element('header', { class: 'pane-head' }, [
        element('h2', { text: name }),
        element(
          'p',
          { class: 'pane-keys' },
          keys.map((key) => element('kbd', { text: key })),
        ),
      ]),
      element('div', { class: 'sliders' }, [
        this.#slider('Added latency', 400, 10, 'ms', (value) => {
          this.#conditions.latency_ms = value;
        }),
        this.#slider('Lost datagrams', 40, 1, '%', (value) => {
          this.#conditions.loss = value / 100;
        }),
      ]),
      this.#figures(),
      element('div', { class: 'sparklines' }, [this.#rtt.root, this.#resimulated_line.root]),
      this.frame,
    ]);
  }

  /** Whether the scene that is shown has a button to go on. */
  get canAdvance(): boolean {
    return this.#scene === 'instructions';
  }

  get started(): boolean {
    return this.#scene !== '' && this.#scene !== 'loading' && !this.canAdvance;
  }

  get finished(): boolean {
    return this.#scene === 'finish';
  }

  get playing(): boolean {
    return this.#scene === 'play';
  }

  advance(): void {
    this.frame.contentDocument?.querySelector<HTMLElement>('[data-testid=continue]')?.click();
  }

  /** Begin again as a new participant. */
  restart(): void {
    this.#resimulated = 0;
    this.frame.src = this.#address();
  }

  press(keys: readonly string[]): void {
    this.frame.contentWindow?.coplay?.press(keys);
  }

  /** Update the figures. */
  refresh(): void {
    const stats = this.frame.contentWindow?.coplay?.stats() as Partial<GameStats> | undefined;
    if (stats?.frame === undefined) return;
    const rtt_ms = Object.values(stats.rtt_ms ?? {})[0] ?? null;
    const resimulated = stats.resimulated_frames ?? 0;
    this.#show('rtt', rtt_ms === null ? '–' : `${Math.round(rtt_ms)} ms`);
    this.#show('rollbacks', String(stats.rollbacks ?? 0));
    this.#show('depth', `${stats.max_rollback_frames ?? 0} frames`);
    this.#show('frame', String(stats.frame));
    this.#show('confirmed', String(stats.confirmed_frame ?? '–'));
    this.#show('link', Object.values(stats.link ?? {})[0] ?? '–');
    if (!this.playing) return;
    this.#rtt.push(rtt_ms ?? 0);
    this.#resimulated_line.push(Math.max(0, resimulated - this.#resimulated));
    this.#resimulated = resimulated;
  }

  #address(): string {
    const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
    return `/?participant=${this.#side}-${random.toString(16)}`;
  }

  get #scene(): string {
    return this.frame.contentDocument?.body?.dataset.scene ?? '';
  }

  #applyConditions(): void {
    this.frame.contentWindow?.coplay?.conditions(this.#conditions);
  }

  #show(figure: Figure, text: string): void {
    const shown = this.#shown.get(figure);
    if (shown !== undefined && shown.textContent !== text) shown.textContent = text;
  }

  #figures(): HTMLElement {
    const rows = Object.entries(FIGURES).map(([figure, [name, meaning]]) => {
      const value = element('dd', { text: '–' });
      this.#shown.set(figure as Figure, value);
      return element('div', { title: meaning }, [element('dt', { text: name }), value]);
    });
    return element('dl', { class: 'figures' }, rows);
  }

  #slider(name: string, max: number, step: number, unit: string, take: (value: number) => void): HTMLElement {
    const output = element('output', { text: `0 ${unit}` });
    const input = element('input', {
      type: 'range',
      min: '0',
      max: String(max),
      step: String(step),
      value: '0',
    });
    input.addEventListener('input', () => {
      output.textContent = `${input.value} ${unit}`;
      take(input.valueAsNumber);
      this.#applyConditions();
    });
    // After a drag the slider gives up the focus, so that the arrow keys move the players again.
    input.addEventListener('pointerup', () => input.blur());
    return element('label', {}, [element('span', { text: name }), input, output]);
  }
}
