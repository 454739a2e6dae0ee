/** The page's end of the worker in which Python runs: starts it, and posts to it. */
import type { BundleInfo, FromWorker, RuntimeInfo, ToWorker } from '../protocol/messages';
import type { WorkerDispatcher } from './WorkerDispatcher';

export class GameWorker {
  readonly #worker: Worker;
  #ready = false;
  #progress = { stage: 'Fetching the game', fraction: 0 };

  /** @param dispatcher Gets everything that the worker says. */
  constructor(runtime: RuntimeInfo, bundle: BundleInfo, dispatcher: WorkerDispatcher) {
    const worker = new Worker(new URL('../worker/worker.ts', import.meta.url), {
      type: 'module',
      name: 'game',
    });
    this.#worker = worker;
    worker.onmessage = ({ data: message }: MessageEvent<FromWorker>) => {
      if (message.kind === 'ready') this.#ready = true;
      if (message.kind === 'progress') this.#progress = message;
      dispatcher.dispatch(message);
    };
    worker.onerror = (event) => {
      dispatcher.dispatch({
        kind: 'error',
        error: 'The game could not be loaded.',
        hint: 'Check your connection, then try again.',
        detail: event.message ?? 'the worker did not start',
      });
    };
    this.post({ kind: 'boot', runtime, bundle });
  }

  /** Whether Python has started; until then the worker queues what it is asked to do. */
  get ready(): boolean {
    return this.#ready;
  }

  /** What is being loaded, and how much is done (0 to 1). */
  get progress(): { stage: string; fraction: number } {
    return this.#progress;
  }

  post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /**
   * Transfer a channel to the worker.
   *
   * @returns False if the browser cannot do that: the page then keeps the channel.
   */
  transferChannel(peer: number, connection: number, channel: RTCDataChannel): boolean {
    try {
      this.post({ kind: 'channel', peer, connection, channel }, [channel]);
      return true;
    } catch {
      return false;
    }
  }

  /** Terminate the worker, and with it whatever it was doing. */
  close(): void {
    this.#worker.terminate();
  }
}
