/**
 * Offers, answers and candidates: which of them are current, and what the browser is asked to do with them.
 *
 * Every signal names its epoch and negotiation, so signals may arrive late, twice or out of order.
 */

import type { SignalPayload, SignalType } from '../../protocol/messages';
import { build, doubt, open, rebuild, resendOffer, restart } from './enterState';
import { close, described } from './lifecycle';
import { isUp, type Transition } from './link';
import { receive, send } from './signalDelivery';
import { LIMITS } from './times';

/** Take a signal of the peer. */
export function receiveSignal(transition: Transition, type: SignalType, payload: SignalPayload): void {
  const { link } = transition;
  if (payload.epoch < link.epoch || link.final) return;
  if (payload.epoch > link.epoch) {
    // Not acknowledged, so the peer resends it; by then the server may have announced the epoch to us as well.
    reject(transition, 'an epoch that the server never announced');
    return;
  }
  if (link.state === 'closed' || !receive(transition, type, payload)) return;
  switch (type) {
    case 'offer':
      receiveOffer(transition, payload);
      return;
    case 'answer':
      receiveAnswer(transition, payload);
      return;
    case 'ice-candidate':
      receiveCandidates(transition, payload);
      return;
    case 'restart-request':
    case 'rebuild-request':
      receiveRequest(transition, type, payload.negotiation);
      return;
    case 'bye':
      close(transition, 'the other player left', false);
      return;
    default:
      reject(transition, 'a signal of an unknown type');
  }
}

function receiveOffer(transition: Transition, { sdp, negotiation }: SignalPayload): void {
  const { link } = transition;
  if (link.role === 'offer' || typeof sdp !== 'string') {
    reject(transition, 'an offer from the side that answers');
    return;
  }
  if (negotiation < link.negotiation) return;
  if (negotiation === link.negotiation && link.negotiation > 0) {
    if (link.local?.type === 'answer') send(transition, 'answer', { sdp: link.local.sdp });
    return;
  }
  if (link.connection === 0 && isSameConnection(link.dropped_sdp, sdp)) {
    // The peer restarts a connection that is closed here already: only a new one helps.
    link.negotiation = negotiation;
    send(transition, 'rebuild-request', { reason: 'closed' });
    return;
  }
  if (link.connection === 0 || !isSameConnection(link.remote_sdp, sdp)) reopen(transition);
  link.negotiation = negotiation;
  link.local = null;
  accept(transition, 'offer', sdp);
}

/** The peer offers a new connection: replace ours, whatever its state. */
function reopen(transition: Transition): void {
  const { link } = transition;
  if (isUp(link)) doubt(transition);
  if (link.state === 'relayed') link.retrying = true;
  build(transition, false);
  open(transition);
}

function receiveAnswer(transition: Transition, { sdp, negotiation }: SignalPayload): void {
  const { link } = transition;
  if (link.role === 'answer' || typeof sdp !== 'string') {
    reject(transition, 'an answer from the side that offers');
    return;
  }
  if (link.connection === 0 || negotiation !== link.negotiation) return;
  if (link.local === null || link.accepted === negotiation) return;
  accept(transition, 'answer', sdp);
}

function accept(transition: Transition, type: 'offer' | 'answer', sdp: string): void {
  const { link } = transition;
  link.accepted = link.negotiation;
  link.remote_sdp = sdp;
  transition.effects.push({
    kind: 'accept',
    connection: link.connection,
    negotiation: link.negotiation,
    type,
    sdp,
  });
}

