/** The part of the page in which one scene at a time is shown. */
import { PlayScene } from '../scenes/PlayScene';
import { announceScene, type SceneView } from '../scenes/SceneView';

export class SceneDisplay {
  readonly #root: HTMLElement;
  #view: SceneView | null = null;

  constructor(root: HTMLElement) {
    this.#root = root;
  }

  get view(): SceneView | null {
    return this.#view;
  }

  /** The scene that is shown if it is a game, otherwise null. */
  get playScene(): PlayScene | null {
    return this.#view instanceof PlayScene ? this.#view : null;
  }

  /** Replace the scene that is shown. */
  show(scene: string, phase: string, view: SceneView): void {
    this.#view?.close();
    this.#view = view;
    announceScene(scene, phase);
    this.#root.replaceChildren(view.root);
    const heading = this.#root.querySelector('h1');
    // A new scene is a new page: a screen reader should begin at its top.
    heading?.setAttribute('tabindex', '-1');
    heading?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}
