import { describe, expect, it } from 'vitest';
import { JoinFailed, joinStudy } from './joinStudy';

/** The storages of one tab. */
function storages(browser = new FakeStorage()) {
  const tab = new FakeStorage();
  return { tab: () => tab, browser: () => browser };
}

class FakeStorage extends Map<string, string> {
  getItem(key: string): string | null {
    return this.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.set(key, value);
  }
}

/** A server that records its requests and gives one answer. */
function server(status = 200, answer: unknown = { participant_id: 'p1', secret: 's1', token: 't1' }) {
  const asked: Record<string, unknown>[] = [];
  const request = async (_url: unknown, init?: RequestInit) => {
    asked.push(JSON.parse(String(init?.body)));
    return new Response(JSON.stringify(answer), { status });
  };
  return { asked, request: request as typeof fetch };
}

describe('joinStudy', () => {
  it('joins without an id on the plain link, and passes the other parameters on', async () => {
    const { asked, request } = server();
    await joinStudy('?PROLIFIC_PID=abc', storages(), request);
    expect(asked).toEqual([{ params: { PROLIFIC_PID: 'abc' } }]);
  });

  it('returns with its secret after a reload', async () => {
    const { asked, request } = server();
    const kept = storages();
    await joinStudy('', kept, request);
    await joinStudy('', kept, request);
    expect(asked[1]).toEqual({ params: {}, participant: 'p1', secret: 's1' });
  });

  it('keeps identities of links with different ids apart', async () => {
    const kept = storages();
    await joinStudy('?participant=left', kept, server(200, { participant_id: 'left', secret: 'a' }).request);
    const { asked, request } = server(200, { participant_id: 'right', secret: 'b' });
    await joinStudy('?participant=right', kept, request);
    expect(asked[0]).toEqual({ params: {}, participant: 'right' });
  });

  it('returns in a new tab on a link with an id, but not on the plain link', async () => {
    const browser = new FakeStorage();
    await joinStudy('?participant=p1', storages(browser), server().request);
    await joinStudy('', storages(browser), server().request);
    const { asked, request } = server();
    await joinStudy('?participant=p1', storages(browser), request);
    await joinStudy('', storages(browser), request);
    expect(asked).toEqual([{ params: {}, participant: 'p1', secret: 's1' }, { params: {} }]);
  });

  it('works without storage', async () => {
    const denied = () => {
      throw new Error('denied');
    };
    const closed = { tab: denied, browser: denied };
    expect((await joinStudy('', closed, server().request)).token).toBe('t1');
  });

  it("fails with the server's message when it is rejected", async () => {
    const refusal = { error: 'This link is in use.', hint: 'Close the other tab.', reference: 'A1' };
    const joining = joinStudy('?participant=x', storages(), server(409, refusal).request);
    await expect(joining).rejects.toMatchObject(refusal);
  });

  it('fails with a message when the server cannot be reached', async () => {
    const request = async () => {
      throw new TypeError('failed to fetch');
    };
    await expect(joinStudy('', storages(), request as typeof fetch)).rejects.toBeInstanceOf(JoinFailed);
  });
});
