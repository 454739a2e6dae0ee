import { continueButton, element, prose } from '../dom';
import type { InstructionsProps } from '../protocol/messages';
import type { SceneView } from './SceneView';

/** A page to read, with a button that goes on. */
export class InstructionsScene implements SceneView {
  readonly root: HTMLElement;

  constructor(scene: InstructionsProps, advance: () => Promise<boolean>) {
    const status = element('p', { class: 'status', role: 'status' });
    const button = continueButton(scene.button || 'Continue', async () => {
      button.disabled = true;
      if (await advance()) return;
      button.disabled = false;
      status.textContent = 'The study did not answer. Please try again.';
    });
    const title = scene.title ? [element('h1', { text: scene.title })] : [];
    this.root = element('article', { class: 'card' }, [
      ...title,
      prose(scene.html),
      element('footer', { class: 'actions' }, [status, button]),
    ]);
  }

  close(): void {}
}
