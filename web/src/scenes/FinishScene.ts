import { element, plainButton, prose } from './dom';
import type { SceneView } from './Scene';

/** The end: thanks, a completion code, and the way back to where the participant came from. */
export class FinishScene implements SceneView {
  readonly root: HTMLElement;

  constructor(scene: { title: string; html: string; code?: string; redirect?: string }) {
    this.root = element('article', { class: 'card finish' }, [
      element('h1', { text: scene.title || 'Thank you' }),
      prose(scene.html),
      ...(scene.code ? [completionCode(scene.code)] : []),
      ...(scene.redirect ? [wayBack(scene.redirect)] : []),
    ]);
  }

  close(): void {}
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
