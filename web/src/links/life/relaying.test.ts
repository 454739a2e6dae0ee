import { describe, expect, it } from 'vitest';
import { LinkProbe } from './testing/LinkProbe';
import { TIMES } from './times';

describe('the relay', () => {
  it('starts after 2.5 seconds without a direct path, and ends when that has been stable for 3', () => {
    const probe = new LinkProbe()
      .take({ kind: 'start' })
      .describe()
      .wait(TIMES.relay_after_ms - 1);
    expect(probe.relays()).toEqual([]);
    probe.wait(1);
    expect(probe.relays()).toEqual([true]);
    probe.browser({ kind: 'channel', open: true }).wait(TIMES.stable_ms - 1);
    expect(probe.relays()).toEqual([true]);
    expect(probe.wait(1).relays()).toEqual([true, false]);
  });

  it('is not used by a link that connects in time', () => {
    expect(new LinkProbe().connect().wait(60_000).relays()).toEqual([]);
  });

  it('starts immediately when the channel falls silent', () => {
    const probe = new LinkProbe().connect().wait(5000).browser({ kind: 'hearing', direct: false });
    expect(probe.link.state).toBe('suspect');
    expect(probe.relays()).toEqual([true]);
  });

  it('mirrors a peer that relays, as only one direction may be broken, and ends after it', () => {
    const probe = new LinkProbe().connect().wait(5000).take({ kind: 'relay_heard' });
    expect(probe.relays()).toEqual([true]);
    expect(probe.link.state).toBe('connected');
    expect(probe.wait(TIMES.mirror_ms).relays()).toEqual([true, false]);
  });

  it('is not prolonged by the echo of our own relaying', () => {
    const probe = new LinkProbe().connect().wait(5000).browser({ kind: 'hearing', direct: false });
    probe.browser({ kind: 'hearing', direct: true }).wait(TIMES.stable_ms);
    expect(probe.relays()).toEqual([true, false]);
    expect(probe.take({ kind: 'relay_heard' }).wait(1).relays()).toEqual([true, false]);
  });
});
