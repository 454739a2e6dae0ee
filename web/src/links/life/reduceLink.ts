/** The one way into a link: an event and the time in, the link after it and effects out. */
import { type Link, type LinkEffect, type LinkEvent, newLink, type Turn } from './link';
import * as life from './linkLife';
import { candidatesFound, localDescribed, receiveSignal, remoteSet } from './negotiating';
import { relayHeard, relayTimer } from './relaying';
import { postTimer, resendAll } from './signalDelivery';

export interface Decision {
  link: Link;
  effects: LinkEffect[];
}

/**
 * Decide what `event` means for a link.
 *
 * @param link Left as it is.
 * @param now_ms Of a clock that never goes back.
 * @param random In [0, 1); varies the waits.
 */
export function reduceLink(link: Link, event: LinkEvent, now_ms: number, random: number): Decision {
  const turn: Turn = { link: { ...link }, effects: [], now_ms, random };
  if ('connection' in event && event.connection !== link.connection) return { link, effects: [] };
  decide(turn, event);
  return turn;
}

/** When the link wants a `timer` event, on the clock of `now_ms`; null for never. */
export function nextDeadline(link: Link): number | null {
  if (link.state === 'closed') return null;
  const given_up_ms = link.state === 'connected' ? null : life.givenUpAt({ link });
  const times = [link.deadline_ms, link.ack_at_ms, link.need_at_ms, link.need_until_ms, given_up_ms];
  for (const sent of link.outbox) times.push(sent.due_ms);
  if (link.relaying && !link.needed) times.push(link.mirror_until_ms);
  const earliest = Math.min(...times.map((time) => time ?? Number.POSITIVE_INFINITY));
  return earliest === Number.POSITIVE_INFINITY ? null : earliest;
}

export { newLink };

function decide(turn: Turn, event: LinkEvent): void {
  if (turn.link.state === 'closed' && event.kind !== 'epoch' && event.kind !== 'close') return;
  switch (event.kind) {
    case 'start':
      life.start(turn);
      return;
    case 'timer':
      postTimer(turn);
      relayTimer(turn);
      life.lifeTimer(turn);
      return;
    case 'signal':
      receiveSignal(turn, event.type, event.payload);
      return;
    case 'epoch':
      life.enterEpoch(turn, event.epoch);
      return;
    case 'socket_back':
      resendAll(turn);
      life.socketBack(turn);
      return;
    case 'network_changed':
      life.networkChanged(turn);
      return;
    case 'woke':
      life.woke(turn);
      return;
    case 'close':
      life.close(turn, 'closed here', true);
      return;
    case 'local_description':
      localDescribed(turn, event.negotiation, event.sdp);
      return;
    case 'remote_set':
      remoteSet(turn, event.negotiation);
      return;
    case 'step_failed':
      life.stepFailed(turn);
      return;
    case 'candidates':
      candidatesFound(turn, event.negotiation, event.candidates);
      return;
    case 'connection_state':
      life.connectionChanged(turn, event.state);
      return;
    case 'channel':
      life.channelChanged(turn, event.open);
      return;
    case 'hearing':
      life.hearingChanged(turn, event.direct);
      return;
    case 'relay_heard':
      turn.link.alive_ms = turn.now_ms;
      relayHeard(turn);
      return;
  }
}
