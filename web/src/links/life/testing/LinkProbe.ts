import { expect } from 'vitest';
import type { SignalType } from '../../../protocol/messages';
import { type Link, type LinkEffect, type LinkEvent, newLink, type Role } from '../link';
import { nextDeadline, reduceLink } from '../reduceLink';

/** A description, and one of another connection. */
export const SDP = 'v=0\r\na=fingerprint:sha-256 AA\r\na=ice-ufrag:one\r\n';
export const OTHER_SDP = SDP.replace('AA', 'BB');

/** A link under test, with the effects that it asked for so far. */
export class LinkProbe {
  link: Link;
  now_ms = 0;
  random = 0.5;
  effects: LinkEffect[] = [];
  #messages = 0;

  constructor(role: Role = 'offer') {
    this.link = newLink(role, 0, 'me');
  }

  /** Apply an event. */
  take(event: LinkEvent): this {
    const before = structuredClone(this.link);
    const { link, effects } = reduceLink(this.link, event, this.now_ms, this.random);
    expect(this.link).toEqual(before);
    this.link = link;
    this.effects.push(...effects);
    return this;
  }

  /** Let time pass, with a `timer` event at each deadline. */
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

  /** A signal of the peer arrives. */
  signal(type: SignalType, content: object = {}): this {
    this.#messages += 1;
    const stamp = { epoch: this.link.epoch, negotiation: this.link.negotiation, seq: this.#messages };
    return this.take({
      kind: 'signal',
      type,
      payload: { ...stamp, message_id: `p${this.#messages}`, ...content },
    });
  }

  /** Complete the negotiation: both descriptions are set. */
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

  /** The current connection reports something. */
  browser(event: object): this {
    return this.take({ ...event, connection: this.link.connection } as LinkEvent);
  }

  /** Go through all steps until the link is connected. */
  connect(): this {
    if (this.link.state === 'idle') this.take({ kind: 'start' });
    this.describe();
    this.browser({ kind: 'connection_state', state: 'connected' });
    return this.browser({ kind: 'channel', open: true });
  }

  /** The connection fails. */
  fail(): this {
    return this.browser({ kind: 'connection_state', state: 'failed' });
  }

  /** How many signals of a type were sent. */
  sent(type: SignalType): number {
    return this.effects.filter((effect) => effect.kind === 'signal' && effect.type === type).length;
  }

  /** How the relay was switched, in order. */
  relays(): boolean[] {
    return this.effects.flatMap((effect) => (effect.kind === 'relay' ? [effect.on] : []));
  }

  /** Kinds of the effects, in order. */
  kinds(): string[] {
    return this.effects.map((effect) => effect.kind);
  }
}
