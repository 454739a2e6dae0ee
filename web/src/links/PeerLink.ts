/**
 * One peer's RTCPeerConnection, driven by the decisions of life/reduceLink.ts.
 *
 * The steps of a connection that await run on one promise chain, so that signals are handled in order. After each
 * `await`, results of a connection that is no longer the current one are ignored.
 */

import type { SignalPayload, SignalType } from '../protocol/messages';
import type { Link, LinkEffect, LinkEvent, Role } from './life/link';
import { newLink, nextDeadline, reduceLink } from './life/reduceLink';

/**
 * How long candidates are collected into one signal.
 *
 * They come in bursts. The first is sent immediately, as it is usually the one that works.
 */
const CANDIDATE_BATCH_MS = 15;

/**
 * The channel drops a datagram that was not delivered within this time.
 *
 * The next datagram repeats its content. Not `maxRetransmits: 0`, with which Chromium's SCTP stalls for seconds on
 * lossy paths (docs/decisions/0016).
 */
const DATAGRAM_LIFETIME_MS = 100;

export interface PeerLinkHost {
  createConnection(): RTCPeerConnection;
  /** The current configuration; credentials of TURN servers are renewed from time to time. */
  configuration(): RTCConfiguration;
  sendSignal(peer: number, type: SignalType, payload: SignalPayload): void;
  /** A channel was created and is not open yet. It can be transferred to a worker only during this call. */
  channelCreated(peer: number, channel: RTCDataChannel, connection: number): void;
  changed(peer: number, link: Link): void;
  /** A signal violated the protocol, or the browser rejected a candidate: counted, never fatal. */
  rejected(peer: number, reason: string): void;
  now_ms(): number;
  random(): number;
}

export class PeerLink {
  readonly peer: number;
  readonly #host: PeerLinkHost;
  #link: Link;
  #connection: RTCPeerConnection | null = null;
  /** The negotiation to which candidates belong that are found now. */
  #describing = 0;
  /** Candidates that were found and not sent yet. */
  #found: RTCIceCandidateInit[] = [];
  /** Runs while candidates are collected into one signal. */
  #burst: ReturnType<typeof setTimeout> | null = null;
  readonly #events: LinkEvent[] = [];
  #deciding = false;
  #chain: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** @param name Prefix of this side's message ids; unique among all pages. */
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

  /** Apply an event to this link, and perform the effects. */
  dispatch(event: LinkEvent): void {
    this.#events.push(event);
    // Effects may dispatch further events synchronously; these wait until the current one is done.
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

  /** Resolve when every step so far is done; for tests. */
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
          // WebRTC is disabled in some browsers. The relay through the server remains.
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
        // `changed` reports it with the link.
        return;
      case 'reject':
        this.#host.rejected(this.peer, effect.reason);
        return;
      default:
        effect satisfies never;
    }
  }

  #open(number: number): void {
    const connection = this.#host.createConnection();
    this.#connection = connection;
    this.#forgetFound();
    connection.onicecandidate = ({ candidate }) => this.#candidateFound(number, candidate);
    connection.onconnectionstatechange = () =>
      this.dispatch({ kind: 'connection_state', connection: number, state: connection.connectionState });
    // A negotiated channel is created on both sides, which removes the race with `ondatachannel`.
    const channel = connection.createDataChannel('game', {
      ordered: false,
      maxPacketLifeTime: DATAGRAM_LIFETIME_MS,
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
    // Promises of a closed connection never settle; the next connection must not wait for them.
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
    // Null means that gathering has ended; the peer is told with an empty candidate.
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

  // Order and timers

  /** Run a step after the earlier ones, unless the connection has been replaced by then. */
  #enqueue(number: number, step: (connection: RTCPeerConnection) => Promise<void>): void {
    this.#chain = this.#chain.then(async () => {
      const connection = this.#connection;
      if (connection === null || this.#link.connection !== number) return;
      try {
        // Results carry the connection's number, so that the link ignores those of a former connection.
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
