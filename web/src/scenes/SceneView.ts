/** What every scene on the page has in common. */

export interface SceneView {
  readonly root: HTMLElement;
  /** Stop everything that the scene started: timers, listeners, painting. */
  close(): void;
}

/** Set `data-scene` and `data-phase` on the body, for styles and for scripts that drive the page. */
export function announceScene(scene: string, phase: string): void {
  document.body.dataset.scene = scene;
  announcePhase(phase);
}

/** Set `data-phase` on the body. */
export function announcePhase(phase: string): void {
  document.body.dataset.phase = phase;
}
