/**
 * One link to one peer, as data: its state, the events that can happen to it, and the effects that it asks for.
 *
 * This folder is pure: it has no clock, no random numbers and no browser. `reduceLink` takes an event and the time, and
 * returns the next link and effects. PeerLink performs the effects with an RTCPeerConnection, the tests with a simulated
 * one.
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

/** A signal that the peer has not acknowledged yet. */
export interface UnackedSignal {
  type: SignalType;
  payload: SignalPayload;
  due_ms: number;
  tries: number;
}

/** A candidate that arrived before the description it belongs to. */
export interface HeldCandidate {
  negotiation: number;
  candidate: RTCIceCandidateInit;
  arrived_ms: number;
}

/** Everything a decision about the link depends on. */
export interface Link {
  role: Role;
  /** Prefix of this side's message ids; unique among all pages. */
  name: string;

  // Lifecycle
  state: LinkState;
  /** When the state times out. */
  deadline_ms: number | null;
  /** Offers resent in `signaling`, restarts tried in `restarting`. */
  tries: number;
  rebuilds: number;
  /** Whether this is an attempt at a direct path from `relayed`. */
  retrying: boolean;
  /** Why the link is relayed or closed, in words for participants: the end of a sentence. */
  reason: string;
  /** Closed by this page for good: not even a new epoch opens it. */
  final: boolean;
  /** When something from the peer was last known to arrive, over any path. */
  alive_ms: number;
  /** When the link last became connected. */
  connected_ms: number;

  // The connection in use
  epoch: number;
  /** Number of the connection; 0 for none. */
  connection: number;
  /** How many connections were opened so far. */
  opened: number;
  /** Whether ICE and DTLS are connected. */
  up: boolean;
  /** Whether the worker has received nothing over it for a while. */
  silent: boolean;

  // Descriptions and candidates
  negotiation: number;
  /** The negotiation whose remote description is being set, or is set. */
  accepted: number;
  /** The negotiation whose remote description is set. */
  described: number;
  local: { type: 'offer' | 'answer'; sdp: string } | null;
  remote_sdp: string;
  /** The last remote description of a connection that was closed since. */
  dropped_sdp: string;
  held: readonly HeldCandidate[];

  // Signals
  seq: number;
  outbox: readonly UnackedSignal[];
  seen: readonly string[];
  acks: readonly string[];
  ack_at_ms: number | null;

  // The relay through the server
  relaying: boolean;
  /** Whether this side needs the relay, as opposed to mirroring a peer that uses it. */
  needed: boolean;
  /** When this side begins to need it, or ceases to. */
  need_at_ms: number | null;
  need_until_ms: number | null;
  /** Mirroring: since when, until when, and until when not again. */
  mirror_since_ms: number;
  mirror_until_ms: number;
  no_mirror_until_ms: number;
}

export type LinkEvent =
  | { kind: 'start' }
  /** A deadline may have passed. */
  | { kind: 'timer' }
  | { kind: 'signal'; type: SignalType; payload: SignalPayload }
  /** The server raised the epoch of this pair: everything negotiated before is void. */
  | { kind: 'epoch'; epoch: number }
  /** The socket to the server is open again. */
  | { kind: 'socket_back' }
  | { kind: 'network_changed' }
  /** The machine slept. */
  | { kind: 'woke' }
  | { kind: 'close' }
  // Events of the browser's connection number `connection`
  | { kind: 'local_description'; connection: number; negotiation: number; sdp: string }
  | { kind: 'remote_set'; connection: number; negotiation: number }
  | { kind: 'step_failed'; connection: number }
  | { kind: 'candidates'; connection: number; negotiation: number; candidates: RTCIceCandidateInit[] }
  | { kind: 'connection_state'; connection: number; state: RTCPeerConnectionState }
  | { kind: 'channel'; connection: number; open: boolean }
  /** The worker receives datagrams over the channel again, or has not for a while. */
  | { kind: 'hearing'; connection: number; direct: boolean }
  /** A datagram of the peer arrived through the server. */
  | { kind: 'relay_heard' };

export type LinkEffect =
  | { kind: 'open'; connection: number }
  | { kind: 'close'; connection: number }
  /** Create the local description: an offer, or the answer to the offer that was accepted. */
  | { kind: 'describe'; connection: number; negotiation: number; restart: boolean }
  | { kind: 'accept'; connection: number; negotiation: number; type: 'offer' | 'answer'; sdp: string }
  | { kind: 'add_candidates'; connection: number; candidates: RTCIceCandidateInit[] }
  | { kind: 'signal'; type: SignalType; payload: SignalPayload }
  /** Start or stop sending the game's datagrams to this peer through the server as well. */
  | { kind: 'relay'; on: boolean }
  /** A signal violated the protocol: counted, never fatal. */
  | { kind: 'reject'; reason: string };

/** Return a link that has not begun. */
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

/** A decision in progress: the link as it will be, and the effects so far. */
export interface Transition {
  /** Modified in place; a copy of the link before the event. */
  readonly link: Link;
  readonly effects: LinkEffect[];
  readonly now_ms: number;
  /** In [0, 1). */
  readonly random: number;
}

/** Return true if there is a connection whose channel has opened. */
export function isUp({ state }: Link): boolean {
  return state === 'connected' || state === 'suspect' || state === 'restarting';
}

/**
 * Return the state as participants see it: attempts at a direct path do not show while play goes through the server.
 */
export function shownState({ state, relaying }: Link): LinkState {
  const attempts = state === 'signaling' || state === 'connecting' || state === 'rebuilding';
  return attempts && relaying ? 'relayed' : state;
}
