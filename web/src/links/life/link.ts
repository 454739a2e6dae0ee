/**
 * One link to one peer, as data: what is known of it, what can happen to it, and what it wants done.
 *
 * Nothing here or in the modules that decide about it (linkLife, negotiating, post, relaying) knows a clock, a random
 * number or a browser: `reduceLink` takes an event and the time, and gives the link after it and effects. PeerLink performs
 * the effects with the browser's own connection, and the tests with a simulated one.
 */
import type { SignalPayload, SignalType } from '../../protocol/messages';

export type Role = 'offer' | 'answer';

export type LinkState =
  | 'idle'
  | 'signaling'
  | 'connecting'
  | 'connected'
  | 'suspect'
  | 'restarting'
  | 'rebuilding'
  | 'relayed'
  | 'closed';

/** A signal that was sent and not acknowledged yet. */
export interface UnackedSignal {
  type: SignalType;
  payload: SignalPayload;
  due_ms: number;
  tries: number;
}

/** A candidate that came before the description it belongs to. */
export interface HeldCandidate {
  negotiation: number;
  candidate: RTCIceCandidateInit;
  arrived_ms: number;
}

/** Everything a decision about the link depends on. */
export interface Link {
  role: Role;
  /** Begins this side's message ids; differs from everybody else's. */
  name: string;

  // Its life
  state: LinkState;
  /** When the state is left for want of news. */
  deadline_ms: number | null;
  /** Offers sent again in `signaling`, restarts tried in `restarting`. */
  tries: number;
  rebuilds: number;
  /** Whether this is an attempt at a direct path from `relayed`. */
  retrying: boolean;
  /** Why it is relayed or closed; a sentence's end for people. */
  reason: string;
  /** Closed by this page: nothing opens it again. */
  final: boolean;
  /** When something of the peer was last known to arrive, over any path. */
  alive_ms: number;
  /** When it was connected last. */
  connected_ms: number;

  // The connection in use
  epoch: number;
  /** Its number; 0 for none. */
  connection: number;
  /** How many there were. */
  opened: number;
  /** ICE and DTLS are up. */
  up: boolean;
  /** The worker receives nothing over it. */
  silent: boolean;

  // Descriptions and candidates
  negotiation: number;
  /** The negotiation whose remote description is set, or being set. */
  accepted: number;
  described: number;
  local: { type: 'offer' | 'answer'; sdp: string } | null;
  remote_sdp: string;
  /** What the peer described last to a connection that we have closed since. */
  dropped_sdp: string;
  held: readonly HeldCandidate[];

  // Signals
  seq: number;
  outbox: readonly UnackedSignal[];
  seen: readonly string[];
  acks: readonly string[];
  ack_at_ms: number | null;

  // The lane through the server
  relaying: boolean;
  /** Our own need for it. */
  needed: boolean;
  need_at_ms: number | null;
  need_until_ms: number | null;
  mirror_since_ms: number;
  mirror_until_ms: number;
  no_mirror_until_ms: number;
}

export type LinkEvent =
  | { kind: 'start' }
  /** A deadline may have come. */
  | { kind: 'timer' }
  | { kind: 'signal'; type: SignalType; payload: SignalPayload }
  /** The server raised the epoch of this pair: what there was is over. */
  | { kind: 'epoch'; epoch: number }
  /** The socket to the server is open again. */
  | { kind: 'socket_back' }
  | { kind: 'network_changed' }
  /** The machine slept. */
  | { kind: 'woke' }
  | { kind: 'close' }
  // What the browser's connection number `connection` says
  | { kind: 'local_description'; connection: number; negotiation: number; sdp: string }
  | { kind: 'remote_set'; connection: number; negotiation: number }
  | { kind: 'step_failed'; connection: number }
  | { kind: 'candidates'; connection: number; negotiation: number; candidates: RTCIceCandidateInit[] }
  | { kind: 'connection_state'; connection: number; state: RTCPeerConnectionState }
  | { kind: 'channel'; connection: number; open: boolean }
  /** The worker receives datagrams over the channel, or has not for a while. */
  | { kind: 'hearing'; connection: number; direct: boolean }
  /** A datagram of the peer came through the server. */
  | { kind: 'relay_heard' };

export type LinkEffect =
  | { kind: 'open'; connection: number }
  | { kind: 'close'; connection: number }
  /** Make the local description: an offer, or the answer to the offer that was accepted. */
  | { kind: 'describe'; connection: number; negotiation: number; restart: boolean }
  | { kind: 'accept'; connection: number; negotiation: number; type: 'offer' | 'answer'; sdp: string }
  | { kind: 'add_candidates'; connection: number; candidates: RTCIceCandidateInit[] }
  | { kind: 'signal'; type: SignalType; payload: SignalPayload }
  /** Carry the game's datagrams to this peer through the server, too; or not any more. */
  | { kind: 'relay'; on: boolean }
  /** Something broke the rules: counted, never fatal. */
  | { kind: 'reject'; reason: string };

/** A link that has not begun. */
export function newLink(role: Role, epoch: number, name: string): Link {
  return {
    role,
    name,
    state: 'idle',
    deadline_ms: null,
    tries: 0,
    rebuilds: 0,
    retrying: false,
    reason: '',
    final: false,
    alive_ms: 0,
    connected_ms: 0,
    epoch,
    connection: 0,
    opened: 0,
    up: false,
    silent: false,
    negotiation: 0,
    accepted: -1,
    described: -1,
    local: null,
    remote_sdp: '',
    dropped_sdp: '',
    held: [],
    seq: 0,
    outbox: [],
    seen: [],
    acks: [],
    ack_at_ms: null,
    relaying: false,
    needed: false,
    need_at_ms: null,
    need_until_ms: null,
    mirror_since_ms: 0,
    mirror_until_ms: 0,
    no_mirror_until_ms: 0,
  };
}

/** One decision in the making: the link as it will be, and what follows. */
export interface Transition {
  readonly link: Link;
  readonly effects: LinkEffect[];
  readonly now_ms: number;
  /** In [0, 1). */
  readonly random: number;
}

/** Whether there is a connection whose channel has been open. */
export function isUp({ state }: Link): boolean {
  return state === 'connected' || state === 'suspect' || state === 'restarting';
}

/** How the link looks from outside: an attempt at something better is no news while play goes through the server. */
export function shownState({ state, relaying }: Link): LinkState {
  const attempts = state === 'signaling' || state === 'connecting' || state === 'rebuilding';
  return attempts && relaying ? 'relayed' : state;
}
