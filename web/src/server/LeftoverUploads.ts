/** Sends what earlier pages in this browser could not: pages that were closed before the server had everything. */
import type { SaveStatus } from './SaveStatus';
import { sleepWithJitter, UploadQueue, type UploadQueueHost } from './UploadQueue';
import type { UploadStore } from './UploadStore';

export class LeftoverUploads {
  readonly #store: UploadStore;
  readonly #save_status: SaveStatus;
  #queues: UploadQueue[] = [];

  /** @param save_status Reports on this participant's own leftovers; those of others are sent silently. */
  constructor(store: UploadStore, save_status: SaveStatus) {
    this.#store = store;
    this.#save_status = save_status;
  }

  /** Find what is left over, and begin to send it. */
  async resume(): Promise<void> {
    const { own, others } = await this.#store.leftovers();
    const host = (changed: UploadQueueHost['changed']): UploadQueueHost => ({
      request: (url, init) => fetch(url, init),
      store: this.#store,
      sleep: sleepWithJitter,
      changed,
    });
    const reporting = (token: string): UploadQueueHost =>
      host((waiting, failing) => this.#save_status.report(token, waiting, failing));
    this.#queues = [
      ...UploadQueue.resume(own, reporting),
      ...UploadQueue.resume(others, () => host(() => undefined)),
    ];
  }

  /** The page goes away: send what fits into requests that outlive it. */
  flush(): void {
    for (const queue of this.#queues) queue.flush();
  }
}
