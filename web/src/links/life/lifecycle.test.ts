import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SignalType } from '../../protocol/messages';
import { type Link, type LinkEffect, type LinkEvent, newLink, type Role } from './link';
import { nextDeadline, reduceLink } from './reduceLink';
import { TIMES } from './times';

const SDP = 'v=0\r\na=fingerprint:sha-256 AA\r\na=ice-ufrag:one\r\n';
const OTHER_SDP = SDP.replace('AA', 'BB');

/** One link, and what it wanted so far. */
class Probe {
  link: Link;
  now_ms = 0;
  random = 0.5;
  effects: LinkEffect[] = [];
  #messages = 0;

  constructor(role: Role = 'offer') {
    this.link = newLink(role, 0, 'me');
  }

  take(event: LinkEvent): this {
    const before = structuredClone(this.link);
    const { link, effects } = reduceLink(this.link, event, this.now_ms, this.random);
    expect(this.link).toEqual(before);
    this.link = link;
    this.effects.push(...effects);
    return this;
  }

  /** Let time pass, with a timer at each deadline. */
  wait(ms: number): this {
    const end_ms = this.now_ms + ms;
    for (;;) {
      const deadline_ms = nextDeadline(this.link);
      if (deadline_ms === null || deadline_ms > end_ms) break;
      this.now_ms = Math.max(this.now_ms, deadline_ms);
      this.take({ kind: 'timer' });
    }
    this.now_ms = end_ms;
    return this;
  }

