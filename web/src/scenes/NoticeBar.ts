/** What the study has to say beside a scene: what happened to the participant, and why it does not go on just now. */
import { element } from '../dom';

/** Said on pages that wait for what the server has to store first. */
export const NOT_STORING =
  'The study cannot save data at the moment. Please keep this page open: it goes on by itself.';

export class NoticeBar {
  /** To be put onto a page; hidden while there is nothing to say. */
  readonly root = element('div', { class: 'remarks', role: 'status', 'data-testid': 'remarks', hidden: '' });
  readonly #notice = element('p', { class: 'remark', hidden: '' });
  readonly #trouble = element('p', { class: 'remark trouble', hidden: '' });

  constructor() {
    this.root.append(this.#notice, this.#trouble);
  }

  /** What happened; empty for nothing. */
  notice(text: string): void {
    this.#say(this.#notice, text);
  }

  /** Why it does not go on; empty if it does. */
  trouble(text: string): void {
    this.#say(this.#trouble, text);
  }

  #say(line: HTMLElement, text: string): void {
    if (line.textContent !== text) line.textContent = text;
    line.hidden = text === '';
    this.root.hidden = this.#notice.hidden && this.#trouble.hidden;
  }
}
