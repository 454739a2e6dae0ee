/**
 * The life of a link: from which state it comes into which, and when time alone does it.
 *
 *     idle ──▸ signaling ──described──▸ connecting ──channel open──▸ connected ◂──datagrams── suspect
 *                 │ no answer               │ too long, failed          │ nothing heard,        │ 1.5 s more,
 *                 ▼                         ▼                           ▼ disconnected          ▼ network changed
 *              relayed ◂──waits spent── rebuilding ◂──tries spent──────────────────────── restarting
 *
 * From `relayed` a direct path is tried again now and then. `closed` is the end: a goodbye, the server's word, or two
 * minutes without a sign of life. Of two players the lower id always offers, so offers never cross; the other side asks
 * for a restart or a rebuild by a signal.
 */
import { isUp, type LinkState, type Transition } from './link';
import { directAgain, endRelay, relayNow, relaySoon } from './relaying';
import { clearSignals, send } from './signalDelivery';
import { TIMES } from './times';

// Beginnings

export function start(transition: Transition): void {
  if (transition.link.state === 'idle') build(transition, false);
}

/** The pair is in a new epoch: a page was loaded anew, and knows nothing of what there was. */
export function enterEpoch(transition: Transition, epoch: number): void {
  const { link, now_ms } = transition;
  if (epoch <= link.epoch || link.final) return;
  const begun = link.state !== 'idle' || link.deadline_ms !== null;
  dropConnection(transition);
  clearSignals(transition);
  endRelay(transition);
  Object.assign(link, { epoch, negotiation: 0, held: [], dropped_sdp: '' });
  Object.assign(link, { rebuilds: 0, retrying: false, reason: '' });
  if (!begun) return;
  link.alive_ms = now_ms;
  enter(transition, 'idle', TIMES.debounce_ms);
}

/** Begin a new connection. The answering side has none until the offer comes; `ask` makes it ask for one. */
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

/** Make a connection; the one before is closed. */
export function open(transition: Transition): void {
  const { link } = transition;
  dropConnection(transition);
  link.opened += 1;
  link.connection = link.opened;
  transition.effects.push({ kind: 'open', connection: link.connection });
}

/** Our offer is the newest word: answers to earlier ones are out of date. */
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

function dropConnection(transition: Transition): void {
  const { link } = transition;
  if (link.connection > 0) transition.effects.push({ kind: 'close', connection: link.connection });
  if (link.remote_sdp) link.dropped_sdp = link.remote_sdp;
  Object.assign(link, { connection: 0, up: false, silent: false });
  Object.assign(link, { accepted: -1, described: -1, local: null, remote_sdp: '' });
}

// What the connection and the worker say

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
  // That the channel opened proves the path: its handshake went there and back.
  if (is_open && !isUp(link)) connected(transition);
  else if (!is_open && (isUp(link) || link.state === 'connecting')) rebuild(transition);
}

export function connectionChanged(transition: Transition, state: RTCPeerConnectionState): void {
  const { link } = transition;
  if (state === 'connected') {
    link.up = true;
    // The channel outlives a restart: it will not open a second time.
    if ((link.state === 'suspect' || link.state === 'restarting') && !link.silent) connected(transition);
  } else if (state === 'disconnected') {
    link.up = false;
    if (link.state === 'connected') suspect(transition);
    else if (link.state === 'suspect') restart(transition);
  } else if (state === 'failed') {
    link.up = false;
    // A restart under way may still bring it back; its own deadline decides.
    if (link.state !== 'restarting' && link.connection > 0) rebuild(transition);
  }
}

export function hearingChanged(transition: Transition, direct: boolean): void {
  const { link } = transition;
  link.silent = !direct;
  if (direct && (link.state === 'suspect' || link.state === 'restarting')) connected(transition);
  else if (!direct && link.state === 'connected') suspect(transition);
}

/** A step of the negotiation failed in the browser: this connection comes to nothing. */
export function stepFailed(transition: Transition): void {
  if (!isUp(transition.link)) rebuild(transition);
}

// What the world does

export function networkChanged(transition: Transition): void {
  const { link } = transition;
  if (link.state === 'connected' || link.state === 'suspect') restart(transition);
  else if (link.state === 'relayed') retry(transition);
}

/** Without the server nothing could be agreed on: an attempt that came to nothing then is no reason to wait now. */
export function socketBack(transition: Transition): void {
  if (transition.link.state === 'relayed') retry(transition);
}

/** After a sleep, whatever was known is old. */
export function woke(transition: Transition): void {
  transition.link.alive_ms = transition.now_ms;
  if (transition.link.state === 'connected') suspect(transition);
}

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

// Time

export function lifeTimer(transition: Transition): void {
  const { link, now_ms } = transition;
  if (link.state !== 'connected' && link.state !== 'closed' && givenUpAt(transition) <= now_ms) {
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

/** When the link is given up if nothing of the peer comes; it has begun, and is not connected. */
export function givenUpAt({ link }: Pick<Transition, 'link'>): number {
  return link.state === 'idle' && link.deadline_ms === null
    ? Number.POSITIVE_INFINITY
    : link.alive_ms + TIMES.give_up_ms;
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

/** The same offer again; candidates found meanwhile ride in it no more than in the first. */
export function resendOffer({ link, ...turn }: Transition): void {
  if (link.local?.type === 'offer') send({ link, ...turn }, 'offer', { sdp: link.local.sdp });
}

// Into each state

function connected(transition: Transition): void {
  const { link, now_ms } = transition;
  enter(transition, 'connected', null);
  Object.assign(link, { tries: 0, retrying: false, silent: false, up: true, reason: '' });
  link.alive_ms = link.connected_ms = now_ms;
  directAgain(transition);
}

/** The direct path cannot be relied on any more: the relay carries what it would have. */
export function doubt(transition: Transition): void {
  const { link, now_ms } = transition;
  if (link.state === 'connected') {
    link.alive_ms = now_ms;
    if (now_ms - link.connected_ms >= TIMES.stable_ms) link.rebuilds = 0;
  }
  relayNow(transition);
}

function suspect(transition: Transition): void {
  doubt(transition);
  enter(transition, 'suspect', TIMES.suspect_ms);
  transition.link.tries = 0;
}

/** Look for a new path for the same connection. */
export function restart(transition: Transition): void {
  const { link } = transition;
  doubt(transition);
  if (link.state !== 'restarting') link.tries = 0;
  link.tries += 1;
  enter(transition, 'restarting', TIMES.restart_ms);
  if (link.role === 'offer') offer(transition, true);
  else send(transition, 'restart-request', { reason: link.silent ? 'nothing heard' : 'no connection' });
}

/** This connection will not come back: make another, after a while. */
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

function relayed(transition: Transition, reason: string): void {
  const { link } = transition;
  dropConnection(transition);
  enter(transition, 'relayed', link.retrying ? TIMES.retry_ms : TIMES.retry_first_ms);
  Object.assign(link, { reason, rebuilds: 0, retrying: false });
  relayNow(transition);
}

function retry(transition: Transition): void {
  transition.link.retrying = true;
  build(transition);
}

function enter({ link, now_ms }: Transition, state: LinkState, wait_ms: number | null): void {
  link.state = state;
  link.deadline_ms = wait_ms === null ? null : now_ms + wait_ms;
}
