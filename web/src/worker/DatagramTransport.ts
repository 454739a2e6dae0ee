/**
 * The worker's ends of its links: one sender per peer, one inbox for all of them, and an ear for links that fell silent.
 *
 * A link has two lanes: the data channel, and the way through the server, which the page asks for where the channel cannot
 * be relied on. A channel that could not be transferred here is worked by the page; its bytes then pass through messages.
 */
import type { Arrival } from './bootPython';
import { SilenceDetector } from './SilenceDetector';
import type { TrafficShaper } from './TrafficShaper';

/** More than this waiting in the sender's buffer means that the link is slower than the game: newer inputs matter more. */
const MAX_BUFFERED_BYTES = 4096;

/** Datagrams kept while nobody takes them, as when Python still starts; the newest are the useful ones. */
const MAX_WAITING = 512;

export interface TransportHost {
  /** The page works this peer's channel: pass the bytes to it. */
  sendThroughPage(peer: number, data: ArrayBuffer): void;
  /** Have the page bring the bytes to the peer through the server. */
  sendThroughServer(peer: number, data: ArrayBuffer): void;
  /** Connection number `connection` of this peer opened or closed its channel. */
  channelState(peer: number, connection: number, open: boolean): void;
  /** Datagrams come over the channel again, or have not for a while. */
  hearing(peer: number, connection: number, direct: boolean): void;
  /** Something arrived. */
  arrived(): void;
  now_ms(): number;
}

interface PeerChannel {
  connection: number;
  /** Null where the page works it. */
  channel: RTCDataChannel | null;
  silence: SilenceDetector;
  /** Most bytes that waited in it since that was asked last. */
  buffered: number;
}

export class DatagramTransport {
  readonly #host: TransportHost;
  readonly #shaper: TrafficShaper;
  readonly #channels = new Map<number, PeerChannel>();
  readonly #relayed = new Set<number>();
  #fps = 60;
  #inbox: Arrival[] = [];

  constructor(host: TransportHost, shaper: TrafficShaper) {
    this.#host = host;
    this.#shaper = shaper;
  }

  /** How many datagrams a second peers send each other, from now on. */
  setPace(fps: number): void {
    this.#fps = fps;
    for (const peer of this.#channels.values()) peer.silence = new SilenceDetector(fps);
  }

  /** Work a transferred channel; one that this peer had before is forgotten. */
  addChannel(peer: number, connection: number, channel: RTCDataChannel): void {
    this.#forget(peer);
    this.#channels.set(peer, { connection, channel, silence: new SilenceDetector(this.#fps), buffered: 0 });
    channel.binaryType = 'arraybuffer';
    channel.onopen = () => this.#host.channelState(peer, connection, true);
    channel.onclose = () => {
      if (this.#channels.get(peer)?.channel !== channel) return;
      this.#channels.delete(peer);
      this.#host.channelState(peer, connection, false);
    };
    channel.onmessage = (event: MessageEvent) => this.receive(peer, event.data);
    if (channel.readyState === 'open') this.#host.channelState(peer, connection, true);
  }

  /** The page keeps the channel of this peer, and it is open. */
  openThroughPage(peer: number, connection: number): void {
    this.#forget(peer);
    this.#channels.set(peer, {
      connection,
      channel: null,
      silence: new SilenceDetector(this.#fps),
      buffered: 0,
    });
    this.#host.channelState(peer, connection, true);
  }

  /** The channel that the page keeps closed. */
  closeThroughPage(peer: number, connection: number): void {
    if (this.#channels.get(peer)?.connection !== connection) return;
    this.#forget(peer);
    this.#host.channelState(peer, connection, false);
  }

  /** Use the way through the server as well, or not any more. */
  setRelay(peer: number, on: boolean): void {
    if (on) this.#relayed.add(peer);
    else this.#relayed.delete(peer);
  }

  closeAll(): void {
    for (const peer of [...this.#channels.keys()]) this.#forget(peer);
    this.#relayed.clear();
    this.#inbox = [];
  }

  /** Take a datagram that came over the peer's channel, or through the server. */
  receive(peer: number, data: unknown, direct = true): void {
    if (!(data instanceof ArrayBuffer)) return;
    const known = this.#channels.get(peer);
    if (known?.silence.heard(direct)) {
      this.#host.hearing(peer, known.connection, true);
    }
    if (this.#inbox.length >= MAX_WAITING) this.#inbox.shift();
    this.#inbox.push([peer, new Uint8Array(data), this.#host.now_ms() / 1000]);
    this.#host.arrived();
  }

  /** Most bytes that waited in this peer's channel since the last call; undefined while there is none. */
  takeBuffered(peer: number): number | undefined {
    const known = this.#channels.get(peer);
    if (known === undefined) return undefined;
    const { buffered } = known;
    known.buffered = 0;
    return buffered;
  }

  /** So many bytes waited in the channel that the page keeps. */
  noteBuffered(peer: number, buffered: number): void {
    const known = this.#channels.get(peer);
    if (known !== undefined && buffered > known.buffered) known.buffered = buffered;
  }

  /** Take everything that arrived since the last call. */
  takeInbox(): Arrival[] {
    const inbox = this.#inbox;
    this.#inbox = [];
    return inbox;
  }

  /** Send one datagram, or lose it: nothing is queued for a link that is closed or full. */
  send(peer: number, data: Uint8Array<ArrayBuffer>): void {
    const known = this.#channels.get(peer);
    if (known?.silence.spoke(this.#host.now_ms())) this.#host.hearing(peer, known.connection, false);
    if (this.#relayed.has(peer)) this.#host.sendThroughServer(peer, copy(data));
    if (known !== undefined) this.#shaper.pass(() => this.#sendDirectly(peer, data));
  }

  #sendDirectly(peer: number, data: Uint8Array<ArrayBuffer>): void {
    const known = this.#channels.get(peer);
    if (known === undefined) return;
    const { channel } = known;
    if (channel === null) {
      this.#host.sendThroughPage(peer, copy(data));
      return;
    }
    if (channel.readyState !== 'open') return;
    const waiting = channel.bufferedAmount;
    if (waiting > known.buffered) known.buffered = waiting;
    if (waiting > MAX_BUFFERED_BYTES) return;
    try {
      channel.send(data);
    } catch {
      // It closed between the check and the call; the datagram is lost like any other.
    }
  }

  #forget(peer: number): void {
    const channel = this.#channels.get(peer)?.channel;
    this.#channels.delete(peer);
    if (!channel) return;
    channel.onopen = channel.onclose = channel.onmessage = null;
    channel.close();
  }
}

function copy(data: Uint8Array<ArrayBuffer>): ArrayBuffer {
  return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
}
