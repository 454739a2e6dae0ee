import { describe, expect, it } from 'vitest';
import { LinkProbe, SDP } from './testing/LinkProbe';

describe('candidates', () => {
  const candidate = { candidate: 'candidate:1', sdpMid: '0', usernameFragment: 'one' };

  it('wait for their description, up to 64 of them', () => {
    const probe = new LinkProbe('answer').take({ kind: 'start' });
    for (let count = 0; count < 65; count++) probe.signal('ice-candidate', { candidate, negotiation: 1 });
    expect(probe.link.held.length).toBe(64);
    expect(probe.kinds().filter((kind) => kind === 'reject').length).toBe(1);
    probe.signal('offer', { sdp: SDP, negotiation: 1 }).browser({ kind: 'remote_set', negotiation: 1 });
    const added = probe.effects.find((effect) => effect.kind === 'add_candidates');
    expect(added?.kind === 'add_candidates' && added.candidates.length).toBe(64);
  });

  it('are dropped after 30 seconds', () => {
    const probe = new LinkProbe('answer').take({ kind: 'start' });
    probe.signal('ice-candidate', { candidate, negotiation: 1 }).wait(30_001);
    probe.signal('offer', { sdp: SDP, negotiation: 1 }).browser({ kind: 'remote_set', negotiation: 1 });
    expect(probe.kinds()).not.toContain('add_candidates');
  });

  it('with stale credentials are not added', () => {
    const probe = new LinkProbe('answer').connect();
    probe.signal('ice-candidate', { candidate: { ...candidate, usernameFragment: 'zero' } });
    expect(probe.kinds()).not.toContain('add_candidates');
  });
});
