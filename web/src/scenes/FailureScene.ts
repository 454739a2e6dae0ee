import { element, plainButton } from '../dom';
import type { Failure } from '../protocol/messages';
import type { SceneView } from './SceneView';

/** A failure: what happened, what to do, and a reference by which the researcher can find it. */
export class FailureScene implements SceneView {
  readonly root: HTMLElement;

  constructor(failure: Failure, retry: () => void) {
    const again = plainButton('Try again', 'retry', retry);
    again.classList.replace('quiet', 'primary');
    this.root = element('article', { class: 'card failure', role: 'alert' }, [
      element('h1', { text: 'That did not work' }),
      element('p', { text: failure.error }),
      ...(failure.hint ? [element('p', { class: 'hint', text: failure.hint })] : []),
      ...(failure.reference
        ? [element('p', { class: 'reference', text: `Reference ${failure.reference}` })]
        : []),
      element('footer', { class: 'actions' }, [again]),
    ]);
  }

  close(): void {}
}
