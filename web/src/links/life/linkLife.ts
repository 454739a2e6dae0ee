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
import { isUp, type LinkState, type Turn } from './link';
import { directAgain, endRelay, relayNow, relaySoon } from './relaying';
import { clearPost, send } from './signalDelivery';
import { TIMES } from './times';

// Beginnings

export function start(turn: Turn): void {
  if (turn.link.state === 'idle') build(turn, false);
}

/** The pair is in a new epoch: a page was loaded anew, and knows nothing of what there was. */
export function enterEpoch(turn: Turn, epoch: number): void {
  const { link, now_ms } = turn;
  if (epoch <= link.epoch || link.final) return;
  const begun = link.state !== 'idle' || link.deadline_ms !== null;
  dropConnection(turn);
  clearPost(turn);
  endRelay(turn);
  Object.assign(link, { epoch, negotiation: 0, held: [], dropped_sdp: '' });
  Object.assign(link, { rebuilds: 0, retrying: false, reason: '' });
  if (!begun) return;
  link.alive_ms = now_ms;
  enter(turn, 'idle', TIMES.debounce_ms);
}

/** Begin a new connection. The answering side has none until the offer comes; `ask` makes it ask for one. */
export function build(turn: Turn, ask = true): void {
  const { link } = turn;
  if (link.state === 'idle') {
    link.alive_ms = turn.now_ms;
    relaySoon(turn);
  }
  dropConnection(turn);
  enter(turn, 'signaling', TIMES.answer_ms);
  link.tries = 0;
  if (link.role === 'offer') {
    open(turn);
    offer(turn, false);
  } else if (ask) {
    send(turn, 'rebuild-request', { reason: link.reason || 'no connection' });
  }
}

/** Make a connection; the one before is closed. */
export function open(turn: Turn): void {
  const { link } = turn;
  dropConnection(turn);
  link.opened += 1;
  link.connection = link.opened;
  turn.effects.push({ kind: 'open', connection: link.connection });
}

/** Our offer is the newest word: answers to earlier ones are out of date. */
function offer(turn: Turn, restart: boolean): void {
  const { link } = turn;
  link.negotiation += 1;
  link.local = null;
  link.held = link.held.filter((held) => held.negotiation >= link.negotiation);
  turn.effects.push({
    kind: 'describe',
    connection: link.connection,
    negotiation: link.negotiation,
    restart,
  });
}

function dropConnection(turn: Turn): void {
  const { link } = turn;
  if (link.connection > 0) turn.effects.push({ kind: 'close', connection: link.connection });
  if (link.remote_sdp) link.dropped_sdp = link.remote_sdp;
  Object.assign(link, { connection: 0, up: false, silent: false });
  Object.assign(link, { accepted: -1, described: -1, local: null, remote_sdp: '' });
}

// What the connection and the worker say

/** Both descriptions of the current negotiation are set. */
export function described(turn: Turn): void {
  const { link } = turn;
  if (link.state === 'restarting') {
    if (link.up && !link.silent) connected(turn);
  } else if (!isUp(link)) {
    enter(turn, 'connecting', TIMES.connect_ms);
  }
}

export function channelChanged(turn: Turn, is_open: boolean): void {
  const { link } = turn;
  // That the channel opened proves the path: its handshake went there and back.
  if (is_open && !isUp(link)) connected(turn);
  else if (!is_open && (isUp(link) || link.state === 'connecting')) rebuild(turn);
}

export function connectionChanged(turn: Turn, state: RTCPeerConnectionState): void {
  const { link } = turn;
  if (state === 'connected') {
    link.up = true;
    // The channel outlives a restart: it will not open a second time.
    if ((link.state === 'suspect' || link.state === 'restarting') && !link.silent) connected(turn);
  } else if (state === 'disconnected') {
    link.up = false;
    if (link.state === 'connected') suspect(turn);
    else if (link.state === 'suspect') restart(turn);
  } else if (state === 'failed') {
    link.up = false;
    // A restart under way may still bring it back; its own deadline decides.
    if (link.state !== 'restarting' && link.connection > 0) rebuild(turn);
  }
}

export function hearingChanged(turn: Turn, direct: boolean): void {
  const { link } = turn;
  link.silent = !direct;
  if (direct && (link.state === 'suspect' || link.state === 'restarting')) connected(turn);
  else if (!direct && link.state === 'connected') suspect(turn);
}

/** A step of the negotiation failed in the browser: this connection comes to nothing. */
export function stepFailed(turn: Turn): void {
  if (!isUp(turn.link)) rebuild(turn);
}

// What the world does

export function networkChanged(turn: Turn): void {
  const { link } = turn;
  if (link.state === 'connected' || link.state === 'suspect') restart(turn);
  else if (link.state === 'relayed') retry(turn);
}

/** Without the server nothing could be agreed on: an attempt that came to nothing then is no reason to wait now. */
export function socketBack(turn: Turn): void {
  if (turn.link.state === 'relayed') retry(turn);
}

