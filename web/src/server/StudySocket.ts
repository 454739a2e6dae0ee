/**
 * The one socket to the study's server: scenes and games come in, progress and signals go out.
 *
 * WebSocket only; it reconnects by itself, and the server then repeats where this participant stands.
 */
import { io, type Socket } from 'socket.io-client';
import type {
  Acknowledgement,
  Failure,
  OutgoingSignal,
  PageEvents,
  ServerEvents,
} from '../protocol/messages';

type Acknowledge = (answer: Acknowledgement) => void;

/** What socket.io-client calls for each event of the server. */
type Listeners = { [Event in keyof ServerEvents]: (data: ServerEvents[Event]) => void } & {
  /** A datagram of the game that came through the server: u8 sender, then its bytes. */
  datagram(message: unknown): void;
};

/** What socket.io-client takes for each event of the page. */
type Emitters = {
  [Event in Exclude<keyof PageEvents, 'prepared'>]: (data: PageEvents[Event], ack: Acknowledge) => void;
} & {
  /** Informational: its acknowledgement is not asked for. */
  prepared(data: PageEvents['prepared']): void;
  /** u8 target, then the bytes; never acknowledged. */
  datagram(message: Uint8Array): void;
};

export interface StudySocketHandlers extends Partial<Omit<Listeners, 'resume'>> {
  connectionChanged?(connected: boolean): void;
}

const ACK_TIMEOUT_MS = 3000;

/** A server that is reached answers within this time; one that is slower costs a new socket, and no more. */
const PROBE_TIMEOUT_MS = 500;

export class StudySocket {
  readonly #socket: Socket<Listeners, Emitters>;
  #closed = false;
  #probing = false;
  /** The number of the last event that came: after a reconnection the server repeats what followed it. */
  #offset: string | null = null;
  #token: string;

  constructor(token: string, handlers: StudySocketHandlers) {
    const { connectionChanged, ...events } = handlers;
    this.#token = token;
    const socket: Socket<Listeners, Emitters> = io({
      transports: ['websocket'],
      auth: (tell) => {
        const token = this.#token;
        tell(this.#offset === null ? { token } : { token, offset: this.#offset });
      },
      reconnectionDelay: 300,
      reconnectionDelayMax: 5000,
    });
    this.#socket = socket;
    socket.onAny((_event, ...data) => {
      const last: unknown = data.at(-1);
      if (typeof last === 'string') this.#offset = last;
    });
    socket.on('resume', ({ token }) => {
      this.#token = token;
      socket.emit('resume_kept', { token }, () => undefined);
    });
    for (const [name, handle] of Object.entries(events)) socket.on(name as keyof Listeners, handle);
    socket.on('connect', () => connectionChanged?.(true));
    socket.on('disconnect', (reason) => {
      connectionChanged?.(false);
      // The server closed it on purpose: socket.io would not come back on its own.
      if (reason === 'io server disconnect' && !this.#closed) setTimeout(() => socket.connect(), 1000);
    });
    socket.on('connect_error', (cause) => {
      connectionChanged?.(false);
      const failure = (cause as { data?: Failure }).data;
      // A refusal with a reason is final; anything else is a network that may come back.
      if (failure?.error) handlers.failed?.(failure);
    });
  }

  /** The participant is done with this scene. @returns Whether the server agreed. */
  async continueFrom(index: number): Promise<boolean> {
    try {
      const answer = await this.#socket.timeout(ACK_TIMEOUT_MS).emitWithAck('continue', { index });
      return answer.ok;
    } catch {
      return false;
    }
  }

  leave(): void {
    void this.#untilAnswered(() => this.#socket.timeout(ACK_TIMEOUT_MS).emitWithAck('leave', {}));
  }

  /** Everything of the game is with the server; said until it was heard, as nothing goes on before. */
  gameOver(game_id: string): void {
    void this.#untilAnswered(() =>
      this.#socket.timeout(ACK_TIMEOUT_MS).emitWithAck('game_over', { game_id }),
    );
  }

  prepared(index: number): void {
    this.#socket.emit('prepared', { index });
  }

  /** Send one signal, or lose it: the link sends it again until its peer has acknowledged it. */
  sendSignal(signal: OutgoingSignal): void {
    if (this.#socket.connected) this.#socket.emit('webrtc_signal', signal, () => undefined);
  }

  /** Fresh credentials for the game's relays; null when they cannot be had now. */
  async iceServers(): Promise<RTCIceServer[] | null> {
    try {
      const answer = await this.#socket.timeout(ACK_TIMEOUT_MS).emitWithAck('ice_servers', {});
      return answer.ice_servers ?? null;
    } catch {
      return null;
    }
  }

  /** Send one datagram to a player through the server, or lose it. */
  sendDatagram(message: Uint8Array): void {
    this.#socket.volatile.emit('datagram', message);
  }

  /**
   * Something else fell silent: see that the server is still reached, and take a new socket if not. One that lost its network
   * address says nothing of it; by its own heartbeat that would be noticed after ten seconds.
   */
  async probe(): Promise<void> {
    if (!this.#socket.connected || this.#probing) return;
    const { engine } = this.#socket.io;
    this.#probing = true;
    try {
      await this.#socket.timeout(PROBE_TIMEOUT_MS).emitWithAck('ice_servers', {});
    } catch {
      if (this.#socket.io.engine === engine) engine.close();
    } finally {
      this.#probing = false;
    }
  }

  /** The machine is in another network now: whatever there was leads nowhere, though it may not say so. */
  renew(): void {
    if (this.#socket.connected) this.#socket.io.engine.close();
  }

  close(): void {
    this.#closed = true;
    this.#socket.disconnect();
  }

  async #untilAnswered(emit: () => Promise<Acknowledgement>): Promise<void> {
    while (!this.#closed) {
      try {
        await emit();
        return;
      } catch {
        // No answer in time: the server restarts, or the network is gone for a while.
      }
    }
  }
}
