import { describe, expect, it } from 'vitest';
import { LinkProbe } from './testing/LinkProbe';
import { TIMES } from './times';

describe('acknowledgements', () => {
  it('are piggybacked on the next signal, or sent alone after 40 ms', () => {
    const probe = new LinkProbe('answer').take({ kind: 'start' }).describe();
    const answer = probe.effects.find((effect) => effect.kind === 'signal');
    expect(answer?.kind === 'signal' && answer.payload.acks).toEqual(['p1']);
    probe.effects = [];
    probe.signal('ice-candidate', { candidate: { candidate: '' } }).wait(TIMES.ack_ms);
    expect(probe.effects.at(-1)).toMatchObject({
      kind: 'signal',
      payload: { candidate: null, acks: ['p2'] },
    });
  });

  it('are repeated for a duplicate, which has no other effect', () => {
    const probe = new LinkProbe('answer').connect().wait(100);
    probe.effects = [];
    probe.signal('bye', { message_id: 'p1' }).wait(TIMES.ack_ms);
    expect(probe.link.state).toBe('connected');
    expect(probe.effects).toMatchObject([{ kind: 'signal', payload: { candidate: null, acks: ['p1'] } }]);
  });

  it('end the resending of a signal', () => {
    const probe = new LinkProbe('answer').connect().fail().wait(0);
    const request = probe.link.outbox.at(-1)?.payload.message_id;
    probe.signal('ice-candidate', { candidate: null, acks: [request] }).wait(2000);
    expect(probe.sent('rebuild-request')).toBe(1);
  });
});
