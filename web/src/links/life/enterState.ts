/** How a link enters each of its states, and what that does to its connection and to the relay. */
import { isUp, type LinkState, type Transition } from './link';
import { directAgain, relayNow, relaySoon } from './relaying';
import { send } from './signalDelivery';
import { TIMES } from './times';

export function enter({ link, now_ms }: Transition, state: LinkState, wait_ms: number | null): void {
  link.state = state;
  link.deadline_ms = wait_ms === null ? null : now_ms + wait_ms;
}

// Connections

/**
 * Begin a new connection.
 *
 * The answering side opens its own when the offer arrives; with `ask` it requests that offer.
 */
export function build(transition: Transition, ask = true): void {
  const { link } = transition;
  if (link.state === 'idle') {
    link.alive_ms = transition.now_ms;
    relaySoon(transition);
  }
  dropConnection(transition);
  enter(transition, 'signaling', TIMES.answer_ms);
  link.tries = 0;
  if (link.role === 'offer') {
    open(transition);
    offer(transition, false);
  } else if (ask) {
    send(transition, 'rebuild-request', { reason: link.reason || 'no connection' });
  }
}

/** Open a connection; the one before it is closed. */
export function open(transition: Transition): void {
  const { link } = transition;
  dropConnection(transition);
  link.opened += 1;
  link.connection = link.opened;
  transition.effects.push({ kind: 'open', connection: link.connection });
}

export function dropConnection(transition: Transition): void {
  const { link } = transition;
  if (link.connection > 0) transition.effects.push({ kind: 'close', connection: link.connection });
  if (link.remote_sdp) link.dropped_sdp = link.remote_sdp;
  Object.assign(link, { connection: 0, up: false, silent: false });
  Object.assign(link, { accepted: -1, described: -1, local: null, remote_sdp: '' });
}

/** Start a negotiation: answers to earlier offers are stale from here on. */
function offer(transition: Transition, restart: boolean): void {
  const { link } = transition;
  link.negotiation += 1;
  link.local = null;
  link.held = link.held.filter((held) => held.negotiation >= link.negotiation);
  transition.effects.push({
    kind: 'describe',
    connection: link.connection,
    negotiation: link.negotiation,
    restart,
  });
}

/** Send the same offer again. Candidates are signals of their own and are resent by themselves. */
export function resendOffer(transition: Transition): void {
  const { local } = transition.link;
  if (local?.type === 'offer') send(transition, 'offer', { sdp: local.sdp });
}

// States

export function connected(transition: Transition): void {
  const { link, now_ms } = transition;
  enter(transition, 'connected', null);
  Object.assign(link, { tries: 0, retrying: false, silent: false, up: true, reason: '' });
  link.alive_ms = link.connected_ms = now_ms;
  directAgain(transition);
}

/** The direct path may be broken: the relay carries everything too, from now on. */
export function doubt(transition: Transition): void {
  const { link, now_ms } = transition;
  if (link.state === 'connected') {
    link.alive_ms = now_ms;
    if (now_ms - link.connected_ms >= TIMES.stable_ms) link.rebuilds = 0;
  }
  relayNow(transition);
}

export function suspect(transition: Transition): void {
  doubt(transition);
  enter(transition, 'suspect', TIMES.suspect_ms);
  transition.link.tries = 0;
}

/** Restart ICE: look for a new path for the same connection. */
export function restart(transition: Transition): void {
  const { link } = transition;
  doubt(transition);
  if (link.state !== 'restarting') link.tries = 0;
  link.tries += 1;
  enter(transition, 'restarting', TIMES.restart_ms);
  if (link.role === 'offer') offer(transition, true);
  else send(transition, 'restart-request', { reason: link.silent ? 'nothing heard' : 'no connection' });
}

/** Give this connection up, and make another after a wait. */
export function rebuild(transition: Transition): void {
  const { link } = transition;
  if (isUp(link)) doubt(transition);
  dropConnection(transition);
  const wait_ms: number | undefined = TIMES.rebuild_waits_ms[link.rebuilds];
  if (link.retrying || wait_ms === undefined) {
    relayed(transition, 'the players could not be connected directly');
    return;
  }
  link.rebuilds += 1;
  enter(transition, 'rebuilding', wait_ms * (1 + TIMES.jitter * (2 * transition.random - 1)));
}

/** Play through the server, and try the direct path again later. */
export function relayed(transition: Transition, reason: string): void {
  const { link } = transition;
  dropConnection(transition);
  enter(transition, 'relayed', link.retrying ? TIMES.retry_ms : TIMES.retry_first_ms);
  Object.assign(link, { reason, rebuilds: 0, retrying: false });
  relayNow(transition);
}

/** Try the direct path again while play goes through the server. */
export function retry(transition: Transition): void {
  transition.link.retrying = true;
  build(transition);
}
