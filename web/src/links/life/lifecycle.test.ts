import { describe, expect, it } from 'vitest';
import type { Role } from './link';
import { nextDeadline } from './reduceLink';
import { LinkProbe, OTHER_SDP, SDP } from './testing/LinkProbe';
import { TIMES } from './times';

describe('the start', () => {
  it('opens a connection and describes it on the side that offers', () => {
    const probe = new LinkProbe().take({ kind: 'start' });
    expect(probe.kinds()).toEqual(['open', 'describe']);
    expect(probe.link.state).toBe('signaling');
  });

  it('waits for the offer on the side that answers', () => {
    const probe = new LinkProbe('answer').take({ kind: 'start' });
    expect(probe.effects).toEqual([]);
    expect(probe.describe().link.state).toBe('connecting');
    expect(probe.sent('answer')).toBe(1);
  });

  it.each<Role>(['offer', 'answer'])('reaches connected on the side of the %s', (role) => {
    expect(new LinkProbe(role).connect().link.state).toBe('connected');
  });
});

describe('no answer', () => {
  it('resends the same offer three times, then plays through the server', () => {
    const probe = new LinkProbe().take({ kind: 'start' });
    probe.browser({ kind: 'local_description', negotiation: 1, sdp: SDP });
    probe.wait(4 * TIMES.answer_ms - 1);
    const offers = probe.effects.flatMap((effect) =>
      effect.kind === 'signal' && effect.type === 'offer' ? [effect.payload] : [],
    );
    expect(new Set(offers.map((offer) => offer.message_id)).size).toBe(1 + TIMES.resends);
    expect(new Set(offers.map((offer) => offer.negotiation))).toEqual(new Set([1]));
    expect(probe.link.state).toBe('signaling');
    expect(probe.wait(1).link).toMatchObject({ state: 'relayed', reason: 'the other player did not answer' });
  });
});

describe('suspicion', () => {
  it('ends with the first datagram', () => {
    const probe = new LinkProbe().connect().browser({ kind: 'hearing', direct: false });
    expect(probe.browser({ kind: 'hearing', direct: true }).link.state).toBe('connected');
  });

  it('that lasts leads to two restarts, then to a new connection', () => {
    const probe = new LinkProbe().connect().wait(5000).browser({ kind: 'hearing', direct: false });
    probe.effects = [];
    probe.wait(TIMES.suspect_ms);
    expect(probe.link.state).toBe('restarting');
    expect(probe.effects).toContainEqual({ kind: 'describe', connection: 1, negotiation: 2, restart: true });
    probe.wait(TIMES.restart_ms);
    expect(probe.link).toMatchObject({ state: 'restarting', tries: 2, negotiation: 3 });
    probe.wait(TIMES.restart_ms);
    expect(probe.link).toMatchObject({ state: 'signaling', connection: 2, negotiation: 4 });
    expect(probe.kinds().filter((kind) => kind === 'close' || kind === 'open')).toEqual(['close', 'open']);
  });

  it('does not end with new descriptions while no datagrams arrive', () => {
    const probe = new LinkProbe()
      .connect()
      .browser({ kind: 'hearing', direct: false })
      .wait(TIMES.suspect_ms);
    expect(probe.describe().link.state).toBe('restarting');
    expect(probe.browser({ kind: 'hearing', direct: true }).link.state).toBe('connected');
  });

  it('after a sleep ends by itself if datagrams arrive', () => {
    const probe = new LinkProbe().connect().wait(5000).take({ kind: 'woke' });
    expect(probe.link.state).toBe('suspect');
    expect(probe.wait(TIMES.suspect_ms).link.state).toBe('connected');
  });

  it('is skipped after a change of networks: the link restarts immediately', () => {
    const probe = new LinkProbe().connect().take({ kind: 'network_changed' });
    expect(probe.link.state).toBe('restarting');
    expect(probe.describe().link.state).toBe('connected');
  });
});

