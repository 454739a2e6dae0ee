/** A simulated page: a link, and a browser that performs its effects after random delays. */

import type { SignalPayload, SignalType } from '../../protocol/messages';
import type { LinkEffect, LinkEvent, Role } from '../life/link';
import { type Link, newLink } from '../life/link';
import { nextDeadline, reduceLink } from '../life/reduceLink';
import { LIMITS } from '../life/times';
import { SimulatedConnection } from './SimulatedConnection';
import type { VirtualClock } from './VirtualClock';

export interface SimulatedPageHost {
  send(from: SimulatedPage, type: SignalType, payload: SignalPayload): void;
  random(): number;
}

/** The longest delay of a browser's step. */
const STEP_MS = 25;

export class SimulatedPage {
  link: Link;
  connection: SimulatedConnection | null = null;
  relaying = false;
  /** Whether the worker receives datagrams over the channel, as it last reported. */
  hears = true;
  unheard_since_ms: number | null = null;
  joined_since_ms: number | null = null;
  /** When something last arrived from the other page, over any path. */
  heard_ms: number | null = null;
  /** Until then the machine sleeps, and events wait. */
  asleep_until_ms = 0;
  online = true;
  gone = false;
  readonly #clock: VirtualClock;
  readonly #host: SimulatedPageHost;
  #steps: (() => void)[] = [];
  #stepping = false;
  #armed = 0;

  constructor(role: Role, epoch: number, name: string, clock: VirtualClock, host: SimulatedPageHost) {
    this.link = newLink(role, epoch, name);
    this.#clock = clock;
    this.#host = host;
  }

  get asleep(): boolean {
    return this.#clock.now_ms < this.asleep_until_ms;
  }

  dispatch(event: LinkEvent): void {
    if (this.gone) return;
    if (this.asleep) {
      this.#clock.after(this.asleep_until_ms - this.#clock.now_ms, () => this.dispatch(event));
      return;
    }
    const { link, effects } = reduceLink(this.link, event, this.#clock.now_ms, this.#host.random());
    this.link = link;
    for (const effect of effects) this.#perform(effect);
    this.#checkInvariants();
    this.#arm();
  }

  #perform(effect: LinkEffect): void {
    switch (effect.kind) {
      case 'open':
        if (this.connection !== null) throw new Error('a second connection for the same pair');
        this.connection = new SimulatedConnection(effect.connection);
        this.hears = true;
        this.unheard_since_ms = this.joined_since_ms = null;
        return;
      case 'close':
        if (this.connection?.number !== effect.connection)
          throw new Error('closed a connection that was not open');
        this.connection = null;
        return;
      case 'describe':
        this.#step(effect.connection, (connection) => {
          const sdp = connection.describe(effect.restart);
          const { negotiation } = effect;
          this.dispatch({ kind: 'local_description', connection: connection.number, negotiation, sdp });
          this.#gather(connection, negotiation);
        });
        return;
      case 'accept':
        this.#step(effect.connection, (connection) => {
          connection.accept(effect.type, effect.sdp);
          const { negotiation } = effect;
          this.dispatch({ kind: 'remote_set', connection: connection.number, negotiation });
        });
        return;
      case 'add_candidates':
        this.#step(effect.connection, (connection) => {
          for (const { usernameFragment } of effect.candidates)
            connection.addCandidate(usernameFragment ?? '');
        });
        return;
      case 'signal':
        if (effect.type === 'offer' && this.link.role !== 'offer')
          throw new Error('an offer from the wrong side');
        this.#host.send(this, effect.type, effect.payload);
        return;
      case 'relay':
        if (effect.on === this.relaying) throw new Error('switched the relay to what it was');
        this.relaying = effect.on;
        return;
      case 'reject':
        return;
    }
  }

  #gather(connection: SimulatedConnection, negotiation: number): void {
    const { ufrag, number } = connection;
    const candidates = [{ candidate: `candidate:${ufrag}`, sdpMid: '0', usernameFragment: ufrag }];
    this.#clock.after(STEP_MS * this.#host.random(), () =>
      this.dispatch({ kind: 'candidates', connection: number, negotiation, candidates }),
    );
  }

  /** Like PeerLink's promise chain: steps run in order, each only if its connection is still the current one. */
  #step(number: number, step: (connection: SimulatedConnection) => void): void {
    this.#steps.push(() => {
      const { connection } = this;
      if (connection === null || connection.number !== number) return;
      try {
        step(connection);
      } catch {
        this.dispatch({ kind: 'step_failed', connection: number });
      }
    });
    if (!this.#stepping) this.#next();
  }

  #next(): void {
    this.#stepping = this.#steps.length > 0;
    if (!this.#stepping) return;
    const delay_ms = Math.max(STEP_MS * this.#host.random(), this.asleep_until_ms - this.#clock.now_ms);
    this.#clock.after(delay_ms, () => {
      if (this.gone) return;
      this.#steps.shift()?.();
      this.#next();
    });
  }

  #arm(): void {
    const deadline_ms = nextDeadline(this.link);
    const armed = ++this.#armed;
    if (deadline_ms === null) return;
    this.#clock.after(deadline_ms - this.#clock.now_ms, () => {
      if (armed === this.#armed) this.dispatch({ kind: 'timer' });
    });
  }

  /** Check the invariants of a link. */
  #checkInvariants(): void {
    const { link } = this;
    if (link.connection !== (this.connection?.number ?? 0))
      throw new Error('the link and the browser disagree about the connection');
    if (link.relaying !== this.relaying) throw new Error('the link and the page disagree about the relay');
    if (link.outbox.length > LIMITS.unacknowledged) throw new Error('too many unacknowledged signals');
    if (link.held.length > LIMITS.candidates) throw new Error('too many held candidates');
    if (link.seen.length > LIMITS.remembered_messages) throw new Error('too many remembered message ids');
    const rests = link.state === 'connected' || link.state === 'closed';
    if (!rests && nextDeadline(link) === null && link.state !== 'idle')
      throw new Error(`${link.state} forever`);
  }
}
