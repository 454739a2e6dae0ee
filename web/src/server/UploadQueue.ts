/**
 * Brings a game's batches and its report to the server, and keeps each of them, on this device too, until the server has
 * it.
 *
 * One request at a time, in order; a failure waits a little longer each time and never gives up by itself. Only what the
 * server refuses for good is let go.
 */
import type { PendingUpload, UploadStore } from './UploadStore';

export interface UploadQueueHost {
  request: typeof fetch;
  /** Keeps what is on its way. */
  outbox: UploadStore;
  /** The server has batch `number`, or (not ok) will never take it. */
  settled?(number: number, ok: boolean): void;
  /** How much is still to be brought, and whether the last try failed. */
  changed(waiting: number, failing: boolean): void;
  sleep(delay_ms: number): Promise<void>;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** A browser refuses keepalive requests beyond 64 KiB in total. */
const KEEPALIVE_BYTES = 60_000;

export class UploadQueue {
  readonly #game_id: string;
  readonly #token: string;
  readonly #host: UploadQueueHost;
  #pending: PendingUpload[] = [];
  #working = false;
  #empty_waiters: (() => void)[] = [];

  constructor(game_id: string, token: string, host: UploadQueueHost) {
    this.#game_id = game_id;
    this.#token = token;
    this.#host = host;
  }

  /** Bring what earlier pages left: for each page and game, by its token, with a host of its own. */
  static resume(
    parcels: readonly PendingUpload[],
    hostOf: (token: string) => UploadQueueHost,
  ): UploadQueue[] {
    const by_token = new Map<string, UploadQueue>();
    for (const parcel of parcels) {
      const { game_id, token } = parcel;
      const uploads = by_token.get(token) ?? new UploadQueue(game_id, token, hostOf(token));
      by_token.set(token, uploads);
      uploads.#add(parcel);
    }
    return [...by_token.values()];
  }

  addBatch(number: number, body: ArrayBuffer): void {
    this.#keep('batches', number, body);
  }

  addReport(report: unknown): void {
    this.#keep('report', 0, JSON.stringify(report));
  }

  /** Resolves when the server has everything that was added. */
  allAcked(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#empty_waiters.push(resolve));
  }

  /** The page goes away: send what fits in requests that outlive it. What the server already has does no harm twice. */
  flush(): void {
    let room = KEEPALIVE_BYTES;
    for (const parcel of this.#pending) {
      room -= size(parcel);
      if (room < 0) return;
      this.#post(parcel, true).catch(() => undefined);
    }
  }

  #keep(kind: PendingUpload['kind'], number: number, body: PendingUpload['body']): void {
    const parcel = this.#host.outbox.parcel({
      game_id: this.#game_id,
      token: this.#token,
      kind,
      number,
      body,
    });
    void this.#host.outbox.keep(parcel);
    this.#add(parcel);
  }

  #add(parcel: PendingUpload): void {
    this.#pending.push(parcel);
    this.#host.changed(this.#pending.length, false);
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    let wait_ms = FIRST_WAIT_MS;
    for (let parcel = this.#pending[0]; parcel !== undefined; parcel = this.#pending[0]) {
      const outcome = await this.#bring(parcel);
      if (typeof outcome === 'number') {
        this.#host.changed(this.#pending.length, true);
        await this.#host.sleep(Math.max(wait_ms, outcome));
        wait_ms = Math.min(LONGEST_WAIT_MS, wait_ms * 2);
      } else {
        this.#pending.shift();
        wait_ms = FIRST_WAIT_MS;
        void this.#host.outbox.remove(parcel);
        if (parcel.kind === 'batches') this.#host.settled?.(parcel.number, outcome === 'taken');
        this.#host.changed(this.#pending.length, false);
      }
    }
    this.#working = false;
    for (const resolve of this.#empty_waiters.splice(0)) resolve();
  }

  /** What became of it, or after how many milliseconds the server would like to be asked again. */
  async #bring(parcel: PendingUpload): Promise<'taken' | 'refused' | number> {
    try {
      const response = await this.#post(parcel, size(parcel) < KEEPALIVE_BYTES / 4);
      if (response.ok) return 'taken';
      if (!isFinal(response.status)) return retryAfter(response);
      console.error(`coplay: the server refused ${urlOf(parcel)} (${response.status})`);
      return 'refused';
    } catch {
      return 0;
    }
  }

  #post(parcel: PendingUpload, keepalive: boolean): Promise<Response> {
    const type = parcel.kind === 'report' ? 'application/json' : 'application/octet-stream';
    return this.#host.request(urlOf(parcel), {
      method: 'POST',
      keepalive,
      headers: { Authorization: `Bearer ${parcel.token}`, 'Content-Type': type },
      body: parcel.body,
    });
  }
}

/** Wait, a little more or less: when a server comes back, its pages should not all ask at once. */
export function sleepUnevenly(delay_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delay_ms * (0.75 + Math.random() / 2)));
}

function urlOf({ game_id, kind }: PendingUpload): string {
  return `/api/games/${encodeURIComponent(game_id)}/${kind}`;
}

/** Whether asking again cannot help. A participant must not wait for ever over what the server will never take. */
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
