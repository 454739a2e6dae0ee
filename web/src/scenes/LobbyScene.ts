import { element, minutes, plainButton } from '../dom';
import type { LobbyProps, LobbyState } from '../protocol/messages';
import type { SceneView } from './SceneView';

/** The waiting room: how many are here, why it takes so long, how long it can take, and a button to leave. */
export class LobbyScene implements SceneView {
  readonly root: HTMLElement;
  readonly #seats = element('div', { class: 'seats', role: 'img' });
  readonly #reason = element('p', { class: 'reason', 'aria-live': 'polite' });
  readonly #waited = element('p', { class: 'waited' });
  readonly #limit = element('progress', {
    class: 'wait-bar',
    max: '1',
    value: '0',
    'aria-label': 'Time waited',
  });
  readonly #timer: ReturnType<typeof setInterval>;
  #state: LobbyState;
  #state_ms = performance.now();

  constructor(scene: LobbyProps, leave: () => void) {
    this.#state = {
      present: 1,
      size: scene.size,
      waited_s: 0,
      patience_s: scene.patience_s,
      reason: 'Looking for other players.',
    };
    this.root = element('article', { class: 'card lobby' }, [
      element('h1', { text: scene.title || 'Waiting room' }),
      this.#seats,
      this.#reason,
      this.#limit,
      this.#waited,
      element('footer', { class: 'actions' }, [
        element('p', { class: 'hint', text: 'The game starts by itself. Please keep this page open.' }),
        plainButton('Leave', 'leave', leave),
      ]),
    ]);
    this.#timer = setInterval(() => this.#showTime(), 500);
    this.update(this.#state);
  }

  update(state: LobbyState): void {
    this.#state = state;
    this.#state_ms = performance.now();
    const { present, size, reason } = state;
    this.#seats.replaceChildren(
      ...Array.from({ length: size }, (_, seat) =>
        element('span', { class: seat < present ? 'seat taken' : 'seat' }),
      ),
    );
    this.#seats.setAttribute('aria-label', `${present} of ${size} players are here`);
    const text = reason || `Waiting for ${size - present} more.`;
    if (this.#reason.textContent !== text) this.#reason.textContent = text;
    this.#showTime();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #showTime(): void {
    const { waited_s, patience_s } = this.#state;
    const now_s = waited_s + (performance.now() - this.#state_ms) / 1000;
    if (!patience_s) {
      this.#limit.hidden = true;
      this.#waited.textContent = `${minutes(now_s)} so far`;
      return;
    }
    this.#limit.value = Math.min(1, now_s / patience_s);
    const shown_s = Math.min(now_s, patience_s);
    this.#waited.textContent = `${minutes(shown_s)} of at most ${minutes(patience_s)}`;
  }
}
