/** The page's end of the worker: starts it, talks to it, and starts it again when loading failed. */
import { DisplayListDecoder } from '../draw/DisplayList';
import type { BundleInfo, FromWorker, RuntimeInfo, ToWorker } from '../protocol/messages';

export class GameWorker {
  readonly #runtime: RuntimeInfo;
  readonly #bundle: BundleInfo;
  readonly #heard: (message: FromWorker) => void;
  #worker: Worker;
  #decoder = new DisplayListDecoder();
  #ready = false;
  #progress = { stage: 'Fetching the game', fraction: 0 };

  /** @param heard Called with everything that the worker says. */
  constructor(runtime: RuntimeInfo, bundle: BundleInfo, heard: (message: FromWorker) => void) {
    this.#runtime = runtime;
    this.#bundle = bundle;
    this.#heard = heard;
    this.#worker = this.#start();
  }

  /** Whether Python is up; before that, what is asked for waits. */
  get ready(): boolean {
    return this.#ready;
  }

  get progress(): { stage: string; fraction: number } {
    return this.#progress;
  }

  /** Knows the strings of all display lists so far. */
  get decoder(): DisplayListDecoder {
    return this.#decoder;
  }

  post(message: ToWorker, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** Give a channel to the worker. @returns Whether the browser can do that; if not, the page keeps it. */
  transferChannel(peer: number, connection: number, channel: RTCDataChannel): boolean {
    try {
      this.post({ kind: 'channel', peer, connection, channel }, [channel]);
      return true;
    } catch {
      return false;
    }
  }

  /** Throw the worker away. */
  close(): void {
    this.#worker.terminate();
  }

  /** Throw the worker away and load everything anew. */
  restart(): void {
    this.#worker.terminate();
    this.#ready = false;
    this.#worker = this.#start();
  }

  #start(): Worker {
    const worker = new Worker(new URL('../worker/worker.ts', import.meta.url), {
      type: 'module',
      name: 'game',
    });
    worker.onmessage = (event: MessageEvent<FromWorker>) => {
      if (event.data.kind === 'ready') this.#ready = true;
      // Each prepared scene draws on a canvas of its own, whose table of strings begins empty.
      if (event.data.kind === 'prepared') this.#decoder = new DisplayListDecoder();
      if (event.data.kind === 'progress') this.#progress = event.data;
      this.#heard(event.data);
    };
    worker.onerror = (event) => {
      this.#heard({
        kind: 'error',
        error: 'The game could not be loaded.',
        hint: 'Check your connection, then try again.',
        detail: event.message ?? 'the worker did not start',
      });
    };
    worker.postMessage({ kind: 'boot', runtime: this.#runtime, bundle: this.#bundle } satisfies ToWorker);
    return worker;
  }
}
