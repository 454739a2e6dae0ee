/** Whether everything of this participant is with the server: the sum over all games, and whatever else is awaited. */

export interface SaveState {
  /** How much is not with the server yet. */
  waiting: number;
  /** Whether the last try to bring some of it failed. */
  failing: boolean;
}

export class SaveStatus {
  readonly #parts = new Map<unknown, SaveState>();
  readonly #listeners = new Set<(state: SaveState) => void>();

  get state(): SaveState {
    const parts = [...this.#parts.values()];
    return {
      waiting: parts.reduce((sum, part) => sum + part.waiting, 0),
      failing: parts.some((part) => part.failing),
    };
  }

  /** One of them, named by `part`, says how it is. */
  note(part: unknown, waiting: number, failing: boolean): void {
    if (waiting === 0) this.#parts.delete(part);
    else this.#parts.set(part, { waiting, failing });
    const { state } = this;
    for (const listener of [...this.#listeners]) listener(state);
  }

  /** Until this is over, nobody can say that all is saved. */
  async hold(until: Promise<unknown>): Promise<void> {
    const part = Symbol('held');
    this.note(part, 1, false);
    await until.catch(() => undefined);
    this.note(part, 0, false);
  }

  /** @returns Ends it. */
  listen(listener: (state: SaveState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
