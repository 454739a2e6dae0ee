/** Lines above a scene: what happened to the participant, and why the study does not go on at the moment. */
import { element } from '../dom';

/** Shown on pages that wait until the server can store data. */
export const NOT_STORING =
  'The study cannot save data at the moment. Please keep this page open: it goes on by itself.';

export class NoticeBar {
  /** Hidden while both lines are empty. */
  readonly root = element('div', { class: 'remarks', role: 'status', 'data-testid': 'remarks', hidden: '' });
  readonly #notice = element('p', { class: 'remark', hidden: '' });
  readonly #trouble = element('p', { class: 'remark trouble', hidden: '' });

  constructor() {
    this.root.append(this.#notice, this.#trouble);
  }

  /** Show what happened; an empty text hides the line. */
  showNotice(text: string): void {
    this.#show(this.#notice, text);
  }

  /** Show why the study does not go on; an empty text hides the line. */
  showTrouble(text: string): void {
    this.#show(this.#trouble, text);
  }

  #show(line: HTMLElement, text: string): void {
    if (line.textContent !== text) line.textContent = text;
    line.hidden = text === '';
    this.root.hidden = this.#notice.hidden && this.#trouble.hidden;
  }
}
