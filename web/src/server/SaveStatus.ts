/** Whether the server has everything of this participant: the sum over all games, and whatever else is awaited. */

export interface SaveProgress {
  /** How many uploads the server does not have yet. */
  waiting: number;
  /** Whether the last attempt at one of them failed. */
  failing: boolean;
}

export class SaveStatus {
  readonly #sources = new Map<unknown, SaveProgress>();
  readonly #listeners = new Set<(state: SaveProgress) => void>();

  get state(): SaveProgress {
    const states = [...this.#sources.values()];
    return {
      waiting: states.reduce((sum, state) => sum + state.waiting, 0),
      failing: states.some((state) => state.failing),
    };
  }

  /** Set the state of one source of uploads. */
  report(source: unknown, waiting: number, failing: boolean): void {
    if (waiting === 0) this.#sources.delete(source);
    else this.#sources.set(source, { waiting, failing });
    const { state } = this;
    for (const listener of [...this.#listeners]) listener(state);
  }

  /** Count as one waiting upload until a promise settles. */
  async hold(until: Promise<unknown>): Promise<void> {
    const source = Symbol('held');
    this.report(source, 1, false);
    await until.catch(() => undefined);
    this.report(source, 0, false);
  }

  /** Call `listener` after each report. @returns A function that ends this. */
  listen(listener: (state: SaveProgress) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
