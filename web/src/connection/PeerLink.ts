/**
 * One peer's RTCPeerConnection, from the first offer to the goodbye.
 *
 * What to do is decided in linkLife.ts; here it is done. Everything that awaits runs on one promise chain, so signals of
 * one peer are handled in order, and after each `await` it is checked that the connection is still the current one.
 */
import { CandidateBuffer } from './CandidateBuffer';
import { type LinkAction, type LinkEvent, type LinkLife, newLife, type Role, reduceLink } from './linkLife';
import type { SignalPayload, SignalType } from './signals';

const REMEMBERED_MESSAGES = 512;

/** Candidates come in bursts; one signal for a burst is as fast as one for each. */
const CANDIDATE_BATCH_MS = 15;

export interface PeerLinkHost {
  createConnection(): RTCPeerConnection;
  sendSignal(peer: number, type: SignalType, payload: SignalPayload): void;
  /** A new, still closed channel; it may be transferred before this call returns. */
  channelCreated(peer: number, channel: RTCDataChannel): void;
  lifeChanged(peer: number, life: LinkLife): void;
  /** A signal that breaks the rules, or a candidate that the browser refuses: counted, never fatal. */
  rejected(peer: number, reason: string): void;
  now_ms(): number;
}

export class PeerLink {
  readonly peer: number;
  readonly #host: PeerLinkHost;
  readonly #name: string;
  readonly #candidates = new CandidateBuffer();
  readonly #seen_messages = new Set<string>();
  #life: LinkLife;
  #epoch: number;
  #announced_epoch: number;
  #connection: RTCPeerConnection | null = null;
  #negotiation = 0;
  /** The negotiation whose remote description is set. */
  #described = -1;
  #seq = 0;
  /** Local candidates of this negotiation, not signaled yet. */
  #found: RTCIceCandidateInit[] = [];
  #chain: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** @param name Makes this side's message ids differ from everybody else's. */
  constructor(peer: number, role: Role, epoch: number, name: string, host: PeerLinkHost) {
    this.peer = peer;
    this.#life = newLife(role);
    this.#epoch = this.#announced_epoch = epoch;
    this.#name = name;
    this.#host = host;
  }

  get life(): LinkLife {
    return this.#life;
  }

  get connection(): RTCPeerConnection | null {
    return this.#connection;
  }

