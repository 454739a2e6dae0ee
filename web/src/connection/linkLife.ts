/**
 * The life of one link, as pure decisions: a state and an event give a state and actions. No clock, no I/O.
 *
 *     idle ──start──▸ signaling ──described──▸ connecting ──channel_open──▸ connected
 *                        │ no answer                │ too long, failed          │ disconnected, channel_closed
 *                        ▾                          ▾                           ▾
 *                      failed ◂──tries spent── rebuilding ◂──no recovery── restarting ◂──2.5 s── suspect
 *
 * Of two players the lower id always offers, so offers never cross. The other side asks: `request_restart` and
 * `request_rebuild` are signals to the offering side.
 */

export type LinkState =
  | 'idle'
  | 'signaling'
  | 'connecting'
  | 'connected'
  | 'suspect'
  | 'restarting'
  | 'rebuilding'
  | 'failed'
  | 'closed';

export type Role = 'offer' | 'answer';

export const TIMES = {
  /** No answer for this long: the same offer again. */
  answer_ms: 3000,
  resends: 3,
  /** From both descriptions to an open channel. */
  connect_ms: 10_000,
  /** Disconnected for this long is more than a hiccup. */
  suspect_ms: 2500,
  restart_ms: 5000,
  /** Waits before each new connection. */
  rebuild_waits_ms: [0, 300, 1200, 2700, 4800, 7000],
} as const;

export interface LinkLife {
  readonly role: Role;
  readonly state: LinkState;
  /** When `timer` is due, on the caller's clock. */
  readonly deadline_ms: number | null;
  readonly resends: number;
  readonly rebuilds: number;
  /** Why it failed or closed; a sentence's end for people. */
  readonly reason: string;
}

export type LinkEvent =
  | { kind: 'start' }
  | { kind: 'timer' }
  /** Both descriptions of the current negotiation are set; `up` when the connection never went down meanwhile. */
  | { kind: 'described'; up: boolean }
  | { kind: 'channel_open' }
  | { kind: 'channel_closed' }
  | { kind: 'connection'; state: RTCPeerConnectionState }
  /** The answering side asks us, who offer. `stale` when it has not seen our last offer yet. */
  | { kind: 'restart_requested'; stale: boolean }
  | { kind: 'rebuild_requested'; stale: boolean }
  /** The peer's offer began a new connection on our, the answering, side. */
  | { kind: 'rebuilt_by_peer' }
  | { kind: 'network_changed' }
  | { kind: 'bye' }
  | { kind: 'close' };

export type LinkAction =
  /** Make a new RTCPeerConnection, the old one is closed. */
  | { kind: 'build' }
  | { kind: 'offer' }
  | { kind: 'resend_offer' }
  | { kind: 'restart_ice' }
  | { kind: 'request_restart' }
  | { kind: 'request_rebuild' }
  | { kind: 'say_bye' }
  | { kind: 'teardown' };

export interface Decision {
  life: LinkLife;
  actions: LinkAction[];
}

export function newLife(role: Role): LinkLife {
  return { role, state: 'idle', deadline_ms: null, resends: 0, rebuilds: 0, reason: '' };
}

/** Decide what `event` means for a link that is in `life`. */
export function reduceLink(life: LinkLife, event: LinkEvent, now_ms: number): Decision {
  if (life.state === 'closed') return stay(life);
  switch (event.kind) {
    case 'start':
      return life.state === 'idle' ? build(life, now_ms) : stay(life);
    case 'timer':
      return life.deadline_ms !== null && now_ms >= life.deadline_ms ? timer(life, now_ms) : stay(life);
    case 'described':
      return described(life, event.up, now_ms);
    case 'channel_open':
      return to(life, 'connected', null, [], { resends: 0, rebuilds: 0 });
    case 'channel_closed':
      return isUp(life) ? rebuild(life, now_ms) : stay(life);
    case 'connection':
      return connection(life, event.state, now_ms);
    case 'restart_requested':
      return life.role === 'offer' && !event.stale && isUp(life) ? restart(life, now_ms) : stay(life);
    case 'rebuild_requested':
      if (life.role !== 'offer') return stay(life);
      if (event.stale)
        return life.state === 'signaling' ? stay(life, [{ kind: 'resend_offer' }]) : stay(life);
      return life.state === 'rebuilding' ? stay(life) : rebuild(life, now_ms);
    case 'rebuilt_by_peer':
      return to(life, 'signaling', now_ms + TIMES.answer_ms, []);
    case 'network_changed':
      return isUp(life) && life.state !== 'restarting' ? restart(life, now_ms) : stay(life);
    case 'bye':
      return to(life, 'closed', null, [{ kind: 'teardown' }], { reason: 'the other player left' });
    case 'close':
      return to(life, 'closed', null, [{ kind: 'say_bye' }, { kind: 'teardown' }], { reason: 'closed here' });
  }
}