  signal(type: SignalType, content: object = {}): this {
    this.#messages += 1;
    const stamp = { epoch: this.link.epoch, negotiation: this.link.negotiation, seq: this.#messages };
    return this.take({
      kind: 'signal',
      type,
      payload: { ...stamp, message_id: `p${this.#messages}`, ...content },
    });
  }

  /** Both descriptions are set. */
  describe(): this {
    const { connection, negotiation } = this.link;
    if (this.link.role === 'answer') {
      this.signal('offer', { sdp: SDP, negotiation: negotiation + 1 });
      this.browser({ kind: 'remote_set', negotiation: negotiation + 1 });
      return this.browser({ kind: 'local_description', negotiation: negotiation + 1, sdp: OTHER_SDP });
    }
    this.take({ kind: 'local_description', connection, negotiation, sdp: SDP });
    this.signal('answer', { sdp: OTHER_SDP });
    return this.take({ kind: 'remote_set', connection, negotiation });
  }

  browser(event: object): this {
    return this.take({ ...event, connection: this.link.connection } as LinkEvent);
  }

  connect(): this {
    if (this.link.state === 'idle') this.take({ kind: 'start' });
    this.describe();
    this.browser({ kind: 'connection_state', state: 'connected' });
    return this.browser({ kind: 'channel', open: true });
  }

  fail(): this {
    return this.browser({ kind: 'connection_state', state: 'failed' });
  }

  sent(type: SignalType): number {
    return this.effects.filter((effect) => effect.kind === 'signal' && effect.type === type).length;
  }

  relays(): boolean[] {
    return this.effects.flatMap((effect) => (effect.kind === 'relay' ? [effect.on] : []));
  }

  kinds(): string[] {
    return this.effects.map((effect) => effect.kind);
  }
}

describe('beginning', () => {
  it('opens and describes on the side that offers', () => {
    const probe = new Probe().take({ kind: 'start' });
    expect(probe.kinds()).toEqual(['open', 'describe']);
    expect(probe.link.state).toBe('signaling');
  });

  it('waits for the offer on the side that answers', () => {
    const probe = new Probe('answer').take({ kind: 'start' });
    expect(probe.effects).toEqual([]);
    expect(probe.describe().link.state).toBe('connecting');
    expect(probe.sent('answer')).toBe(1);
  });

  it.each<Role>(['offer', 'answer'])('reaches connected on the side of the %s', (role) => {
    expect(new Probe(role).connect().link.state).toBe('connected');
  });
});

describe('no answer', () => {
  it('says the same offer again three times, then plays through the server', () => {
    const probe = new Probe().take({ kind: 'start' });
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

describe('the way through the server', () => {
  it('is taken 2.5 seconds after connecting began, and left when the direct path was stable for 3', () => {
    const probe = new Probe()
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

  it('is not taken by a link that connects in time', () => {
    expect(new Probe().connect().wait(60_000).relays()).toEqual([]);
  });

  it('is taken at once when nothing is heard', () => {
    const probe = new Probe().connect().wait(5000).browser({ kind: 'hearing', direct: false });
    expect(probe.link.state).toBe('suspect');
    expect(probe.relays()).toEqual([true]);
  });

  it('is taken for a peer that takes it, as only one direction may be broken, and left after it', () => {
    const probe = new Probe().connect().wait(5000).take({ kind: 'relay_heard' });
    expect(probe.relays()).toEqual([true]);
    expect(probe.link.state).toBe('connected');
    expect(probe.wait(TIMES.mirror_ms).relays()).toEqual([true, false]);
  });

  it('is not kept up by the echo of our own use of it', () => {
    const probe = new Probe().connect().wait(5000).browser({ kind: 'hearing', direct: false });
    probe.browser({ kind: 'hearing', direct: true }).wait(TIMES.stable_ms);
    expect(probe.relays()).toEqual([true, false]);
    expect(probe.take({ kind: 'relay_heard' }).wait(1).relays()).toEqual([true, false]);
  });
});

describe('suspicion', () => {
  it('ends with the first datagram', () => {
    const probe = new Probe().connect().browser({ kind: 'hearing', direct: false });
    expect(probe.browser({ kind: 'hearing', direct: true }).link.state).toBe('connected');
  });

  it('that lasts is followed by two restarts, then by a new connection', () => {
    const probe = new Probe().connect().wait(5000).browser({ kind: 'hearing', direct: false });
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

  it('does not end by descriptions alone when datagrams are missed', () => {
    const probe = new Probe().connect().browser({ kind: 'hearing', direct: false }).wait(TIMES.suspect_ms);
    expect(probe.describe().link.state).toBe('restarting');
    expect(probe.browser({ kind: 'hearing', direct: true }).link.state).toBe('connected');
  });

  it('after a sleep ends by itself when nothing is missed', () => {
    const probe = new Probe().connect().wait(5000).take({ kind: 'woke' });
    expect(probe.link.state).toBe('suspect');
    expect(probe.wait(TIMES.suspect_ms).link.state).toBe('connected');
  });

  it('follows at once from a changed network', () => {
    const probe = new Probe().connect().take({ kind: 'network_changed' });
    expect(probe.link.state).toBe('restarting');
    expect(probe.describe().link.state).toBe('connected');
  });
});

describe('rebuilding', () => {
  it('waits longer each time, then plays through the server', () => {
    const probe = new Probe().connect();
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

  it('varies its waits', () => {
    const waits = [0, 0.999].map((random) => {
      const probe = new Probe().connect().fail().wait(0).describe();
      probe.random = random;
      probe.fail();
      return (probe.link.deadline_ms ?? 0) - probe.now_ms;
    });
    expect(waits[0]).toBeCloseTo(225);
    expect(waits[1]).toBeCloseTo(375, 0);
  });

  it('counts from the start again after a connection that lasted', () => {
    const probe = new Probe().connect().fail().wait(0).connect().wait(TIMES.stable_ms).fail();
    expect(probe.link.rebuilds).toBe(1);
  });

  it('counts on after one that did not', () => {
    const probe = new Probe().connect().fail().wait(0).connect().wait(100).fail();
    expect(probe.link.rebuilds).toBe(2);
  });

  it('is asked for by the side that answers', () => {
    const probe = new Probe('answer').connect().fail().wait(0);
    expect(probe.sent('rebuild-request')).toBe(1);
    expect(probe.link).toMatchObject({ state: 'signaling', connection: 0 });
  });

  it('follows from a restart that the peer offers to a connection which is closed here', () => {
    const probe = new Probe('answer').connect().fail();
    probe.signal('offer', { sdp: SDP, negotiation: 2 });
    expect(probe.link.connection).toBe(0);
    expect(probe.sent('rebuild-request')).toBe(1);
    probe.signal('offer', { sdp: OTHER_SDP, negotiation: 3 });
    expect(probe.link.connection).toBe(2);
  });
});

describe('play through the server', () => {
  const relayed = () => {
    const probe = new Probe().take({ kind: 'start' }).wait(4 * TIMES.answer_ms);
    expect(probe.link.state).toBe('relayed');
    return probe;
  };
  /** The game goes on over the relay meanwhile. */
  const play = (probe: Probe, ms: number) => {
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
  it('begin anew, once, when the last of several was announced', () => {
    const probe = new Probe().connect();
    probe.effects = [];
    probe.take({ kind: 'epoch', epoch: 1 }).wait(150).take({ kind: 'epoch', epoch: 2 });
    expect(probe.kinds()).toEqual(['close']);
    probe.wait(TIMES.debounce_ms);
    expect(probe.kinds()).toEqual(['close', 'open', 'describe']);
    expect(probe.link).toMatchObject({ epoch: 2, negotiation: 1, state: 'signaling' });
  });

  it('bring back a link that was given up, but not one that we closed', () => {
    const lost = new Probe().take({ kind: 'start' }).wait(1_000_000);
    expect(lost.link.state).toBe('closed');
    expect(lost.take({ kind: 'epoch', epoch: 1 }).wait(300).link.state).toBe('signaling');
    const closed = new Probe().connect().take({ kind: 'close' });
    expect(closed.take({ kind: 'epoch', epoch: 1 }).wait(300).link.state).toBe('closed');
  });
});

describe('candidates', () => {
  const candidate = { candidate: 'candidate:1', sdpMid: '0', usernameFragment: 'one' };

  it('wait for their description, up to 64 of them', () => {
    const probe = new Probe('answer').take({ kind: 'start' });
    for (let count = 0; count < 65; count++) probe.signal('ice-candidate', { candidate, negotiation: 1 });
    expect(probe.link.held.length).toBe(64);
    expect(probe.kinds().filter((kind) => kind === 'reject').length).toBe(1);
    probe.signal('offer', { sdp: SDP, negotiation: 1 }).browser({ kind: 'remote_set', negotiation: 1 });
    const added = probe.effects.find((effect) => effect.kind === 'add_candidates');
    expect(added?.kind === 'add_candidates' && added.candidates.length).toBe(64);
  });

  it('are forgotten after 30 seconds', () => {
    const probe = new Probe('answer').take({ kind: 'start' });
    probe.signal('ice-candidate', { candidate, negotiation: 1 }).wait(30_001);
    probe.signal('offer', { sdp: SDP, negotiation: 1 }).browser({ kind: 'remote_set', negotiation: 1 });
    expect(probe.kinds()).not.toContain('add_candidates');
  });

  it('of credentials that are replaced are not offered to the browser', () => {
    const probe = new Probe('answer').connect();
    probe.signal('ice-candidate', { candidate: { ...candidate, usernameFragment: 'zero' } });
    expect(probe.kinds()).not.toContain('add_candidates');
  });
});

describe('acknowledgements', () => {
  it('ride on the next signal, or travel alone after 40 ms', () => {
    const probe = new Probe('answer').take({ kind: 'start' }).describe();
    const answer = probe.effects.find((effect) => effect.kind === 'signal');
    expect(answer?.kind === 'signal' && answer.payload.acks).toEqual(['p1']);
    probe.effects = [];
    probe.signal('ice-candidate', { candidate: { candidate: '' } }).wait(TIMES.ack_ms);
    expect(probe.effects.at(-1)).toMatchObject({
      kind: 'signal',
      payload: { candidate: null, acks: ['p2'] },
    });
  });

  it('are given again for a duplicate, which does nothing else', () => {
    const probe = new Probe('answer').connect().wait(100);
    probe.effects = [];
    probe.signal('bye', { message_id: 'p1' }).wait(TIMES.ack_ms);
    expect(probe.link.state).toBe('connected');
    expect(probe.effects).toMatchObject([{ kind: 'signal', payload: { candidate: null, acks: ['p1'] } }]);
  });

  it('end the resending of a signal', () => {
    const probe = new Probe('answer').connect().fail().wait(0);
    const request = probe.link.outbox.at(-1)?.payload.message_id;
    probe.signal('ice-candidate', { candidate: null, acks: [request] }).wait(2000);
    expect(probe.sent('rebuild-request')).toBe(1);
  });
});

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
          const probe = new Probe(role);
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
