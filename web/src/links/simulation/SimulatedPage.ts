/** One page of the simulation: a link, and a browser that does what the link wants, in its own time. */

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

/** A browser's step takes up to this long. */
const STEP_MS = 25;

export class SimulatedPage {
  link: Link;
  connection: SimulatedConnection | null = null;
  relaying = false;
  /** What the worker last said of the channel. */
  hears = true;
  unheard_since_ms: number | null = null;
  joined_since_ms: number | null = null;
  /** When the other was heard last, by whichever way. */
  heard_ms: number | null = null;
  /** Until then nothing happens here. */
  asleep_until_ms = 0;
  online = true;
  gone = false;
  readonly #agenda: VirtualClock;
  readonly #host: SimulatedPageHost;
  #steps: (() => void)[] = [];
  #stepping = false;
  #armed = 0;

  constructor(role: Role, epoch: number, name: string, agenda: VirtualClock, host: SimulatedPageHost) {
    this.link = newLink(role, epoch, name);
    this.#agenda = agenda;
    this.#host = host;
  }

  get asleep(): boolean {
    return this.#agenda.now_ms < this.asleep_until_ms;
  }

  dispatch(event: LinkEvent): void {
    if (this.gone) return;
    if (this.asleep) {
      this.#agenda.after(this.asleep_until_ms - this.#agenda.now_ms, () => this.dispatch(event));
      return;
    }
    const { link, effects } = reduceLink(this.link, event, this.#agenda.now_ms, this.#host.random());
    this.link = link;
    for (const effect of effects) this.#perform(effect);
    this.#examine();
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
        if (this.connection?.number !== effect.connection) throw new Error('closed what was not open');
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
        if (effect.on === this.relaying) throw new Error('told the same about the relay twice');
        this.relaying = effect.on;
        return;
      case 'reject':
        return;
    }
  }

  #gather(connection: SimulatedConnection, negotiation: number): void {
    const { ufrag, number } = connection;
    const candidates = [{ candidate: `candidate:${ufrag}`, sdpMid: '0', usernameFragment: ufrag }];
    this.#agenda.after(STEP_MS * this.#host.random(), () =>
      this.dispatch({ kind: 'candidates', connection: number, negotiation, candidates }),
    );
  }

  /** The chain of PeerLink: one step after another, each for the connection that it was asked for. */
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
    const delay_ms = Math.max(STEP_MS * this.#host.random(), this.asleep_until_ms - this.#agenda.now_ms);
    this.#agenda.after(delay_ms, () => {
      if (this.gone) return;
      this.#steps.shift()?.();
      this.#next();
    });
  }

  #arm(): void {
    const deadline_ms = nextDeadline(this.link);
    const armed = ++this.#armed;
    if (deadline_ms === null) return;
    this.#agenda.after(deadline_ms - this.#agenda.now_ms, () => {
      if (armed === this.#armed) this.dispatch({ kind: 'timer' });
    });
  }

  /** What must hold of a link at any time. */
  #examine(): void {
    const { link } = this;
    if (link.connection !== (this.connection?.number ?? 0))
      throw new Error('another connection than it thinks');
    if (link.relaying !== this.relaying) throw new Error('the relay is not as it thinks');
    if (link.outbox.length > LIMITS.unacknowledged) throw new Error('too many signals are kept');
    if (link.held.length > LIMITS.candidates) throw new Error('too many candidates are kept');
    if (link.seen.length > LIMITS.remembered_messages) throw new Error('too many messages are remembered');
    const rests = link.state === 'connected' || link.state === 'closed';
    if (!rests && nextDeadline(link) === null && link.state !== 'idle')
      throw new Error(`${link.state} for ever`);
  }
}
