/**
 * The worker's ends of its data channels: one sender per peer, and one inbox for all of them.
 *
 * A channel that could not be transferred here is worked by the page; its bytes then pass through messages.
 */
import type { Arrival } from './boot';
import type { Shaper } from './shaper';

/** More than this waiting in the sender's buffer means that the link is slower than the game: newer inputs matter more. */
const MAX_BUFFERED_BYTES = 4096;

/** Datagrams kept while nobody takes them, as when Python still starts; the newest are the useful ones. */
const MAX_WAITING = 512;

export interface LinksHost {
  /** The page works this peer's channel: pass the bytes to it. */
  sendThroughPage(peer: number, data: ArrayBuffer): void;
  channelState(peer: number, open: boolean): void;
  /** Something arrived. */
  arrived(): void;
}

export class Links {
  readonly #host: LinksHost;
  readonly #shaper: Shaper;
  readonly #channels = new Map<number, RTCDataChannel>();
  readonly #through_page = new Set<number>();
  #inbox: Arrival[] = [];

  constructor(host: LinksHost, shaper: Shaper) {
    this.#host = host;
    this.#shaper = shaper;
  }

  /** Work a transferred channel; one that this peer had before is forgotten. */
  addChannel(peer: number, channel: RTCDataChannel): void {
    this.#forget(peer);
    this.#channels.set(peer, channel);
    channel.binaryType = 'arraybuffer';
    channel.onopen = () => this.#host.channelState(peer, true);
    channel.onclose = () => {
      if (this.#channels.get(peer) !== channel) return;
      this.#channels.delete(peer);
      this.#host.channelState(peer, false);
    };
    channel.onmessage = (event: MessageEvent) => this.receive(peer, event.data);
    if (channel.readyState === 'open') this.#host.channelState(peer, true);
  }

  /** The page keeps the channel of this peer, and it is open. */
  openThroughPage(peer: number): void {
    this.#forget(peer);
    this.#through_page.add(peer);
    this.#host.channelState(peer, true);
  }

  close(peer: number): void {
    const was_open = this.#channels.has(peer) || this.#through_page.has(peer);
    this.#forget(peer);
    if (was_open) this.#host.channelState(peer, false);
  }

  closeAll(): void {
    for (const peer of [...this.#channels.keys(), ...this.#through_page]) this.#forget(peer);
    this.#inbox = [];
  }

  receive(peer: number, data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return;
    if (this.#inbox.length >= MAX_WAITING) this.#inbox.shift();
    this.#inbox.push([peer, new Uint8Array(data), performance.now() / 1000]);
    this.#host.arrived();
  }

  /** Take everything that arrived since the last call. */
  takeInbox(): Arrival[] {
    const inbox = this.#inbox;
    this.#inbox = [];
    return inbox;
  }

  /** Send one datagram, or lose it: nothing is queued for a link that is closed or full. */
  send(peer: number, data: Uint8Array<ArrayBuffer>): void {
    this.#shaper.pass(() => {
      if (this.#through_page.has(peer)) {
        this.#host.sendThroughPage(
          peer,
          data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength),
        );
        return;
      }
      const channel = this.#channels.get(peer);
      if (channel?.readyState !== 'open' || channel.bufferedAmount > MAX_BUFFERED_BYTES) return;
      try {
        channel.send(data);
      } catch {
        // It closed between the check and the call; the datagram is lost like any other.
      }
    });
  }

  #forget(peer: number): void {
    this.#through_page.delete(peer);
    const channel = this.#channels.get(peer);
    if (channel === undefined) return;
    this.#channels.delete(peer);
    channel.onopen = channel.onclose = channel.onmessage = null;
    channel.close();
  }
}
