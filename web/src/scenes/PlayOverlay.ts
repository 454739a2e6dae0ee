/** Covers the game while it cannot be played: shows the reason, the progress, and after a while a button to leave. */

import { element, plainButton } from '../dom';
import type { GamePhase } from '../protocol/messages';
import { NOT_STORING } from './NoticeBar';

/** After this wait there is a button to leave. */
const LEAVE_AFTER_MS = 15_000;

/** The same while loading, which shows its progress and takes long on slow machines. */
const LEAVE_LOADING_AFTER_MS = 60_000;

const OWN_CONNECTION = 'Your connection is interrupted. Trying to bring it back';

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
  /** Whether this page is connected to the server. */
  online = true;
  /** Whether the server can store data; a game that cannot be stored does not begin. */
  storing = true;
  /** What a long interruption leads to, so that nobody wonders whether they have to wait forever. */
  outlook = '';
  /** Whether this participant was removed because the game could not wait any longer. */
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
    if (phase === 'loading') this.#offerLeave(LEAVE_LOADING_AFTER_MS);
    else if (phase === 'connecting' || phase === 'waiting' || phase === 'paused') this.#offerLeave();
  }

  #reasonFor(phase: GamePhase, saved: boolean): string {
    if (phase === 'ended' && this.removed) return REMOVED;
    if (phase === 'ended' && saved) return 'Saved. One moment';
    // If the server cannot be reached either, the cause is this participant's connection.
    if (phase === 'paused' && !this.online) return OWN_CONNECTION;
    return REASONS[phase];
  }

  showProgress(stage: string, fraction: number): void {
    this.#bar.value = fraction;
    if (this.#phase === 'loading' || this.#phase === null) this.#detail.textContent = stage;
  }

  /** Show how many uploads the server does not have yet. */
  showSaving(waiting: number, failing: boolean): void {
    if (waiting === 0) {
      this.#detail.textContent = '';
    } else if (failing) {
      this.#detail.textContent = 'The study cannot be reached. Trying again; please keep this page open.';
      if (this.#timer === null) this.#offerLeave();
    }
  }

  /** Show a problem that will probably not go away, with a button to leave. */
  showTrouble(text: string): void {
    this.#detail.textContent = text;
    this.#leave.hidden = false;
  }

  #offerLeave(after_ms = LEAVE_AFTER_MS): void {
    this.#timer = setTimeout(() => {
      this.#leave.hidden = false;
    }, after_ms);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}
