/** What the page says around the scenes: notices, trouble with storage, and a lost connection. */
import { element } from '../dom';
import { NOT_STORING, NoticeBar } from '../scenes/NoticeBar';
import type { SceneDisplay } from './SceneDisplay';

export class PageNotices {
  readonly #display: SceneDisplay;
  readonly #bar = new NoticeBar();
  readonly #offline = element('p', { class: 'offline', role: 'status', hidden: '', text: 'Reconnecting …' });
  /** What the next scene says first: the reason why it follows. */
  #pending = '';
  #storing = true;
  #at_end = false;

  constructor(display: SceneDisplay) {
    this.#display = display;
    document.body.append(this.#offline);
  }

  /** The socket to the server opened or closed. */
  showConnected(connected: boolean): void {
    this.#offline.hidden = connected;
    this.#display.playScene?.showOnline(connected);
  }

  hideOffline(): void {
    this.#offline.hidden = true;
  }

  /** Show a notice now, and once more with the next scene. */
  announce(text: string): void {
    this.#pending = text;
    this.#show(text);
  }

  /** Show a notice with the next scene, unless another one waits for it already. */
  announceNext(text: string): void {
    this.#pending ||= text;
  }

  dropPending(): void {
    this.#pending = '';
  }

  /** Whether the server can store data: while it cannot, participants wait. */
  showStoring(ok: boolean): void {
    this.#storing = ok;
    this.#showStoring();
  }

  /** A scene is shown: add the notices that it should carry. */
  sceneShown(kind: string): void {
    this.#at_end = kind === 'finish';
    // A game has a line of its own for notices.
    if (this.#display.playScene === null) this.#display.view?.root.prepend(this.#bar.root);
    this.#show(this.#pending);
    this.#showStoring();
    this.#pending = '';
  }

  #show(text: string): void {
    const game = this.#display.playScene;
    if (game !== null) game.notify(text);
    else this.#bar.showNotice(text);
  }

  #showStoring(): void {
    this.#display.playScene?.showStoring(this.#storing);
    // At the end participants wait for their own data, and the last scene reports on that itself.
    const waits = !this.#storing && !this.#at_end;
    this.#bar.showTrouble(waits ? NOT_STORING : '');
  }
}
