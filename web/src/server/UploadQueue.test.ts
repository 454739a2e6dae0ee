import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { UploadQueue, type UploadQueueHost } from './UploadQueue';
import { ABANDONED_AFTER_MS, UploadStore } from './UploadStore';

interface Asked {
  url: string;
  init: RequestInit;
}

beforeEach(() => {
  // A browser without anything stored.
  globalThis.indexedDB = new IDBFactory();
});

/** A queue, and a server that fails `failures` times before it accepts anything. */
function setUp(failures = 0, status = 503, headers: Record<string, string> = {}, who = 'p-1') {
  const asked: Asked[] = [];
  const acked: number[] = [];
  const refused: number[] = [];
  const waits: number[] = [];
  const states: [number, boolean][] = [];
  const store = new UploadStore('volley', who);
  let left = failures;
  const host: UploadQueueHost = {
    store,
    request: (async (url: string, init: RequestInit) => {
      asked.push({ url, init });
      if (left-- > 0) return new Response('', { status, headers });
      return new Response('{"ok": true}');
    }) as typeof fetch,
    settled: (number, ok) => (ok ? acked : refused).push(number),
    changed: (waiting, failing) => states.push([waiting, failing]),
    sleep: async (delay_ms) => {
      waits.push(delay_ms);
    },
  };
  const queue = new UploadQueue('g1', 'secret-token', host);
  return { queue, host, store, asked, acked, refused, waits, states };
}

/** A queue whose server never answers. */
function setUpUnanswered(who = 'p-1') {
  const store = new UploadStore('volley', who);
  const host: UploadQueueHost = {
    store,
    request: () => new Promise(() => undefined),
    changed: () => undefined,
    sleep: async () => undefined,
  };
  return { queue: new UploadQueue('g1', 'old-token', host), store };
}

const bytes = (length: number): ArrayBuffer => new ArrayBuffer(length);

describe('UploadQueue', () => {
  it('sends batches and the report in order, with the token of the game', async () => {
    const { queue, asked, acked } = setUp();
    queue.addBatch(0, bytes(10));
    queue.addBatch(1, bytes(10));
    queue.addReport({ verdict: 'identical' });
    await queue.drained();
    expect(asked.map(({ url }) => url)).toEqual([
      '/api/games/g1/batches',
      '/api/games/g1/batches',
      '/api/games/g1/report',
    ]);
    expect(acked).toEqual([0, 1]);
    expect(new Headers(asked[0]?.init.headers).get('Authorization')).toBe('Bearer secret-token');
  });

  it('retries with growing waits until the server has it', async () => {
    const { queue, asked, waits, states } = setUp(6);
    queue.addBatch(0, bytes(10));
    await queue.drained();
    expect(asked.length).toBe(7);
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 10_000]);
    expect(states).toContainEqual([1, true]);
    expect(states.at(-1)).toEqual([0, false]);
  });

  it('waits for as long as the server asks, up to the longest wait', async () => {
    for (const [asked_s, waited_ms] of [
      ['3', 3000],
      ['9999', 10_000],
      ['soon', 500],
    ] as const) {
      const { queue, waits } = setUp(1, 503, { 'Retry-After': asked_s });
      queue.addBatch(0, bytes(10));
      await queue.drained();
      expect(waits).toEqual([waited_ms]);
    }
  });

  it('drops what the server rejects for good, and goes on', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    const { queue, store, asked, acked, refused } = setUp(1, 413);
    queue.addBatch(0, bytes(10));
    queue.addBatch(1, bytes(10));
    await queue.drained();
    expect(asked.length).toBe(2);
    expect([refused, acked]).toEqual([[0], [1]]);
    expect((await store.leftovers()).own).toEqual([]);
  });

  it('retries after a rate limit', async () => {
    const { queue, acked } = setUp(2, 429);
    queue.addBatch(0, bytes(10));
    await queue.drained();
    expect(acked).toEqual([0]);
  });

  it('is drained immediately when it is empty', async () => {
    await setUp().queue.drained();
  });

  it('flushes what fits into requests that outlive the page', () => {
    const { queue, asked } = setUp(100);
    for (let number = 0; number < 4; number++) queue.addBatch(number, bytes(25_000));
    const before = asked.length;
    queue.flush();
    const flushed = asked.slice(before);
    expect(flushed.length).toBe(2);
    expect(flushed.every(({ init }) => init.keepalive)).toBe(true);
  });
});

describe('UploadQueue after a reload', () => {
  it('sends what the former page could not, once, in order and with its token', async () => {
    const before = setUpUnanswered();
    before.queue.addReport({ verdict: 'truncated' });
    before.queue.addBatch(10, new Uint8Array([3, 4]).buffer);
    before.queue.addBatch(9, new Uint8Array([1, 2]).buffer);

    const { host, store, asked, states } = setUp(1);
    const { own, others } = await store.leftovers();
    expect(others).toEqual([]);
    const resumed = UploadQueue.resume(own, () => host);
    expect(resumed.length).toBe(1);
    expect(states.at(-1)).toEqual([3, false]);
    await Promise.all(resumed.map((queue) => queue.drained()));
    const [failed, ...sent] = asked;
    expect(failed?.url).toBe('/api/games/g1/batches');
    expect(sent.map(({ url }) => url)).toEqual([
      '/api/games/g1/batches',
      '/api/games/g1/batches',
      '/api/games/g1/report',
    ]);
    expect(sent.map(({ init }) => init.body)).toEqual([
      new Uint8Array([1, 2]).buffer,
      new Uint8Array([3, 4]).buffer,
      '{"verdict":"truncated"}',
    ]);
    for (const { init } of sent) {
      expect(new Headers(init.headers).get('Authorization')).toBe('Bearer old-token');
    }
    expect((await store.leftovers()).own).toEqual([]);
  });

  it('keeps nothing that the server has', async () => {
    const { queue, store } = setUp(2);
    for (let number = 0; number < 5; number++) queue.addBatch(number, bytes(10));
    await queue.drained();
    expect((await store.leftovers()).own).toEqual([]);
  });

  it('leaves what another participant in this browser is still sending, and takes it once they are gone', async () => {
    setUpUnanswered('p-2').queue.addBatch(0, bytes(10));
    const { store } = setUp();
    expect(await store.leftovers()).toEqual({ own: [], others: [] });
    vi.spyOn(Date, 'now').mockReturnValue(Date.now() + ABANDONED_AFTER_MS + 1000);
    const { own, others } = await store.leftovers();
    expect([own.length, others.length]).toEqual([0, 1]);
    vi.restoreAllMocks();
  });

  it('leaves what belongs to another study', async () => {
    setUpUnanswered('p-1').queue.addBatch(0, bytes(10));
    expect(await new UploadStore('other', 'p-1').leftovers()).toEqual({ own: [], others: [] });
  });

  it('works in a browser that keeps nothing', async () => {
    vi.spyOn(console, 'warn').mockReturnValue();
    globalThis.indexedDB = {
      open: () => {
        throw new Error('storage is off');
      },
    } as unknown as IDBFactory;
    const { queue, store, acked } = setUp(1);
    queue.addBatch(0, bytes(10));
    await queue.drained();
    expect(acked).toEqual([0]);
    expect(await store.leftovers()).toEqual({ own: [], others: [] });
  });
});
