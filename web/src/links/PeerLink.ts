/**
 * One peer's RTCPeerConnection, driven by the decisions of reduceLink.ts.
 *
 * Everything that awaits runs on one promise chain a connection, so its signals are handled in order; after each `await`
 * it is checked that the connection is still the current one.
 */

import type { SignalPayload, SignalType } from '../protocol/messages';
import type { Link, LinkEffect, LinkEvent, Role } from './life/link';
import { newLink, nextDeadline, reduceLink } from './life/reduceLink';

/** Candidates come in bursts: the first one goes at once, for it is mostly the one that works; the rest in one signal. */
const CANDIDATE_BATCH_MS = 15;

/**
 * A datagram that waits for longer, to be sent or sent once more, is dropped: the next one says it all again. Not
 * `maxRetransmits: 0`: with each lost datagram given up at once, Chromium's SCTP stands still for seconds on a lossy
 * path (docs/decisions/0016).
 */
const WORTH_SENDING_MS = 100;

export interface PeerLinkHost {
  createConnection(): RTCPeerConnection;
  /** What a connection is made with now; relay credentials are renewed now and then. */
  configuration(): RTCConfiguration;
  sendSignal(peer: number, type: SignalType, payload: SignalPayload): void;
  /** A new, still closed channel; it may be transferred before this call returns. */
  channelCreated(peer: number, channel: RTCDataChannel, connection: number): void;
  changed(peer: number, link: Link): void;
  /** A signal that breaks the rules, or a candidate that the browser refuses: counted, never fatal. */
  rejected(peer: number, reason: string): void;
  now_ms(): number;
  random(): number;
}

export class PeerLink {
  readonly peer: number;
  readonly #host: PeerLinkHost;
  #link: Link;
  #connection: RTCPeerConnection | null = null;
  /** The negotiation that candidates found now belong to. */
  #describing = 0;
  #found: RTCIceCandidateInit[] = [];
  /** Until when those found are kept back. */
  #burst: ReturnType<typeof setTimeout> | null = null;
  readonly #events: LinkEvent[] = [];
  #deciding = false;
  #chain: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** @param name Makes this side's message ids differ from everybody else's. */
  constructor(peer: number, role: Role, epoch: number, name: string, host: PeerLinkHost) {
    this.peer = peer;
    this.#host = host;
    this.#link = newLink(role, epoch, name);
  }

  get link(): Link {
    return this.#link;
  }

  get connection(): RTCPeerConnection | null {
    return this.#connection;
  }

