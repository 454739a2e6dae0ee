/**
 * The life of a link: which event, or which deadline, takes it from one state into which other.
 *
 *     idle ──▸ signaling ──described──▸ connecting ──channel open──▸ connected ◂──datagrams── suspect
 *                 │ no answer               │ too long, failed          │ nothing heard,        │ 1.5 s more,
 *                 ▼                         ▼                           ▼ disconnected          ▼ network changed
 *              relayed ◂──waits spent── rebuilding ◂──tries spent──────────────────────── restarting
 *
 * From `relayed` a direct path is tried again now and then. `closed` is the end: after a `bye`, when the server says
 * that the player left, or after two minutes without a sign of life. Of two players the lower id always offers, so that
 * offers never cross (no glare); the other side requests a restart or a rebuild with a signal.
 */

import {
  build,
  connected,
  dropConnection,
  enter,
  rebuild,
  relayed,
  resendOffer,
  restart,
  retry,
  suspect,
} from './enterState';
import { isUp, type Transition } from './link';
import { endRelay } from './relaying';
import { clearSignals, send } from './signalDelivery';
import { TIMES } from './times';

// Begin and end

export function start(transition: Transition): void {
  if (transition.link.state === 'idle') build(transition, false);
}

/** The pair is in a new epoch: one of the two pages was reloaded and has lost everything that was negotiated. */
export function enterEpoch(transition: Transition, epoch: number): void {
  const { link, now_ms } = transition;
  if (epoch <= link.epoch || link.final) return;
  const has_begun = link.state !== 'idle' || link.deadline_ms !== null;
  dropConnection(transition);
  clearSignals(transition);
  endRelay(transition);
  Object.assign(link, { epoch, negotiation: 0, held: [], dropped_sdp: '' });
  Object.assign(link, { rebuilds: 0, retrying: false, reason: '' });
  if (!has_begun) return;
  link.alive_ms = now_ms;
  enter(transition, 'idle', TIMES.debounce_ms);
}

/** @param final Whether this page closes the link for good; otherwise a new epoch opens it again. */
export function close(transition: Transition, reason: string, final: boolean): void {
  const { link } = transition;
  if (final) link.final = true;
  if (link.state === 'closed') return;
  if (final && link.state !== 'idle') send(transition, 'bye', {});
  dropConnection(transition);
  clearSignals(transition);
  enter(transition, 'closed', null);
  Object.assign(link, { reason, held: [], retrying: false });
  endRelay(transition);
}

// Events of the connection and of the worker

/** Both descriptions of the current negotiation are set. */
export function described(transition: Transition): void {
  const { link } = transition;
  if (link.state === 'restarting') {
    if (link.up && !link.silent) connected(transition);
  } else if (!isUp(link)) {
    enter(transition, 'connecting', TIMES.connect_ms);
  }
}

export function channelChanged(transition: Transition, is_open: boolean): void {
  const { link } = transition;
  // An open channel proves the path in both directions, by its handshake.
  if (is_open && !isUp(link)) connected(transition);
  else if (!is_open && (isUp(link) || link.state === 'connecting')) rebuild(transition);
}

export function connectionChanged(transition: Transition, state: RTCPeerConnectionState): void {
  const { link } = transition;
  if (state === 'connected') {
    link.up = true;
    // The channel outlives a restart, so there will be no second event for its opening.
    if ((link.state === 'suspect' || link.state === 'restarting') && !link.silent) connected(transition);
  } else if (state === 'disconnected') {
    link.up = false;
    if (link.state === 'connected') suspect(transition);
    else if (link.state === 'suspect') restart(transition);
  } else if (state === 'failed') {
    link.up = false;
    // A restart in progress may still bring the connection back; its own deadline decides.
    if (link.state !== 'restarting' && link.connection > 0) rebuild(transition);
  }
}

export function hearingChanged(transition: Transition, direct: boolean): void {
  const { link } = transition;
  link.silent = !direct;
  if (direct && (link.state === 'suspect' || link.state === 'restarting')) connected(transition);
  else if (!direct && link.state === 'connected') suspect(transition);
}

/** The browser failed at a step of the negotiation: this connection will never open. */
export function stepFailed(transition: Transition): void {
  if (!isUp(transition.link)) rebuild(transition);
}

// Events of the machine and its network

export function networkChanged(transition: Transition): void {
  const { link } = transition;
  if (link.state === 'connected' || link.state === 'suspect') restart(transition);
  else if (link.state === 'relayed') retry(transition);
}

/** Without the server no attempt could succeed, so the wait that followed the last one is cut short. */
export function socketBack(transition: Transition): void {
  if (transition.link.state === 'relayed') retry(transition);
}

/** The machine slept: everything known about the link is stale. */
export function woke(transition: Transition): void {
  transition.link.alive_ms = transition.now_ms;
  if (transition.link.state === 'connected') suspect(transition);
}

// Deadlines

export function lifeTimer(transition: Transition): void {
  const { link, now_ms } = transition;
  if (link.state !== 'connected' && link.state !== 'closed' && givenUpAt(link) <= now_ms) {
    close(transition, 'the connection could not be brought back', false);
    return;
  }
  if (link.deadline_ms === null || link.deadline_ms > now_ms) return;
  link.deadline_ms = null;
  switch (link.state) {
    case 'idle':
      start(transition);
      return;
    case 'signaling':
      unanswered(transition);
      return;
    case 'suspect':
      if (link.silent || !link.up) restart(transition);
      else connected(transition);
      return;
    case 'restarting':
      if (link.tries < TIMES.restarts) restart(transition);
      else rebuild(transition);
      return;
    case 'connecting':
      rebuild(transition);
      return;
    case 'rebuilding':
      build(transition);
      return;
    case 'relayed':
      retry(transition);
      return;
    default:
      return;
  }
}

/** When the link is given up if nothing arrives from the peer; infinite before the link has begun. */
export function givenUpAt({ state, deadline_ms, alive_ms }: Transition['link']): number {
  const has_begun = state !== 'idle' || deadline_ms !== null;
  return has_begun ? alive_ms + TIMES.give_up_ms : Number.POSITIVE_INFINITY;
}

function unanswered(transition: Transition): void {
  const { link, now_ms } = transition;
  if (link.tries >= TIMES.resends) {
    relayed(transition, 'the other player did not answer');
    return;
  }
  link.tries += 1;
  link.deadline_ms = now_ms + TIMES.answer_ms;
  resendOffer(transition);
  if (link.role === 'answer') send(transition, 'rebuild-request', { reason: 'no offer' });
}
