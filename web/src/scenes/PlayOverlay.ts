/** What lies over the game while it cannot be played: the reason, how far it is, and after a while a way out. */

import { element, plainButton } from '../dom';
import type { GamePhase } from '../protocol/messages';
import { NOT_STORING } from './NoticeBar';

/** A wait longer than this gets a button to leave by. */
const PATIENCE_MS = 15_000;

/** Loading says how far it is, and is slow on slow machines. */
const LOADING_PATIENCE_MS = 60_000;

const OURS = 'Your connection is interrupted. Trying to bring it back';

const REMOVED = 'Your connection was away for too long, so the game could not wait for you';

const REASONS: Record<GamePhase, string> = {
  loading: 'Getting the game ready',
  waiting: 'Waiting for the game to begin',
  connecting: 'Connecting you to the other players',
  playing: '',
  paused: 'A player’s connection is interrupted. Waiting for it to come back',
  ended: 'Saving your game',
};

export class PlayOverlay {
  readonly root: HTMLElement;
  readonly #reason = element('p', { class: 'overlay-reason', role: 'status', 'aria-live': 'polite' });
  readonly #detail = element('p', { class: 'overlay-detail' });
  readonly #bar = element('progress', { max: '1', value: '0', 'aria-label': 'Loading' });
  readonly #leave: HTMLButtonElement;
  /** Whether the server is reached. */
  online = true;
  /** Whether the server can store anything: a game that is not stored does not begin. */
  storing = true;
  /** What comes of an interruption that lasts: nobody should wonder whether they have to wait for ever. */
  outlook = '';
  /** Whether the game could not wait for this participant. */
  removed = false;
  #phase: GamePhase | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(leave: () => void) {
    this.#leave = plainButton('Leave', 'leave', leave);
    this.#leave.hidden = true;
    this.root = element('div', { class: 'overlay' }, [this.#reason, this.#bar, this.#detail, this.#leave]);
  }

  show(phase: GamePhase, saved: boolean): void {
    this.root.hidden = phase === 'playing';
    this.root.dataset.phase = phase;
    this.#bar.hidden = phase !== 'loading';
    const reason = this.#reasonFor(phase, saved);
    if (this.#reason.textContent !== reason) this.#reason.textContent = reason;
    if (phase === 'waiting') this.#detail.textContent = this.storing ? '' : NOT_STORING;
    if (phase === this.#phase) return;
    this.#phase = phase;
    if (phase !== 'loading' && phase !== 'waiting')
      this.#detail.textContent = phase === 'paused' ? this.outlook : '';
    this.#leave.hidden = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (phase === 'loading') this.#offerWayOut(LOADING_PATIENCE_MS);
    else if (phase === 'connecting' || phase === 'waiting' || phase === 'paused') this.#offerWayOut();
  }

  #reasonFor(phase: GamePhase, saved: boolean): string {
    if (phase === 'ended' && this.removed) return REMOVED;
    if (phase === 'ended' && saved) return 'Saved. One moment';
    // When the server is out of reach too, it is hardly the others' fault.
    if (phase === 'paused' && !this.online) return OURS;
    return REASONS[phase];
  }

  progress(stage: string, fraction: number): void {
    this.#bar.value = fraction;
    if (this.#phase === 'loading' || this.#phase === null) this.#detail.textContent = stage;
  }

  /** How much the server has not got yet. */
  saving(waiting: number, failing: boolean): void {
    if (waiting === 0) {
      this.#detail.textContent = '';
    } else if (failing) {
      this.#detail.textContent = 'The study cannot be reached. Trying again; please keep this page open.';
      if (this.#timer === null) this.#offerWayOut();
    }
  }

  /** It will probably not go on. */
  trouble(text: string): void {
    this.#detail.textContent = text;
    this.#leave.hidden = false;
  }

  #offerWayOut(after_ms = PATIENCE_MS): void {
    this.#timer = setTimeout(() => {
      this.#leave.hidden = false;
    }, after_ms);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
