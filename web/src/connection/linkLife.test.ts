import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LinkEvent, type LinkLife, newLife, reduceLink, TIMES } from './linkLife';

/** Run events one after another, timers at their deadlines. */
function live(
  life: LinkLife,
  events: LinkEvent[],
  start_ms = 0,
): { life: LinkLife; actions: string[]; now_ms: number } {
  const actions: string[] = [];
  let now_ms = start_ms;
  let current = life;
  for (const event of events) {
    if (event.kind === 'timer') now_ms = Math.max(now_ms, current.deadline_ms ?? now_ms);
    const decision = reduceLink(current, event, now_ms);
    current = decision.life;
    actions.push(...decision.actions.map((action) => action.kind));
  }
  return { life: current, actions, now_ms };
}

const up: LinkEvent[] = [{ kind: 'start' }, { kind: 'described', up: false }, { kind: 'channel_open' }];
const timer: LinkEvent = { kind: 'timer' };

describe('reduceLink', () => {
  it('builds and offers when the offering side starts', () => {
    expect(live(newLife('offer'), [{ kind: 'start' }])).toMatchObject({
      life: { state: 'signaling', deadline_ms: TIMES.answer_ms },
      actions: ['build', 'offer'],
    });
  });

  it('builds and waits when the answering side starts', () => {
    expect(live(newLife('answer'), [{ kind: 'start' }]).actions).toEqual(['build']);
  });

  it('ignores a timer that is not due', () => {
    const { life } = live(newLife('offer'), [{ kind: 'start' }]);
    expect(reduceLink(life, timer, TIMES.answer_ms - 1)).toEqual({ life, actions: [] });
  });

  it('resends three times, then fails', () => {
    const { life, actions, now_ms } = live(newLife('offer'), [{ kind: 'start' }, timer, timer, timer, timer]);
    expect(actions).toEqual(['build', 'offer', 'resend_offer', 'resend_offer', 'resend_offer']);
    expect(life.state).toBe('failed');
    expect(now_ms).toBe(4 * TIMES.answer_ms);
  });

  it('rebuilds when the channel does not open in time', () => {
    const events: LinkEvent[] = [{ kind: 'start' }, { kind: 'described', up: false }, timer, timer];
    const { life, actions } = live(newLife('offer'), events);
    expect(life.state).toBe('signaling');
    expect(actions).toEqual(['build', 'offer', 'build', 'offer']);
  });

  it('waits longer before each rebuild and gives up after the last', () => {
    let { life, now_ms } = live(newLife('offer'), up);
    const waits: number[] = [];
    for (let round = 0; round < TIMES.rebuild_waits_ms.length; round++) {
      ({ life } = reduceLink(life, { kind: 'connection', state: 'failed' }, now_ms));
      expect(life.state).toBe('rebuilding');
      waits.push((life.deadline_ms ?? 0) - now_ms);
      ({ life, now_ms } = live(life, [timer, { kind: 'described', up: false }], now_ms));
    }
    ({ life } = reduceLink(life, { kind: 'connection', state: 'failed' }, now_ms));
    expect(waits).toEqual([...TIMES.rebuild_waits_ms]);
    expect(life.state).toBe('failed');
    expect(life.reason).not.toBe('');
  });

  it('forgets earlier rebuilds once it was connected', () => {
    const { life } = live(newLife('offer'), [
      ...up,
      { kind: 'connection', state: 'failed' },
      timer,
      ...up.slice(1),
    ]);
    expect(life).toMatchObject({ state: 'connected', rebuilds: 0 });
  });

  it('takes a restart for done when the connection never went down', () => {
    const events: LinkEvent[] = [...up, { kind: 'network_changed' }, { kind: 'described', up: true }];
    expect(live(newLife('offer'), events)).toMatchObject({ life: { state: 'connected' } });
  });

  it('rebuilds when the restart brings nothing in five seconds', () => {
    const { life } = live(newLife('offer'), [
      ...up,
      { kind: 'connection', state: 'disconnected' },
      timer,
      timer,
    ]);
    expect(life.state).toBe('rebuilding');
  });

  it('answers a request that came before its offer with the offer, not with a rebuild', () => {
    const { life, actions } = live(newLife('offer'), [
      { kind: 'start' },
      { kind: 'rebuild_requested', stale: true },
    ]);
    expect(life.state).toBe('signaling');
    expect(actions.at(-1)).toBe('resend_offer');
  });

  it('stays closed whatever happens', () => {
    const closed = live(newLife('offer'), [...up, { kind: 'bye' }]).life;
    for (const event of up) expect(reduceLink(closed, event, 5)).toEqual({ life: closed, actions: [] });
  });

  it('never leaves a waiting state without a deadline', () => {
    const event: fc.Arbitrary<LinkEvent> = fc.oneof(
      fc.constantFrom<LinkEvent>(
        { kind: 'start' },
        timer,
        { kind: 'described', up: false },
        { kind: 'described', up: true },
        { kind: 'channel_open' },
        { kind: 'channel_closed' },
        { kind: 'restart_requested', stale: false },
        { kind: 'rebuild_requested', stale: false },
        { kind: 'rebuild_requested', stale: true },
        { kind: 'rebuilt_by_peer' },
        { kind: 'network_changed' },
      ),
      fc
        .constantFrom<RTCPeerConnectionState>('connecting', 'connected', 'disconnected', 'failed')
        .map((state): LinkEvent => ({ kind: 'connection', state })),
    );
    fc.assert(
      fc.property(fc.constantFrom('offer' as const, 'answer' as const), fc.array(event), (role, events) => {
        const { life, actions } = live(newLife(role), events);
        const waits = !['idle', 'connected', 'failed', 'closed'].includes(life.state);
        expect(life.deadline_ms !== null).toBe(waits);
        if (role === 'answer') expect(actions).not.toContain('offer');
      }),
    );
  });
});