  /** Take an event of this link and perform what follows from it. */
  dispatch(event: LinkEvent): void {
    const before = this.#life;
    const { life, actions } = reduceLink(before, event, this.#host.now_ms());
    this.#life = life;
    for (const action of actions) this.#perform(action);
    this.#arm();
    if (life.state !== before.state) this.#host.lifeChanged(this.peer, life);
  }

  /** The server raised the epoch of this pair: signals of it may be adopted from now on. */
  announceEpoch(epoch: number): void {
    this.#announced_epoch = Math.max(this.#announced_epoch, epoch);
    if (this.#life.role === 'offer' && epoch > this.#epoch) this.#adoptEpoch(epoch);
  }

  /** The peer is a new page, in a new epoch: whichever side we are, nothing of the former connection is left. */
  beginAnew(epoch: number): void {
    if (epoch <= this.#epoch || this.#life.state === 'closed') return;
    this.#announced_epoch = Math.max(this.#announced_epoch, epoch);
    this.#adoptEpoch(epoch);
  }

  /** Take one signal from the peer. Duplicates and stale ones are harmless. */
  receiveSignal(type: SignalType, payload: SignalPayload): void {
    if (payload.epoch < this.#epoch) return;
    if (payload.epoch > this.#epoch) {
      if (payload.epoch > this.#announced_epoch) {
        this.#host.rejected(this.peer, 'an epoch that the server never announced');
        return;
      }
      this.#adoptEpoch(payload.epoch);
    }
    if (this.#seen_messages.has(payload.message_id)) return;
    this.#remember(payload.message_id);
    this.#enqueue(() => this.#handle(type, payload));
  }

  /** Everything that was asked for so far has been done; for tests. */
  settled(): Promise<void> {
    return this.#chain;
  }

  // Decisions performed

  #perform(action: LinkAction): void {
    switch (action.kind) {
      case 'build':
        this.#enqueue(async () => this.#build());
        return;
      case 'offer':
        this.#enqueue(() => this.#offer());
        return;
      case 'restart_ice':
        this.#enqueue(async () => {
          this.#connection?.restartIce();
          await this.#offer();
        });
        return;
      case 'resend_offer':
        this.#enqueue(async () => this.#resendDescription('offer'));
        return;
      case 'request_restart':
        this.#send('restart-request', { reason: 'no connection' });
        return;
      case 'request_rebuild':
        this.#send('rebuild-request', { reason: this.#life.state });
        return;
      case 'say_bye':
        this.#send('bye', {});
        return;
      case 'teardown':
        this.#teardown();
        return;
    }
  }

  #build(): void {
    this.#teardown();
    if (this.#life.state === 'closed') return;
    const connection = this.#host.createConnection();
    this.#connection = connection;
    this.#described = -1;
    connection.onicecandidate = ({ candidate }) => {
      if (this.#connection === connection) this.#sendCandidate(candidate);
    };
    connection.onconnectionstatechange = () => {
      if (this.#connection !== connection) return;
      this.dispatch({ kind: 'connection', state: connection.connectionState });
    };
    // Both sides make the channel, so none of them has to wait for the other's: no `ondatachannel` race.
    const channel = connection.createDataChannel('game', {
      ordered: false,
      maxRetransmits: 0,
      negotiated: true,
      id: 0,
    });
    channel.binaryType = 'arraybuffer';
    this.#host.channelCreated(this.peer, channel);
  }

  async #offer(): Promise<void> {
    const connection = this.#connection;
    if (connection === null) return;
    this.#negotiation += 1;
    this.#found = [];
    await connection.setLocalDescription();
    if (this.#connection !== connection) return;
    this.#resendDescription('offer');
  }

  /** Signal the local description as it is now; candidates gathered meanwhile ride in it. */
  #resendDescription(type: 'offer' | 'answer'): void {
    const description = this.#connection?.localDescription;
    if (description?.type === type) this.#send(type, { sdp: description.sdp });
  }

  #teardown(): void {
    const connection = this.#connection;
    this.#connection = null;
    if (connection === null) return;
    connection.onicecandidate = connection.onconnectionstatechange = null;
    connection.close();
  }

  // Signals received

  async #handle(type: SignalType, payload: SignalPayload): Promise<void> {
    if (payload.epoch !== this.#epoch || this.#life.state === 'closed') return;
    switch (type) {
      case 'offer':
        return this.#handleOffer(payload);
      case 'answer':
        return this.#handleAnswer(payload);
      case 'ice-candidate':
        return this.#handleCandidate(payload);
      case 'restart-request':
        return this.dispatch({ kind: 'restart_requested', stale: payload.negotiation < this.#negotiation });
      case 'rebuild-request':
        return this.dispatch({ kind: 'rebuild_requested', stale: payload.negotiation < this.#negotiation });
      case 'bye':
        return this.dispatch({ kind: 'bye' });
      default:
        this.#host.rejected(this.peer, 'a signal of an unknown type');
    }
  }

  async #handleOffer({ sdp, negotiation }: SignalPayload): Promise<void> {
    if (this.#life.role === 'offer' || sdp === undefined) {
      this.#host.rejected(this.peer, 'an offer from the side that answers');
      return;
    }
    if (negotiation < this.#negotiation) return;
    if (negotiation === this.#negotiation && this.#described === negotiation) {
      this.#resendDescription('answer');
      return;
    }
    if (this.#connection === null || this.#isAnotherConnection(sdp)) {
      this.#build();
      this.dispatch({ kind: 'rebuilt_by_peer' });
    }
    const connection = this.#connection;
    if (connection === null) return;
    this.#negotiation = negotiation;
    this.#found = [];
    await connection.setRemoteDescription({ type: 'offer', sdp });
    if (this.#connection !== connection) return;
    await this.#remoteDescribed(connection);
    if (this.#connection !== connection) return;
    await connection.setLocalDescription();
    if (this.#connection !== connection) return;
    this.#resendDescription('answer');
    this.dispatch({ kind: 'described', up: connection.connectionState === 'connected' });
  }

  async #handleAnswer({ sdp, negotiation }: SignalPayload): Promise<void> {
    const connection = this.#connection;
    if (this.#life.role === 'answer' || sdp === undefined) {
      this.#host.rejected(this.peer, 'an answer from the side that offers');
      return;
    }
    if (connection === null || negotiation !== this.#negotiation) return;
    if (connection.signalingState !== 'have-local-offer') return;
    await connection.setRemoteDescription({ type: 'answer', sdp });
    if (this.#connection !== connection) return;
    await this.#remoteDescribed(connection);
    if (this.#connection !== connection) return;
    this.dispatch({ kind: 'described', up: connection.connectionState === 'connected' });
  }

  async #handleCandidate({ candidate, negotiation, epoch }: SignalPayload): Promise<void> {
    if (candidate === undefined || negotiation < this.#negotiation) return;
    const connection = this.#connection;
    for (const each of Array.isArray(candidate) ? candidate : [candidate]) {
      if (connection !== null && this.#described === negotiation) {
        await this.#addCandidate(connection, each);
        if (this.#connection !== connection) return;
      } else if (!this.#candidates.add(epoch, negotiation, each, this.#host.now_ms())) {
        this.#host.rejected(this.peer, 'more early candidates than there is room for');
      }
    }
  }

  /** The remote description of the current negotiation is set: its candidates may be used. */
  async #remoteDescribed(connection: RTCPeerConnection): Promise<void> {
    this.#described = this.#negotiation;
    for (const candidate of this.#candidates.take(this.#epoch, this.#negotiation, this.#host.now_ms())) {
      await this.#addCandidate(connection, candidate);
      if (this.#connection !== connection) return;
    }
  }

  async #addCandidate(connection: RTCPeerConnection, candidate: RTCIceCandidateInit): Promise<void> {
    try {
      await connection.addIceCandidate(candidate);
    } catch (cause) {
      this.#host.rejected(this.peer, `a candidate that the browser refused: ${String(cause)}`);
    }
  }

  /** Each RTCPeerConnection has a certificate of its own: another fingerprint is another connection, not a restart. */
  #isAnotherConnection(sdp: string): boolean {
    const known = this.#connection?.remoteDescription;
    return known != null && fingerprint(known.sdp) !== fingerprint(sdp);
  }

  #adoptEpoch(epoch: number): void {
    this.#epoch = epoch;
    this.#negotiation = 0;
    this.#candidates.clear();
    this.#enqueue(async () => this.#teardown());
    this.#life = newLife(this.#life.role);
    this.dispatch({ kind: 'start' });
  }

  // Signals sent

  #sendCandidate(candidate: RTCIceCandidate | null): void {
    // Null ends the gathering; the empty string tells the peer so.
    this.#found.push(candidate?.toJSON() ?? { candidate: '', sdpMid: '0', sdpMLineIndex: 0 });
    if (this.#found.length > 1) return;
    const negotiation = this.#negotiation;
    setTimeout(() => {
      const found = this.#found.splice(0);
      if (found.length > 0 && negotiation === this.#negotiation)
        this.#send('ice-candidate', { candidate: found });
    }, CANDIDATE_BATCH_MS);
  }

  #send(type: SignalType, content: Pick<SignalPayload, 'sdp' | 'candidate' | 'reason'>): void {
    this.#seq += 1;
    this.#host.sendSignal(this.peer, type, {
      ...content,
      epoch: this.#epoch,
      negotiation: this.#negotiation,
      seq: this.#seq,
      message_id: `${this.#name}-${this.peer}-${this.#seq}`,
    });
  }

  // Order and time

  #enqueue(work: () => Promise<void>): void {
    this.#chain = this.#chain.then(work).catch((cause: unknown) => {
      this.#host.rejected(this.peer, `a step of the negotiation failed: ${String(cause)}`);
    });
  }

  #remember(message_id: string): void {
    this.#seen_messages.add(message_id);
    if (this.#seen_messages.size > REMEMBERED_MESSAGES) {
      const oldest = this.#seen_messages.values().next();
      if (!oldest.done) this.#seen_messages.delete(oldest.value);
    }
  }

  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const deadline_ms = this.#life.deadline_ms;
    if (deadline_ms === null) return;
    const wait_ms = Math.max(0, deadline_ms - this.#host.now_ms());
    this.#timer = setTimeout(() => this.dispatch({ kind: 'timer' }), wait_ms);
  }
}

function fingerprint(sdp: string): string {
  return /^a=fingerprint:\S+ (\S+)/m.exec(sdp)?.[1]?.toUpperCase() ?? '';
}