/** After a sleep, whatever was known is old. */
export function woke(turn: Turn): void {
  turn.link.alive_ms = turn.now_ms;
  if (turn.link.state === 'connected') suspect(turn);
}

export function close(turn: Turn, reason: string, final: boolean): void {
  const { link } = turn;
  if (final) link.final = true;
  if (link.state === 'closed') return;
  if (final && link.state !== 'idle') send(turn, 'bye', {});
  dropConnection(turn);
  clearPost(turn);
  enter(turn, 'closed', null);
  Object.assign(link, { reason, held: [], retrying: false });
  endRelay(turn);
}

// Time

export function lifeTimer(turn: Turn): void {
  const { link, now_ms } = turn;
  if (link.state !== 'connected' && link.state !== 'closed' && givenUpAt(turn) <= now_ms) {
    close(turn, 'the connection could not be brought back', false);
    return;
  }
  if (link.deadline_ms === null || link.deadline_ms > now_ms) return;
  link.deadline_ms = null;
  switch (link.state) {
    case 'idle':
      start(turn);
      return;
    case 'signaling':
      unanswered(turn);
      return;
    case 'suspect':
      if (link.silent || !link.up) restart(turn);
      else connected(turn);
      return;
    case 'restarting':
      if (link.tries < TIMES.restarts) restart(turn);
      else rebuild(turn);
      return;
    case 'connecting':
      rebuild(turn);
      return;
    case 'rebuilding':
      build(turn);
      return;
    case 'relayed':
      retry(turn);
      return;
    default:
      return;
  }
}

/** When the link is given up if nothing of the peer comes; it has begun, and is not connected. */
export function givenUpAt({ link }: Pick<Turn, 'link'>): number {
  return link.state === 'idle' && link.deadline_ms === null
    ? Number.POSITIVE_INFINITY
    : link.alive_ms + TIMES.give_up_ms;
}

function unanswered(turn: Turn): void {
  const { link, now_ms } = turn;
  if (link.tries >= TIMES.resends) {
    relayed(turn, 'the other player did not answer');
    return;
  }
  link.tries += 1;
  link.deadline_ms = now_ms + TIMES.answer_ms;
  resendOffer(turn);
  if (link.role === 'answer') send(turn, 'rebuild-request', { reason: 'no offer' });
}

/** The same offer again; candidates found meanwhile ride in it no more than in the first. */
export function resendOffer({ link, ...turn }: Turn): void {
  if (link.local?.type === 'offer') send({ link, ...turn }, 'offer', { sdp: link.local.sdp });
}

// Into each state

function connected(turn: Turn): void {
  const { link, now_ms } = turn;
  enter(turn, 'connected', null);
  Object.assign(link, { tries: 0, retrying: false, silent: false, up: true, reason: '' });
  link.alive_ms = link.connected_ms = now_ms;
  directAgain(turn);
}

/** The direct path cannot be relied on any more: the relay carries what it would have. */
export function doubt(turn: Turn): void {
  const { link, now_ms } = turn;
  if (link.state === 'connected') {
    link.alive_ms = now_ms;
    if (now_ms - link.connected_ms >= TIMES.stable_ms) link.rebuilds = 0;
  }
  relayNow(turn);
}

function suspect(turn: Turn): void {
  doubt(turn);
  enter(turn, 'suspect', TIMES.suspect_ms);
  turn.link.tries = 0;
}

/** Look for a new path for the same connection. */
export function restart(turn: Turn): void {
  const { link } = turn;
  doubt(turn);
  if (link.state !== 'restarting') link.tries = 0;
  link.tries += 1;
  enter(turn, 'restarting', TIMES.restart_ms);
  if (link.role === 'offer') offer(turn, true);
  else send(turn, 'restart-request', { reason: link.silent ? 'nothing heard' : 'no connection' });
}

/** This connection will not come back: make another, after a while. */
export function rebuild(turn: Turn): void {
  const { link } = turn;
  if (isUp(link)) doubt(turn);
  dropConnection(turn);
  const wait_ms: number | undefined = TIMES.rebuild_waits_ms[link.rebuilds];
  if (link.retrying || wait_ms === undefined) {
    relayed(turn, 'the players could not be connected directly');
    return;
  }
  link.rebuilds += 1;
  enter(turn, 'rebuilding', wait_ms * (1 + TIMES.jitter * (2 * turn.random - 1)));
}

function relayed(turn: Turn, reason: string): void {
  const { link } = turn;
  dropConnection(turn);
  enter(turn, 'relayed', link.retrying ? TIMES.retry_ms : TIMES.retry_first_ms);
  Object.assign(link, { reason, rebuilds: 0, retrying: false });
  relayNow(turn);
}

function retry(turn: Turn): void {
  turn.link.retrying = true;
  build(turn);
}

function enter({ link, now_ms }: Turn, state: LinkState, wait_ms: number | null): void {
  link.state = state;
  link.deadline_ms = wait_ms === null ? null : now_ms + wait_ms;
}