function receiveCandidates(transition: Transition, { candidate, negotiation }: SignalPayload): void {
  const { link, now_ms } = transition;
  if (!candidate || negotiation < link.negotiation) return;
  const given: unknown[] = Array.isArray(candidate) ? candidate : [candidate];
  const candidates = given.filter(isCandidate);
  if (link.connection > 0 && link.described === negotiation) {
    addCandidates(transition, candidates);
    return;
  }
  const young = link.held.filter((held) => now_ms - held.arrived_ms <= LIMITS.candidate_age_ms);
  const held = [
    ...young,
    ...candidates.map((each) => ({ negotiation, candidate: each, arrived_ms: now_ms })),
  ];
  if (held.length > LIMITS.candidates) reject(transition, 'more early candidates than there is room for');
  link.held = held.slice(0, LIMITS.candidates);
}

function addCandidates(transition: Transition, candidates: readonly RTCIceCandidateInit[]): void {
  const { link } = transition;
  // After a restart, candidates with the former credentials may still arrive; the browser would reject them.
  const current = candidates.filter((each) => belongsTo(each, link.remote_sdp));
  if (current.length === 0) return;
  transition.effects.push({ kind: 'add_candidates', connection: link.connection, candidates: current });
}

function receiveRequest(
  transition: Transition,
  type: 'restart-request' | 'rebuild-request',
  negotiation: number,
): void {
  const { link } = transition;
  if (link.role !== 'offer') {
    reject(transition, 'a request to the side that answers');
    return;
  }
  // The peer asked before it had our last offer, which may be lost: resend that.
  if (negotiation < link.negotiation) {
    if (link.state === 'signaling') resendOffer(transition);
    return;
  }
  if (link.state === 'idle' || link.state === 'rebuilding') return;
  if (link.state === 'relayed') {
    link.retrying = true;
    build(transition);
  } else if (type === 'rebuild-request') {
    rebuild(transition);
  } else if (link.state === 'connected' || link.state === 'suspect') {
    restart(transition);
  }
}

// Results of the browser's steps

/** The browser created our description: send it to the peer. */
export function localDescribed(transition: Transition, negotiation: number, sdp: string): void {
  const { link } = transition;
  if (negotiation !== link.negotiation) return;
  const type = link.role;
  link.local = { type, sdp };
  send(transition, type, { sdp });
  if (type === 'answer') described(transition);
}

/** The browser set the peer's description: its candidates may be added now. */
export function remoteSet(transition: Transition, negotiation: number): void {
  const { link, now_ms } = transition;
  if (negotiation !== link.negotiation) return;
  link.described = negotiation;
  const held = link.held.filter((each) => now_ms - each.arrived_ms <= LIMITS.candidate_age_ms);
  link.held = held.filter((each) => each.negotiation > negotiation);
  const due = held.filter((each) => each.negotiation === negotiation).map((each) => each.candidate);
  addCandidates(transition, due);
  if (link.role === 'offer') described(transition);
  else
    transition.effects.push({ kind: 'describe', connection: link.connection, negotiation, restart: false });
}

export function candidatesFound(
  transition: Transition,
  negotiation: number,
  candidates: RTCIceCandidateInit[],
): void {
  if (negotiation === transition.link.negotiation)
    send(transition, 'ice-candidate', { candidate: candidates });
}

/** Each connection has its own certificate, so a different fingerprint means a new connection, not a restart. */
function isSameConnection(known_sdp: string, sdp: string): boolean {
  return known_sdp !== '' && fingerprint(known_sdp) === fingerprint(sdp);
}

function fingerprint(sdp: string): string {
  return /^a=fingerprint:\S+ (\S+)/m.exec(sdp)?.[1]?.toUpperCase() ?? '';
}

function belongsTo({ usernameFragment: fragment }: RTCIceCandidateInit, sdp: string): boolean {
  return (
    typeof fragment !== 'string' ||
    sdp.includes(`a=ice-ufrag:${fragment}\r\n`) ||
    !sdp.includes('a=ice-ufrag:')
  );
}

function isCandidate(value: unknown): value is RTCIceCandidateInit {
  return typeof value === 'object' && value !== null;
}

function reject(transition: Transition, reason: string): void {
  transition.effects.push({ kind: 'reject', reason });
}
