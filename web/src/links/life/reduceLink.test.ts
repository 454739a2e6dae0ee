import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Role } from './link';
import { LinkProbe, OTHER_SDP, SDP } from './testing/LinkProbe';

describe('any order of events', () => {
  const event: fc.Arbitrary<object> = fc.oneof(
    fc.constantFrom(
      { kind: 'start' },
      { kind: 'timer' },
      { kind: 'socket_back' },
      { kind: 'network_changed' },
      { kind: 'woke' },
      { kind: 'relay_heard' },
      { kind: 'step_failed' },
    ),
    fc.record({ kind: fc.constant('epoch'), epoch: fc.nat(3) }),
    fc.record({ kind: fc.constant('hearing'), direct: fc.boolean() }),
    fc.record({ kind: fc.constant('channel'), open: fc.boolean() }),
    fc.record({
      kind: fc.constant('connection_state'),
      state: fc.constantFrom('connected', 'disconnected', 'failed'),
    }),
    fc.record({ kind: fc.constant('remote_set'), negotiation: fc.nat(4) }),
    fc.record({ kind: fc.constant('local_description'), negotiation: fc.nat(4), sdp: fc.constant(SDP) }),
    fc.record({
      kind: fc.constant('signal'),
      type: fc.constantFrom('offer', 'answer', 'ice-candidate', 'restart-request', 'rebuild-request', 'what'),
      payload: fc.record({
        epoch: fc.nat(3),
        negotiation: fc.nat(5),
        seq: fc.nat(),
        message_id: fc.string(),
        sdp: fc.constantFrom(SDP, OTHER_SDP, undefined),
        candidate: fc.anything(),
        acks: fc.anything(),
      }),
    }),
  );

  it('leaves at most one connection open, and no waiting state without a deadline', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Role>('offer', 'answer'),
        fc.array(fc.tuple(event, fc.nat(4000)), { maxLength: 60 }),
        (role, events) => {
          const probe = new LinkProbe(role);
          for (const [each, wait_ms] of events) probe.browser(each).wait(wait_ms);
          const open = probe.kinds().filter((kind) => kind === 'open').length;
          const closed = probe.kinds().filter((kind) => kind === 'close').length;
          expect(open - closed).toBe(probe.link.connection > 0 ? 1 : 0);
          const waits = !['idle', 'connected', 'closed'].includes(probe.link.state);
          if (waits) expect(probe.link.deadline_ms).not.toBeNull();
          if (role === 'answer') expect(probe.sent('offer')).toBe(0);
        },
      ),
    );
  });
});
