import { element, plainButton, prose } from '../dom';
import type { FinishProps } from '../protocol/messages';
import type { SaveProgress, SaveStatus } from '../server/SaveStatus';
import type { SceneView } from './SceneView';

/**
 * The end: thanks, a completion code, and a link back to where the participant came from.
 *
 * Code and link appear once the server has the participant's data, because people close the page when they have them.
 */
export class FinishScene implements SceneView {
  readonly root: HTMLElement;
  readonly #status = element('p', { class: 'status', role: 'status', 'data-testid': 'saving' });
  readonly #stopListening: () => void;

  constructor(scene: FinishProps, save_status: SaveStatus) {
    this.root = element('article', { class: 'card finish' }, [
      element('h1', { text: scene.title || 'Thank you' }),
      prose(scene.html),
      this.#status,
    ]);
    this.#stopListening = save_status.listen((state) => this.#show(state, scene));
    this.#show(save_status.state, scene);
  }

  close(): void {
    this.#stopListening();
  }

  #show(state: SaveProgress, scene: FinishProps): void {
    if (state.waiting > 0) {
      const text = savingText(state, Boolean(scene.code));
      if (this.#status.textContent !== text) this.#status.textContent = text;
      return;
    }
    this.#stopListening();
    this.#status.remove();
    if (scene.code) this.root.append(completionCode(scene.code));
    if (scene.redirect) this.root.append(linkBack(scene.redirect));
  }
}

function savingText({ failing }: SaveProgress, has_code: boolean): string {
  const code_follows = has_code ? 'Your completion code appears here as soon as it is saved.' : '';
  if (!failing) return `Saving your data … ${code_follows}`.trim();
  return `The study cannot save data at the moment. Yours is kept on this device: please keep this page open. ${code_follows}`.trim();
}

function completionCode(code: string): HTMLElement {
  const status = element('p', { class: 'status', role: 'status' });
  const shown = element('output', { class: 'code', 'data-testid': 'code', text: code });
  const copy = plainButton('Copy', 'copy', async () => {
    try {
      await navigator.clipboard.writeText(code);
      status.textContent = 'Copied.';
    } catch {
      // Without a clipboard, as on plain http, select the code so that one key copies it.
      getSelection()?.selectAllChildren(shown);
      status.textContent = 'Selected: press Ctrl+C (or ⌘C) to copy.';
    }
  });
  return element('section', { class: 'completion' }, [
    element('p', { class: 'label', text: 'Your completion code' }),
    element('div', { class: 'code-row' }, [shown, copy]),
    status,
  ]);
}

function linkBack(redirect: string): HTMLElement {
  return element('footer', { class: 'actions' }, [
    element('a', { class: 'primary', href: redirect, 'data-testid': 'continue', text: 'Finish' }),
  ]);
}