describe('rebuilding', () => {
  it('waits longer each time, then plays through the server', () => {
    const probe = new LinkProbe().connect();
    const waits: number[] = [];
    for (let round = 0; round < TIMES.rebuild_waits_ms.length; round++) {
      probe.fail();
      waits.push((probe.link.deadline_ms ?? 0) - probe.now_ms);
      probe.wait(waits.at(-1) ?? 0).describe();
    }
    expect(waits).toEqual([...TIMES.rebuild_waits_ms]);
    expect(probe.fail().link.state).toBe('relayed');
    expect(probe.relays()).toEqual([true]);
  });

  it('adds jitter to its waits', () => {
    const waits = [0, 0.999].map((random) => {
      const probe = new LinkProbe().connect().fail().wait(0).describe();
      probe.random = random;
      probe.fail();
      return (probe.link.deadline_ms ?? 0) - probe.now_ms;
    });
    expect(waits[0]).toBeCloseTo(225);
    expect(waits[1]).toBeCloseTo(375, 0);
  });

  it('counts from zero after a connection that lasted', () => {
    const probe = new LinkProbe().connect().fail().wait(0).connect().wait(TIMES.stable_ms).fail();
    expect(probe.link.rebuilds).toBe(1);
  });

  it('keeps counting after one that did not', () => {
    const probe = new LinkProbe().connect().fail().wait(0).connect().wait(100).fail();
    expect(probe.link.rebuilds).toBe(2);
  });

  it('is requested by the side that answers', () => {
    const probe = new LinkProbe('answer').connect().fail().wait(0);
    expect(probe.sent('rebuild-request')).toBe(1);
    expect(probe.link).toMatchObject({ state: 'signaling', connection: 0 });
  });

  it('is requested when the peer restarts a connection that is closed here', () => {
    const probe = new LinkProbe('answer').connect().fail();
    probe.signal('offer', { sdp: SDP, negotiation: 2 });
    expect(probe.link.connection).toBe(0);
    expect(probe.sent('rebuild-request')).toBe(1);
    probe.signal('offer', { sdp: OTHER_SDP, negotiation: 3 });
    expect(probe.link.connection).toBe(2);
  });
});

describe('play through the server', () => {
  const relayed = () => {
    const probe = new LinkProbe().take({ kind: 'start' }).wait(4 * TIMES.answer_ms);
    expect(probe.link.state).toBe('relayed');
    return probe;
  };
  /** The game goes on over the relay meanwhile. */
  const play = (probe: LinkProbe, ms: number) => {
    for (const end_ms = probe.now_ms + ms; probe.now_ms < end_ms; )
      probe.wait(100).take({ kind: 'relay_heard' });
    return probe;
  };

  it('tries the direct path again after 30 seconds, then every minute', () => {
    const probe = relayed();
    const attempts: number[] = [];
    const began_ms = probe.now_ms;
    for (let second = 0; second < 180; second++) {
      const { opened } = probe.link;
      if (play(probe, 1000).link.opened > opened) attempts.push(Math.round((probe.now_ms - began_ms) / 1000));
    }
    expect(attempts).toEqual([30, 102, 174]);
    expect(probe.relays()).toEqual([true]);
  });

  it('gives way to a direct path that opens', () => {
    const probe = play(relayed(), TIMES.retry_first_ms).connect();
    expect(probe.wait(TIMES.stable_ms).link.state).toBe('connected');
    expect(probe.relays()).toEqual([true, false]);
  });

  it('ends after two minutes without any sign of life', () => {
    const probe = relayed().wait(TIMES.give_up_ms);
    expect(probe.link).toMatchObject({ state: 'closed', final: false });
    expect(probe.relays()).toEqual([true, false]);
    expect(nextDeadline(probe.link)).toBeNull();
  });
});

describe('epochs', () => {
  it('start one new connection after the last of several announcements', () => {
    const probe = new LinkProbe().connect();
    probe.effects = [];
    probe.take({ kind: 'epoch', epoch: 1 }).wait(150).take({ kind: 'epoch', epoch: 2 });
    expect(probe.kinds()).toEqual(['close']);
    probe.wait(TIMES.debounce_ms);
    expect(probe.kinds()).toEqual(['close', 'open', 'describe']);
    expect(probe.link).toMatchObject({ epoch: 2, negotiation: 1, state: 'signaling' });
  });

  it('reopen a link that was given up, but not one that this page closed', () => {
    const lost = new LinkProbe().take({ kind: 'start' }).wait(1_000_000);
    expect(lost.link.state).toBe('closed');
    expect(lost.take({ kind: 'epoch', epoch: 1 }).wait(300).link.state).toBe('signaling');
    const closed = new LinkProbe().connect().take({ kind: 'close' });
    expect(closed.take({ kind: 'epoch', epoch: 1 }).wait(300).link.state).toBe('closed');
  });
});
