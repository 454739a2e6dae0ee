/**
 * Reliable delivery of signals: each is stamped, kept until the peer acknowledges it, and resent until then.
 *
 * The server acknowledges that it accepted a signal, but only the peer knows that it arrived. Acknowledgements are
 * piggybacked on the next signal, or sent in a candidate signal without a candidate if there is none soon.
 */

import type { SignalPayload, SignalType } from '../../protocol/messages';
import type { Transition, UnackedSignal } from './link';
import { LIMITS, TIMES } from './times';

type Content = Pick<SignalPayload, 'sdp' | 'candidate' | 'reason'>;

/** Send a signal of the current epoch and negotiation. */
export function send(transition: Transition, type: SignalType, content: Content): void {
  const { link, now_ms } = transition;
  link.seq += 1;
  const payload: SignalPayload = {
    ...content,
    epoch: link.epoch,
    negotiation: link.negotiation,
    seq: link.seq,
    message_id: `${link.name}-${link.seq}`,
  };
  const due_ms = now_ms + TIMES.resend_waits_ms[0];
  if (type !== 'bye' && !isAckOnly(type, payload)) {
    const kept = link.outbox.filter((sent) => !replaces(type, sent));
    link.outbox = [...kept, { type, payload, due_ms, tries: 0 }].slice(-LIMITS.unacknowledged);
  }
  emit(transition, type, payload);
}

/**
 * Process the acknowledgements in a signal, and acknowledge the signal itself.
 *
 * @returns Whether its content is new: false for duplicates and for mere acknowledgements.
 */
export function receive(transition: Transition, type: SignalType, payload: SignalPayload): boolean {
  const { link, now_ms } = transition;
  const acked = new Set(Array.isArray(payload.acks) ? payload.acks : []);
  if (acked.size > 0) link.outbox = link.outbox.filter((sent) => !acked.has(sent.payload.message_id));
  if (isAckOnly(type, payload)) return false;
  if (!link.acks.includes(payload.message_id)) link.acks = [...link.acks, payload.message_id];
  link.ack_at_ms ??= now_ms + TIMES.ack_ms;
  if (link.seen.includes(payload.message_id)) return false;
  link.seen = [...link.seen, payload.message_id].slice(-LIMITS.remembered_messages);
  return true;
}

/** Resend what is due, and send acknowledgements that no signal has carried. */
export function signalTimer(transition: Transition): void {
  const { link, now_ms } = transition;
  if (link.outbox.some((sent) => sent.due_ms <= now_ms)) {
    // Signals of an earlier negotiation are stale; requests are about the connection and stay valid.
    const useful = link.outbox.filter(
      (sent) => sent.payload.negotiation >= link.negotiation || isRequest(sent.type),
    );
    const due = useful.filter((sent) => sent.due_ms <= now_ms);
    link.outbox = useful.flatMap((sent) => (sent.due_ms <= now_ms ? laterOf(sent, now_ms) : [sent]));
    for (const sent of due) emit(transition, sent.type, sent.payload);
  }
  if (link.ack_at_ms !== null && link.ack_at_ms <= now_ms)
    send(transition, 'ice-candidate', { candidate: null });
}

/** The socket to the server is open again: resend immediately what may have been lost with the former one. */
export function resendAll(transition: Transition): void {
  const { link, now_ms } = transition;
  link.outbox = link.outbox.map((sent) => ({ ...sent, due_ms: now_ms }));
  if (link.acks.length > 0) link.ack_at_ms = now_ms;
  signalTimer(transition);
}

/** Forget all signals in flight, as in a new epoch. Ids seen before stay known. */
export function clearSignals(transition: Transition): void {
  Object.assign(transition.link, { outbox: [], acks: [], ack_at_ms: null });
}

function emit(transition: Transition, type: SignalType, payload: SignalPayload): void {
  const { link } = transition;
  const acks = link.acks.slice(0, LIMITS.acks_a_signal);
  link.acks = link.acks.slice(acks.length);
  link.ack_at_ms = link.acks.length > 0 ? transition.now_ms + TIMES.ack_ms : null;
  const { acks: _, ...rest } = payload;
  transition.effects.push({ kind: 'signal', type, payload: acks.length > 0 ? { ...rest, acks } : rest });
}

function laterOf(sent: UnackedSignal, now_ms: number): UnackedSignal[] {
  const wait_ms = TIMES.resend_waits_ms[sent.tries + 1];
  return wait_ms === undefined ? [] : [{ ...sent, tries: sent.tries + 1, due_ms: now_ms + wait_ms }];
}

/** Descriptions and requests supersede earlier ones of their kind; candidates add to each other. */
function replaces(type: SignalType, sent: UnackedSignal): boolean {
  return type !== 'ice-candidate' && sent.type === type;
}

function isRequest(type: SignalType): boolean {
  return type === 'restart-request' || type === 'rebuild-request';
}

function isAckOnly(type: SignalType, payload: SignalPayload): boolean {
  return type === 'ice-candidate' && payload.candidate === null;
}
