/** The only entry to a link's logic: an event and the time go in, the next link and its effects come out. */

import * as life from './lifecycle';
import { type Link, type LinkEffect, type LinkEvent, newLink, type Transition } from './link';
import { candidatesFound, localDescribed, receiveSignal, remoteSet } from './negotiating';
import { relayHeard, relayTimer } from './relaying';
import { resendAll, signalTimer } from './signalDelivery';

export interface Decision {
  link: Link;
  effects: LinkEffect[];
}

/**
 * Decide what `event` does to a link.
 *
 * Events of a connection that the link no longer uses change nothing.
 *
 * @param link Not modified.
 * @param now_ms Monotonic time, from the same origin in every call.
 * @param random In [0, 1); adds jitter to the waits.
 */
export function reduceLink(link: Link, event: LinkEvent, now_ms: number, random: number): Decision {
  const transition: Transition = { link: { ...link }, effects: [], now_ms, random };
  if ('connection' in event && event.connection !== link.connection) return { link, effects: [] };
  decide(transition, event);
  return transition;
}

/** Return when the link needs a `timer` event, on the clock of `now_ms`; null for never. */
export function nextDeadline(link: Link): number | null {
  if (link.state === 'closed') return null;
  const given_up_ms = link.state === 'connected' ? null : life.givenUpAt(link);
  const times = [link.deadline_ms, link.ack_at_ms, link.need_at_ms, link.need_until_ms, given_up_ms];
  for (const sent of link.outbox) times.push(sent.due_ms);
  if (link.relaying && !link.needed) times.push(link.mirror_until_ms);
  const earliest = Math.min(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
  return earliest === Number.POSITIVE_INFINITY ? null : earliest;
}

export { newLink };

function decide(transition: Transition, event: LinkEvent): void {
  if (transition.link.state === 'closed' && event.kind !== 'epoch' && event.kind !== 'close') return;
  switch (event.kind) {
    case 'start':
      life.start(transition);
      return;
    case 'timer':
      signalTimer(transition);
      relayTimer(transition);
      life.lifeTimer(transition);
      return;
    case 'signal':
      receiveSignal(transition, event.type, event.payload);
      return;
    case 'epoch':
      life.enterEpoch(transition, event.epoch);
      return;
    case 'socket_back':
      resendAll(transition);
      life.socketBack(transition);
      return;
    case 'network_changed':
      life.networkChanged(transition);
      return;
    case 'woke':
      life.woke(transition);
      return;
    case 'close':
      life.close(transition, 'closed here', true);
      return;
    case 'local_description':
      localDescribed(transition, event.negotiation, event.sdp);
      return;
    case 'remote_set':
      remoteSet(transition, event.negotiation);
      return;
    case 'step_failed':
      life.stepFailed(transition);
      return;
    case 'candidates':
      candidatesFound(transition, event.negotiation, event.candidates);
      return;
    case 'connection_state':
      life.connectionChanged(transition, event.state);
      return;
    case 'channel':
      life.channelChanged(transition, event.open);
      return;
    case 'hearing':
      life.hearingChanged(transition, event.direct);
      return;
    case 'relay_heard':
      transition.link.alive_ms = transition.now_ms;
      relayHeard(transition);
      return;
    default:
      event satisfies never;
  }
}
