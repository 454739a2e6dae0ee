/**
 * The page's Socket.IO connection to the study's server: scenes and games come in, progress and signals go out.
 *
 * WebSocket only. It reconnects by itself, and the server then repeats the participant's current scene and game.
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

/** A server that can be reached answers within this time. If it is slower, all that is lost is a socket. */
const PROBE_TIMEOUT_MS = 500;

export class StudySocket {
  readonly #socket: Socket<Listeners, Emitters>;
  #closed = false;
  #probing = false;
  /** Offset of the last event received: after a reconnection the server sends the events that followed it. */
  #offset: string | null = null;
  #token: string;

  constructor(token: string, handlers: StudySocketHandlers) {
    const { connectionChanged, ...events } = handlers;
    this.#token = token;
    const socket: Socket<Listeners, Emitters> = io({
      transports: ['websocket'],
      auth: (authenticate) => {
        const token = this.#token;
        authenticate(this.#offset === null ? { token } : { token, offset: this.#offset });
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
      // After a disconnect by the server, socket.io does not reconnect by itself.
      if (reason === 'io server disconnect' && !this.#closed) setTimeout(() => socket.connect(), 1000);
    });
    socket.on('connect_error', (cause) => {
      connectionChanged?.(false);
      const failure = (cause as { data?: Failure }).data;
      // A rejection with a reason is final; anything else is a network problem, and transient.
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

  /** The participant leaves the lobby or the game. Retried until acknowledged. */
  leave(): void {
    void this.#retryUntilAnswered(() => this.#socket.timeout(ACK_TIMEOUT_MS).emitWithAck('leave', {}));
  }

  /** Report that the server has everything of a game. Retried until acknowledged: the study does not go on before. */
  gameOver(game_id: string): void {
    void this.#retryUntilAnswered(() =>
      this.#socket.timeout(ACK_TIMEOUT_MS).emitWithAck('game_over', { game_id }),
    );
  }

  prepared(index: number): void {
    this.#socket.emit('prepared', { index });
  }

  /** Send a signal, or drop it while disconnected: the link resends it until the peer acknowledges it. */
  sendSignal(signal: OutgoingSignal): void {
    if (this.#socket.connected) this.#socket.emit('webrtc_signal', signal, () => undefined);
  }

  /** Fetch ICE servers with fresh credentials for the game; null if the server does not answer. */
  async iceServers(): Promise<RTCIceServer[] | null> {
    try {
      const answer = await this.#socket.timeout(ACK_TIMEOUT_MS).emitWithAck('ice_servers', {});
      return answer.ice_servers ?? null;
    } catch {
      return null;
    }
  }

  /** Send a datagram to a player through the server, or drop it while disconnected. */
  sendDatagram(message: Uint8Array): void {
    this.#socket.volatile.emit('datagram', message);
  }

  /**
   * Check that the server answers, and reconnect if it does not.
   *
   * Called when something else fell silent: a socket whose network address is gone reports nothing, and its own
   * heartbeat notices only after ten seconds.
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

  /** Reconnect, because the machine is in another network: the old connection is dead even if it has not noticed. */
  renew(): void {
    if (this.#socket.connected) this.#socket.io.engine.close();
  }

  close(): void {
    this.#closed = true;
    this.#socket.disconnect();
  }

  async #retryUntilAnswered(emit: () => Promise<Acknowledgement>): Promise<void> {
    while (!this.#closed) {
      try {
        await emit();
        return;
      } catch {
        // No answer in time: the server restarts, or the network is down for a while.
      }
    }
  }
}