  /** Take an event of this link and perform what follows from it. */
  dispatch(event: LinkEvent): void {
    this.#events.push(event);
    // An effect may cause the next event at once; it waits for its turn.
    if (this.#deciding) return;
    this.#deciding = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        this.#decide(next);
      }
    } finally {
      this.#deciding = false;
    }
    this.#arm();
  }

  /** Everything that was asked for so far has been done; for tests. */
  settled(): Promise<void> {
    return this.#chain;
  }

  #decide(event: LinkEvent): void {
    const before = this.#link;
    const { link, effects } = reduceLink(before, event, this.#host.now_ms(), this.#host.random());
    this.#link = link;
    for (const effect of effects) this.#perform(effect);
    if (link.state !== before.state || link.relaying !== before.relaying) this.#host.changed(this.peer, link);
  }

  #perform(effect: LinkEffect): void {
    switch (effect.kind) {
      case 'open':
        try {
          this.#open(effect.connection);
        } catch (cause) {
          // Some browsers are kept from connecting to others at all: the way through the server is left.
          this.#host.rejected(this.peer, `no connection can be made here: ${String(cause)}`);
          this.dispatch({ kind: 'step_failed', connection: effect.connection });
        }
        return;
      case 'close':
        this.#close();
        return;
      case 'describe':
        this.#describe(effect.negotiation, effect.restart);
        return;
      case 'accept':
        this.#accept(effect.negotiation, { type: effect.type, sdp: effect.sdp });
        return;
      case 'add_candidates':
        this.#addCandidates(effect.candidates);
        return;
      case 'signal':
        this.#host.sendSignal(this.peer, effect.type, effect.payload);
        return;
      case 'relay':
        // The change of the link says it.
        return;
      case 'reject':
        this.#host.rejected(this.peer, effect.reason);
        return;
    }
  }

  #open(number: number): void {
    const connection = this.#host.createConnection();
    this.#connection = connection;
    this.#forgetFound();
    connection.onicecandidate = ({ candidate }) => this.#candidateFound(number, candidate);
    connection.onconnectionstatechange = () =>
      this.dispatch({ kind: 'connection_state', connection: number, state: connection.connectionState });
    // Both sides make the channel, so none of them has to wait for the other's: no `ondatachannel` race.
    const channel = connection.createDataChannel('game', {
      ordered: false,
      maxPacketLifeTime: WORTH_SENDING_MS,
      negotiated: true,
      id: 0,
    });
    channel.binaryType = 'arraybuffer';
    this.#host.channelCreated(this.peer, channel, number);
  }

  #close(): void {
    const connection = this.#connection;
    this.#connection = null;
    if (connection === null) return;
    connection.onicecandidate = connection.onconnectionstatechange = null;
    connection.close();
    // What a connection was doing when it was closed is never settled: the next one must not wait for it.
    this.#chain = Promise.resolve();
  }

  #describe(negotiation: number, restart: boolean): void {
    const number = this.#link.connection;
    this.#enqueue(number, async (connection) => {
      if (restart) {
        connection.setConfiguration(this.#host.configuration());
        connection.restartIce();
      }
      this.#describing = negotiation;
      this.#forgetFound();
      await connection.setLocalDescription();
      const sdp = connection.localDescription?.sdp;
      if (sdp === undefined) return;
      this.dispatch({ kind: 'local_description', connection: number, negotiation, sdp });
    });
  }

  #accept(negotiation: number, description: RTCSessionDescriptionInit): void {
    const number = this.#link.connection;
    this.#enqueue(number, async (connection) => {
      await connection.setRemoteDescription(description);
      this.dispatch({ kind: 'remote_set', connection: number, negotiation });
    });
  }

  #addCandidates(candidates: readonly RTCIceCandidateInit[]): void {
    this.#enqueue(this.#link.connection, async (connection) => {
      for (const candidate of candidates) {
        try {
          await connection.addIceCandidate(candidate);
        } catch (cause) {
          this.#host.rejected(this.peer, `a candidate that the browser refused: ${String(cause)}`);
        }
        if (this.#connection !== connection) return;
      }
    });
  }

  #candidateFound(number: number, candidate: RTCIceCandidate | null): void {
    // Null ends the gathering; the empty string tells the peer so.
    this.#found.push(candidate?.toJSON() ?? { candidate: '', sdpMid: '0', sdpMLineIndex: 0 });
    if (this.#burst !== null) return;
    this.#tellFound(number);
    this.#burst = setTimeout(() => {
      this.#burst = null;
      this.#tellFound(number);
    }, CANDIDATE_BATCH_MS);
  }

  #tellFound(number: number): void {
    const candidates = this.#found.splice(0);
    if (this.#link.connection !== number || candidates.length === 0) return;
    this.dispatch({ kind: 'candidates', connection: number, negotiation: this.#describing, candidates });
  }

  #forgetFound(): void {
    this.#found = [];
    if (this.#burst !== null) clearTimeout(this.#burst);
    this.#burst = null;
  }

  // Order and time

  /** Do one step after those before it, if the connection is still the same then. */
  #enqueue(number: number, step: (connection: RTCPeerConnection) => Promise<void>): void {
    this.#chain = this.#chain.then(async () => {
      const connection = this.#connection;
      if (connection === null || this.#link.connection !== number) return;
      try {
        // What the step finds out carries the connection's number: a link that went on meanwhile ignores it.
        await step(connection);
      } catch (cause) {
        if (this.#connection !== connection) return;
        this.#host.rejected(this.peer, `a step of the negotiation failed: ${String(cause)}`);
        this.dispatch({ kind: 'step_failed', connection: number });
      }
    });
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const deadline_ms = nextDeadline(this.#link);
    if (deadline_ms === null) return;
    const wait_ms = Math.max(0, deadline_ms - this.#host.now_ms());
    this.#timer = setTimeout(() => this.dispatch({ kind: 'timer' }), wait_ms);
  }
}
