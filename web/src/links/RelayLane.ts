/**
 * The way of datagrams through the server, for peers that cannot be reached directly.
 *
 * The server takes 120 datagrams a second from each player. Every datagram of the game stands alone and repeats what its
 * receiver may lack, so where several peers share the budget, each gets fewer of them, evenly.
 */

const DATAGRAMS_A_SECOND = 115;

/** A little unevenness in the sender's clock loses nothing. */
const SLACK_MS = 4;

export class RelayLane {
  readonly #send: (peer: number, data: ArrayBuffer) => void;
  /** Per peer that is relayed, when it may get the next one. */
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

  /** Send one datagram, or lose it. */
  send(peer: number, data: ArrayBuffer, now_ms: number): void {
    const free_ms = this.#free_ms.get(peer);
    if (free_ms === undefined || now_ms < free_ms - SLACK_MS) return;
    const gap_ms = (1000 * this.#free_ms.size) / DATAGRAMS_A_SECOND;
    this.#free_ms.set(peer, Math.max(free_ms, now_ms - SLACK_MS) + gap_ms);
    this.#send(peer, data);
  }
}

/** How the server's `datagram` event begins: who it is for, or who it is from. */
export function addressed(player_id: number, data: ArrayBuffer): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1 + data.byteLength);
  bytes[0] = player_id;
  bytes.set(new Uint8Array(data), 1);
  return bytes;
}

/** Whom a relayed datagram is from, and what it is; null for what is none. */
export function readAddressed(message: unknown): { player_id: number; data: ArrayBuffer } | null {
  if (!(message instanceof ArrayBuffer) || message.byteLength < 2) return null;
  return { player_id: new Uint8Array(message)[0] ?? 0, data: message.slice(1) };
}
