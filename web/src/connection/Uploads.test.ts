import { describe, expect, it, vi } from 'vitest';
import { Uploads } from './Uploads';

interface Asked {
  url: string;
  init: RequestInit;
}

/** A server that fails as often as told before it takes something. */
function table(failures = 0, status = 503) {
  const asked: Asked[] = [];
  const acked: number[] = [];
  const refused: number[] = [];
  const waits: number[] = [];
  const states: [number, boolean][] = [];
  let left = failures;
  const uploads = new Uploads('g1', 'secret-token', {
    request: (async (url: string, init: RequestInit) => {
      asked.push({ url, init });
      if (left-- > 0) return new Response('', { status });
      return new Response('{"ok": true}');
    }) as typeof fetch,
    settled: (number, ok) => (ok ? acked : refused).push(number),
    changed: (waiting, failing) => states.push([waiting, failing]),
    sleep: async (delay_ms) => {
      waits.push(delay_ms);
    },
  });
  return { uploads, asked, acked, refused, waits, states };
}

const bytes = (length: number): ArrayBuffer => new ArrayBuffer(length);

describe('Uploads', () => {
  it('brings batches and the report in order, with the token of the game', async () => {
    const { uploads, asked, acked } = table();
    uploads.addBatch(0, bytes(10));
    uploads.addBatch(1, bytes(10));
    uploads.addReport({ verdict: 'identical' });
    await uploads.allAcked();
    expect(asked.map(({ url }) => url)).toEqual([
      '/api/games/g1/batches',
      '/api/games/g1/batches',
      '/api/games/g1/report',
    ]);
    expect(acked).toEqual([0, 1]);
    expect(new Headers(asked[0]?.init.headers).get('Authorization')).toBe('Bearer secret-token');
  });

  it('tries again, later each time, until the server has it', async () => {
    const { uploads, asked, waits, states } = table(6);
    uploads.addBatch(0, bytes(10));
    await uploads.allAcked();
    expect(asked.length).toBe(7);
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 10_000]);
    expect(states).toContainEqual([1, true]);
    expect(states.at(-1)).toEqual([0, false]);
  });

  it('lets go of what the server will never take, and goes on', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    const { uploads, asked, acked, refused } = table(1, 413);
    uploads.addBatch(0, bytes(10));
    uploads.addBatch(1, bytes(10));
    await uploads.allAcked();
    expect(asked.length).toBe(2);
    expect([refused, acked]).toEqual([[0], [1]]);
  });

  it('asks again when it was only too fast', async () => {
    const { uploads, acked } = table(2, 429);
    uploads.addBatch(0, bytes(10));
    await uploads.allAcked();
    expect(acked).toEqual([0]);
  });

  it('is all acked at once when there is nothing', async () => {
    await table().uploads.allAcked();
  });

  it('flushes what fits into requests that outlive the page', () => {
    const { uploads, asked } = table(100);
    for (let number = 0; number < 4; number++) uploads.addBatch(number, bytes(25_000));
    const before = asked.length;
    uploads.flush();
    const flushed = asked.slice(before);
    expect(flushed.length).toBe(2);
    expect(flushed.every(({ init }) => init.keepalive)).toBe(true);
  });
});
