/** What the page shows at one step of a participant's path. */

export interface SceneView {
  readonly root: HTMLElement;
  /** Stop everything that the scene started. */
  close(): void;
}

/** Put a scene onto the page and say so to whoever drives it from outside. */
export function announceScene(scene: string, phase: string): void {
  document.body.dataset.scene = scene;
  announcePhase(phase);
}

export function announcePhase(phase: string): void {
  document.body.dataset.phase = phase;
}
