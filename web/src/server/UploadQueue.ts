/**
 * Uploads a game's batches and its report, and keeps each of them, on this device too, until the server has it.
 *
 * Requests are made one at a time and in order. A failed one is retried after a wait that doubles, without an end. Only
 * what the server rejects for good is dropped.
 */
import type { PendingUpload, UploadStore } from './UploadStore';

export interface UploadQueueHost {
  request: typeof fetch;
  /** Keeps on this device what is in the queue. */
  store: UploadStore;
  /** The server has batch `number`, or (not ok) rejected it for good. */
  settled?(number: number, ok: boolean): void;
  /** How many uploads wait, and whether the last attempt failed. */
  changed(waiting: number, failing: boolean): void;
  sleep(delay_ms: number): Promise<void>;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** A browser rejects keepalive requests beyond 64 KiB in total. */
const KEEPALIVE_BYTES = 60_000;

export class UploadQueue {
  readonly #game_id: string;
  readonly #token: string;
  readonly #host: UploadQueueHost;
  #pending: PendingUpload[] = [];
  #working = false;
  #when_drained: (() => void)[] = [];

  constructor(game_id: string, token: string, host: UploadQueueHost) {
    this.#game_id = game_id;
    this.#token = token;
    this.#host = host;
  }

  /**
   * Return queues that send what earlier pages left.
   *
   * Each token has a queue, as it stands for one page and one game.
   */
  static resume(
    uploads: readonly PendingUpload[],
    hostOf: (token: string) => UploadQueueHost,
  ): UploadQueue[] {
    const by_token = new Map<string, UploadQueue>();
    for (const upload of uploads) {
      const { game_id, token } = upload;
      const queue = by_token.get(token) ?? new UploadQueue(game_id, token, hostOf(token));
      by_token.set(token, queue);
      queue.#add(upload);
    }
    return [...by_token.values()];
  }

  addBatch(number: number, body: ArrayBuffer): void {
    this.#keep('batches', number, body);
  }

  addReport(report: unknown): void {
    this.#keep('report', 0, JSON.stringify(report));
  }

  /** Resolve when nothing waits any more: the server has, or has rejected, everything that was added. */
  drained(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#when_drained.push(resolve));
  }

  /**
   * The page goes away: send what fits into requests that outlive it.
   *
   * Uploads are idempotent: repeating one does no harm.
   */
  flush(): void {
    let room = KEEPALIVE_BYTES;
    for (const upload of this.#pending) {
      room -= size(upload);
      if (room < 0) return;
      this.#post(upload, true).catch(() => undefined);
    }
  }

  #keep(kind: PendingUpload['kind'], number: number, body: PendingUpload['body']): void {
    const { store } = this.#host;
    const upload = store.create({ game_id: this.#game_id, token: this.#token, kind, number, body });
    void store.keep(upload);
    this.#add(upload);
  }

  #add(upload: PendingUpload): void {
    this.#pending.push(upload);
    this.#host.changed(this.#pending.length, false);
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    let wait_ms = FIRST_WAIT_MS;
    for (let upload = this.#pending[0]; upload !== undefined; upload = this.#pending[0]) {
      const result = await this.#send(upload);
      if (typeof result === 'number') {
        this.#host.changed(this.#pending.length, true);
        await this.#host.sleep(Math.max(wait_ms, result));
        wait_ms = Math.min(LONGEST_WAIT_MS, wait_ms * 2);
      } else {
        this.#pending.shift();
        wait_ms = FIRST_WAIT_MS;
        void this.#host.store.remove(upload);
        if (upload.kind === 'batches') this.#host.settled?.(upload.number, result === 'accepted');
        this.#host.changed(this.#pending.length, false);
      }
    }
    this.#working = false;
    for (const resolve of this.#when_drained.splice(0)) resolve();
  }

  /** @returns What became of the upload, or the number of milliseconds after which the server wants a retry. */
  async #send(upload: PendingUpload): Promise<'accepted' | 'rejected' | number> {
    try {
      const response = await this.#post(upload, size(upload) < KEEPALIVE_BYTES / 4);
      if (response.ok) return 'accepted';
      if (!isFinal(response.status)) return retryAfter(response);
      console.error(`coplay: the server rejected ${urlOf(upload)} (${response.status})`);
      return 'rejected';
    } catch {
      return 0;
    }
  }

  #post(upload: PendingUpload, keepalive: boolean): Promise<Response> {
    const type = upload.kind === 'report' ? 'application/json' : 'application/octet-stream';
    return this.#host.request(urlOf(upload), {
      method: 'POST',
      keepalive,
      headers: { Authorization: `Bearer ${upload.token}`, 'Content-Type': type },
      body: upload.body,
    });
  }
}

/** Wait for about `delay_ms`: jitter keeps many pages from retrying at the same moment when a server comes back. */
export function sleepWithJitter(delay_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delay_ms * (0.75 + Math.random() / 2)));
}

function urlOf({ game_id, kind }: PendingUpload): string {
  return `/api/games/${encodeURIComponent(game_id)}/${kind}`;
}

/** Return true if a retry cannot help. A participant must not wait forever for what the server will never accept. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function retryAfter(response: Response): number {
  const seconds = Number(response.headers.get('Retry-After'));
  return Number.isFinite(seconds) ? Math.min(LONGEST_WAIT_MS, Math.max(0, 1000 * seconds)) : 0;
}

function size({ body }: PendingUpload): number {
  return typeof body === 'string' ? body.length : body.byteLength;
}
