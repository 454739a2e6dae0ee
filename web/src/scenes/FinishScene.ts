import { element, plainButton, prose } from '../dom';
import type { SaveState, SaveStatus } from '../server/SaveStatus';
import type { SceneView } from './SceneView';

interface FinishProps {
  title: string;
  html: string;
  code?: string;
  redirect?: string;
}

/**
 * The end: thanks, a completion code, and the way back to where the participant came from. Code and way back appear once
 * the participant's data is with the server: whoever has them closes the page.
 */
export class FinishScene implements SceneView {
  readonly root: HTMLElement;
  readonly #status = element('p', { class: 'status', role: 'status', 'data-testid': 'saving' });
  readonly #stop: () => void;

  constructor(scene: FinishProps, saving: SaveStatus) {
    this.root = element('article', { class: 'card finish' }, [
      element('h1', { text: scene.title || 'Thank you' }),
      prose(scene.html),
      this.#status,
    ]);
    this.#stop = saving.listen((state) => this.#show(state, scene));
    this.#show(saving.state, scene);
  }

  close(): void {
    this.#stop();
  }

  #show(state: SaveState, scene: FinishProps): void {
    if (state.waiting > 0) {
      const text = sentence(state, Boolean(scene.code));
      if (this.#status.textContent !== text) this.#status.textContent = text;
      return;
    }
    this.#stop();
    this.#status.remove();
    if (scene.code) this.root.append(completionCode(scene.code));
    if (scene.redirect) this.root.append(wayBack(scene.redirect));
  }
}

function sentence({ failing }: SaveState, has_code: boolean): string {
  const then = has_code ? 'Your completion code appears here as soon as it is saved.' : '';
  if (!failing) return `Saving your data … ${then}`.trim();
  return `The study cannot save data at the moment. Yours is kept on this device: please keep this page open. ${then}`.trim();
}

function completionCode(code: string): HTMLElement {
  const said = element('p', { class: 'status', role: 'status' });
  const shown = element('output', { class: 'code', 'data-testid': 'code', text: code });
  const copy = plainButton('Copy', 'copy', async () => {
    try {
      await navigator.clipboard.writeText(code);
      said.textContent = 'Copied.';
    } catch {
      // No clipboard here, as on plain http: select it, so that one key copies it.
      getSelection()?.selectAllChildren(shown);
      said.textContent = 'Selected: press Ctrl+C (or ⌘C) to copy.';
    }
  });
  return element('section', { class: 'completion' }, [
    element('p', { class: 'label', text: 'Your completion code' }),
    element('div', { class: 'code-row' }, [shown, copy]),
    said,
  ]);
}

function wayBack(redirect: string): HTMLElement {
  return element('footer', { class: 'actions' }, [
    element('a', { class: 'primary', href: redirect, 'data-testid': 'continue', text: 'Finish' }),
  ]);
}
