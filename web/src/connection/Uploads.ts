/**
 * Brings a game's batches and its report to the server, and keeps each of them until the server has it.
 *
 * One request at a time, in order; a failure waits a little longer each time and never gives up by itself. Only what the
 * server refuses for good is let go.
 */

export interface UploadsHost {
  request: typeof fetch;
  /** The server has batch `number`, or (not ok) will never take it. */
  settled(number: number, ok: boolean): void;
  /** How much is still to be brought, and whether the last try failed. */
  changed(waiting: number, failing: boolean): void;
  sleep(delay_ms: number): Promise<void>;
}

interface Pending {
  url: string;
  body: ArrayBuffer | string;
  number: number | null;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 10_000;

/** A browser refuses keepalive requests beyond 64 KiB in total. */
const KEEPALIVE_BYTES = 60_000;

export class Uploads {
  readonly #base: string;
  readonly #token: string;
  readonly #host: UploadsHost;
  #pending: Pending[] = [];
  #working = false;
  #empty_waiters: (() => void)[] = [];

  constructor(game_id: string, token: string, host: UploadsHost) {
    this.#base = `/api/games/${encodeURIComponent(game_id)}`;
    this.#token = token;
    this.#host = host;
  }

  addBatch(number: number, body: ArrayBuffer): void {
    this.#add({ url: `${this.#base}/batches`, body, number });
  }

  addReport(report: unknown): void {
    this.#add({ url: `${this.#base}/report`, body: JSON.stringify(report), number: null });
  }

  /** Resolves when the server has everything that was added. */
  allAcked(): Promise<void> {
    if (this.#pending.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#empty_waiters.push(resolve));
  }

  /** The page goes away: send what fits in requests that outlive it. What the server already has does no harm twice. */
  flush(): void {
    let room = KEEPALIVE_BYTES;
    for (const item of this.#pending) {
      room -= typeof item.body === 'string' ? item.body.length : item.body.byteLength;
      if (room < 0) return;
      this.#post(item, true).catch(() => undefined);
    }
  }

  #add(item: Pending): void {
    this.#pending.push(item);
    this.#host.changed(this.#pending.length, false);
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    let wait_ms = FIRST_WAIT_MS;
    for (let item = this.#pending[0]; item !== undefined; item = this.#pending[0]) {
      const outcome = await this.#bring(item);
      if (outcome === 'failed') {
        this.#host.changed(this.#pending.length, true);
        await this.#host.sleep(wait_ms);
        wait_ms = Math.min(LONGEST_WAIT_MS, wait_ms * 2);
      } else {
        this.#pending.shift();
        wait_ms = FIRST_WAIT_MS;
        if (item.number !== null) this.#host.settled(item.number, outcome === 'taken');
        this.#host.changed(this.#pending.length, false);
      }
    }
    this.#working = false;
    for (const resolve of this.#empty_waiters.splice(0)) resolve();
  }

  async #bring(item: Pending): Promise<'taken' | 'refused' | 'failed'> {
    try {
      const response = await this.#post(item, size(item) < KEEPALIVE_BYTES / 4);
      if (response.ok) return 'taken';
      if (!isFinal(response.status)) return 'failed';
      console.error(`coplay: the server refused ${item.url} (${response.status})`);
      return 'refused';
    } catch {
      return 'failed';
    }
  }

  #post(item: Pending, keepalive: boolean): Promise<Response> {
    const type = typeof item.body === 'string' ? 'application/json' : 'application/octet-stream';
    return this.#host.request(item.url, {
      method: 'POST',
      keepalive,
      headers: { Authorization: `Bearer ${this.#token}`, 'Content-Type': type },
      body: item.body,
    });
  }
}

/** Whether asking again cannot help. A participant must not wait for ever over what the server will never take. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && status !== 408 && status !== 429;
}

function size(item: Pending): number {
  return typeof item.body === 'string' ? item.body.length : item.body.byteLength;
}
