/**
 * The worker's end of the links: sends and receives datagrams, and notices silent channels.
 *
 * Datagrams travel over the data channel, and through the server as well while the page asks for that because the
 * channel is not reliable. If a channel could not be transferred to the worker, the page keeps it and passes the bytes
 * in messages.
 */
import type { Arrival } from './bootPython';
import { SilenceDetector } from './SilenceDetector';
import type { TrafficShaper } from './TrafficShaper';

/**
 * With more than this in its buffer, a channel is slower than the game: drop datagrams, as newer inputs matter more.
 */
const MAX_BUFFERED_BYTES = 4096;

/** Datagrams kept while nobody takes them, as when Python is still starting. The oldest are dropped. */
const MAX_INBOX = 512;

export interface TransportHost {
  /** Pass a datagram to the page, which keeps this peer's channel. */
  sendThroughPage(peer: number, data: ArrayBuffer): void;
  /** Have the page send a datagram through the server. */
  sendThroughServer(peer: number, data: ArrayBuffer): void;
  /** The channel of this peer's connection number `connection` opened or closed. */
  channelState(peer: number, connection: number, open: boolean): void;
  /** Datagrams arrive over the channel again, or have not for a while. */
  hearing(peer: number, connection: number, direct: boolean): void;
  /** A datagram is in the inbox. */
  arrived(): void;
  now_ms(): number;
}

interface PeerChannel {
  connection: number;
  /** Null if the page keeps it. */
  channel: RTCDataChannel | null;
  silence: SilenceDetector;
  /** Most bytes that waited in it since the last query. */
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

  /** Set how many datagrams per second peers send each other. */
  setPace(fps: number): void {
    this.#fps = fps;
    for (const peer of this.#channels.values()) peer.silence = new SilenceDetector(fps);
  }

  /** Use a transferred channel; it replaces the channel that the peer had before. */
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

  /** The channel of this peer, which the page keeps, opened. */
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

  /** The channel of this peer, which the page keeps, closed. */
  closeThroughPage(peer: number, connection: number): void {
    if (this.#channels.get(peer)?.connection !== connection) return;
    this.#forget(peer);
    this.#host.channelState(peer, connection, false);
  }

  /** Start or stop sending a peer's datagrams through the server as well. */
  setRelay(peer: number, on: boolean): void {
    if (on) this.#relayed.add(peer);
    else this.#relayed.delete(peer);
  }

  closeAll(): void {
    for (const peer of [...this.#channels.keys()]) this.#forget(peer);
    this.#relayed.clear();
    this.#inbox = [];
  }

  /** Take a datagram that arrived over the peer's channel (`direct`) or through the server. */
  receive(peer: number, data: unknown, direct = true): void {
    if (!(data instanceof ArrayBuffer)) return;
    const known = this.#channels.get(peer);
    if (known?.silence.received(direct)) {
      this.#host.hearing(peer, known.connection, true);
    }
    if (this.#inbox.length >= MAX_INBOX) this.#inbox.shift();
    this.#inbox.push([peer, new Uint8Array(data), this.#host.now_ms() / 1000]);
    this.#host.arrived();
  }

  /** Return the most bytes that waited in this peer's channel since the last call; undefined without a channel. */
  takeBuffered(peer: number): number | undefined {
    const known = this.#channels.get(peer);
    if (known === undefined) return undefined;
    const { buffered } = known;
    known.buffered = 0;
    return buffered;
  }

  /** Note how many bytes waited in the channel that the page keeps. */
  noteBuffered(peer: number, buffered: number): void {
    const known = this.#channels.get(peer);
    if (known !== undefined && buffered > known.buffered) known.buffered = buffered;
  }

  /** Return the datagrams that arrived since the last call. */
  takeInbox(): Arrival[] {
    const inbox = this.#inbox;
    this.#inbox = [];
    return inbox;
  }

  /** Send a datagram, or drop it: nothing is queued for a channel that is closed or full. */
  send(peer: number, data: Uint8Array<ArrayBuffer>): void {
    const known = this.#channels.get(peer);
    if (known?.silence.sent(this.#host.now_ms())) this.#host.hearing(peer, known.connection, false);
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
