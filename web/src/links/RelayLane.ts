/**
 * Sends datagrams through the server to peers that cannot be reached directly, within the server's rate limit.
 *
 * The server accepts 120 datagrams per second from each player. Every datagram stands alone and repeats what its receiver
 * may lack, so peers that share the budget simply get fewer of them, evenly.
 */

const DATAGRAMS_PER_SECOND = 115;

/** Jitter of the sender's clock that costs no datagram. */
const SLACK_MS = 4;

export class RelayLane {
  readonly #send: (peer: number, data: ArrayBuffer) => void;
  /** For each relayed peer, when it may get the next datagram. */
  readonly #free_ms = new Map<number, number>();

  constructor(send: (peer: number, data: ArrayBuffer) => void) {
    this.#send = send;
  }

  set(peer: number, on: boolean): void {
    if (!on) this.#free_ms.delete(peer);
    else if (!this.#free_ms.has(peer)) this.#free_ms.set(peer, 0);
  }

  has(peer: number): boolean {
    return this.#free_ms.has(peer);
  }

  /** Send a datagram, or drop it if the peer is not relayed or the budget is spent. */
  send(peer: number, data: ArrayBuffer, now_ms: number): void {
    const free_ms = this.#free_ms.get(peer);
    if (free_ms === undefined || now_ms < free_ms - SLACK_MS) return;
    const gap_ms = (1000 * this.#free_ms.size) / DATAGRAMS_PER_SECOND;
    this.#free_ms.set(peer, Math.max(free_ms, now_ms - SLACK_MS) + gap_ms);
    this.#send(peer, data);
  }
}

/** Return the message of the server's `datagram` event: the other player's id as one byte, then the datagram. */
export function encodeRelayed(player_id: number, data: ArrayBuffer): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1 + data.byteLength);
  bytes[0] = player_id;
  bytes.set(new Uint8Array(data), 1);
  return bytes;
}

/** Split a message of the server's `datagram` event into sender and datagram; null if it is malformed. */
export function decodeRelayed(message: unknown): { player_id: number; data: ArrayBuffer } | null {
  if (!(message instanceof ArrayBuffer) || message.byteLength < 2) return null;
  return { player_id: new Uint8Array(message)[0] ?? 0, data: message.slice(1) };
}