function described(life: LinkLife, up: boolean, now_ms: number): Decision {
  // A restart keeps the channel, so no `channel_open` will follow it.
  if (life.state === 'restarting') return up ? to(life, 'connected', null, []) : stay(life);
  if (life.state === 'connected' || life.state === 'suspect') return stay(life);
  return to(life, 'connecting', now_ms + TIMES.connect_ms, [], { resends: 0 });
}

function connection(life: LinkLife, state: RTCPeerConnectionState, now_ms: number): Decision {
  switch (state) {
    case 'connected':
      // The channel outlives a restart: no second `channel_open` will come.
      return life.state === 'suspect' || life.state === 'restarting'
        ? to(life, 'connected', null, [])
        : stay(life);
    case 'disconnected':
      return life.state === 'connected' ? to(life, 'suspect', now_ms + TIMES.suspect_ms, []) : stay(life);
    case 'failed':
      // A restart in progress may still bring it back; its own deadline decides.
      if (life.state === 'restarting' || life.state === 'rebuilding' || life.state === 'failed')
        return stay(life);
      return rebuild(life, now_ms);
    default:
      return stay(life);
  }
}

function timer(life: LinkLife, now_ms: number): Decision {
  switch (life.state) {
    case 'signaling': {
      if (life.resends >= TIMES.resends) return fail(life, 'the other player did not answer');
      const again: LinkAction =
        life.role === 'offer' ? { kind: 'resend_offer' } : { kind: 'request_rebuild' };
      return to(life, 'signaling', now_ms + TIMES.answer_ms, [again], { resends: life.resends + 1 });
    }
    case 'connecting':
    case 'restarting':
      return rebuild(life, now_ms);
    case 'suspect':
      return restart(life, now_ms);
    case 'rebuilding':
      return build(life, now_ms);
    default:
      return stay({ ...life, deadline_ms: null });
  }
}

function build(life: LinkLife, now_ms: number): Decision {
  const actions: LinkAction[] = [{ kind: 'build' }];
  if (life.role === 'offer') actions.push({ kind: 'offer' });
  else if (life.state === 'rebuilding') actions.push({ kind: 'request_rebuild' });
  return to(life, 'signaling', now_ms + TIMES.answer_ms, actions, { resends: 0 });
}

function restart(life: LinkLife, now_ms: number): Decision {
  const action: LinkAction = life.role === 'offer' ? { kind: 'restart_ice' } : { kind: 'request_restart' };
  return to(life, 'restarting', now_ms + TIMES.restart_ms, [action]);
}

function rebuild(life: LinkLife, now_ms: number): Decision {
  const wait_ms = TIMES.rebuild_waits_ms[life.rebuilds];
  if (wait_ms === undefined) return fail(life, 'the players could not be connected to each other');
  return to(life, 'rebuilding', now_ms + wait_ms, [], { rebuilds: life.rebuilds + 1 });
}

function fail(life: LinkLife, reason: string): Decision {
  return to(life, 'failed', null, [], { reason });
}

function isUp(life: LinkLife): boolean {
  return life.state === 'connected' || life.state === 'suspect' || life.state === 'restarting';
}

function to(
  life: LinkLife,
  state: LinkState,
  deadline_ms: number | null,
  actions: LinkAction[],
  change: Partial<LinkLife> = {},
): Decision {
  return { life: { ...life, state, deadline_ms, ...change }, actions };
}

function stay(life: LinkLife, actions: LinkAction[] = []): Decision {
  return { life, actions };
}
