/**
 * Routes each message of the worker to its one receiver: by kind, and by game where it concerns a game.
 *
 * Pictures come 60 times a second. They go straight to the canvas that shows their game.
 */
import { DisplayListDecoder, type Picture } from '../draw/DisplayList';
import type { DrawMessage, FromWorker } from '../protocol/messages';

type PageKind = 'progress' | 'ready' | 'prepared' | 'watched' | 'error';

/** Handlers for messages about the worker itself, and about the one game of a spectator's worker. */
export type PageHandlers = {
  readonly [Kind in PageKind]?: (message: Extract<FromWorker, { kind: Kind }>) => void;
};

/** Every message about one game, except its pictures. */
export type GameMessage = Exclude<FromWorker, { kind: PageKind | 'draw' }>;

export interface GameReceiver {
  handleMessage(message: GameMessage): void;
}

export interface PictureReceiver {
  accept(picture: Picture): void;
}

export class WorkerDispatcher {
  readonly #handlers: PageHandlers;
  readonly #games = new Map<string, GameReceiver>();
  /** The game that was added last. */
  #current: GameReceiver | null = null;
  #shown: { game_id: string; canvas: PictureReceiver } | null = null;
  #decoder = new DisplayListDecoder();

  constructor(handlers: PageHandlers) {
    this.#handlers = handlers;
  }

  /** Route messages about a game to `receiver`, also after the next game was added. */
  addGame(game_id: string, receiver: GameReceiver): void {
    this.#games.set(game_id, receiver);
    this.#current = receiver;
  }

  /**
   * Route the pictures of a game to `canvas`. Pictures of games without a canvas are dropped.
   *
   * @returns A function that ends this.
   */
  showPictures(game_id: string, canvas: PictureReceiver): () => void {
    const shown = { game_id, canvas };
    this.#shown = shown;
    return () => {
      if (this.#shown === shown) this.#shown = null;
    };
  }

  dispatch(message: FromWorker): void {
    switch (message.kind) {
      case 'draw':
        this.#draw(message);
        return;
      case 'progress':
        this.#handlers.progress?.(message);
        return;
      case 'ready':
        this.#handlers.ready?.(message);
        return;
      case 'prepared':
        // Each prepared scene draws on a canvas of its own, whose table of strings begins empty.
        this.#decoder = new DisplayListDecoder();
        this.#handlers.prepared?.(message);
        return;
      case 'watched':
        this.#handlers.watched?.(message);
        return;
      case 'error':
        this.#handlers.error?.(message);
        return;
      case 'phase':
      case 'hud':
      case 'stats':
      case 'partner':
      case 'upload':
      case 'report':
      case 'closed':
        (this.#games.get(message.game_id) ?? this.#current)?.handleMessage(message);
        return;
      case 'channel_state':
      case 'hearing':
      case 'send':
        // Channels open while Python still loads, before the worker knows which game they belong to.
        this.#current?.handleMessage(message);
        return;
      default:
        message satisfies never;
    }
  }

  #draw(message: DrawMessage): void {
    // Decode pictures that are not shown too: later ones refer to the strings that these bring.
    const picture = this.#decoder.decode(message);
    if (this.#shown?.game_id === message.game_id) this.#shown.canvas.accept(picture);
  }
}
