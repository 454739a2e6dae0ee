/**
 * Everything that passes between the page and the worker in which the game runs.
 *
 * Game datagrams are opaque bytes here: their layout is known to the Python on both ends and to nobody else.
 */

/** Where the pinned Python distribution is served, and which wheels go on top of it, in load order. */
export interface Runtime {
  base: string;
  lock_hash: string;
  packages: string[];
}

/** The study's own code, as one zip. */
export interface Bundle {
  url: string;
  hash: string;
  module: string;
}

/** One game as the server describes it to one of its players. */
export interface GameConfig {
  game_id: string;
  scene_index: number;
  player_id: number;
  /** Per player, the peer that supplies its inputs. */
  owners: number[];
  /** The player ids of all persons, ours included. */
  peers: number[];
  seed: number;
  fps: number;
  input_delay: 'auto' | number;
  max_prediction: number;
  episodes: number;
  max_frames: number | null;
  countdown_frames: number;
  digest: Record<string, string>;
  ice_servers: RTCIceServer[];
  epoch: number;
  /** Per other player, the signaling epoch of our pair; where it is missing, `epoch`. */
  epochs?: Record<string, number>;
  /** Per player, how many pages came before the one that has the seat now. */
  incarnations?: Record<string, number>;
  /** Whether this page is not the first of its seat: the game has begun without it. */
  rejoining?: boolean;
  /** What becomes of the seat of someone who leaves. */
  when_left?: 'end' | 'default' | 'bot';
  /** Who is gone for good. */
  left?: number[];
  token: string;
  ice_policy?: RTCIceTransportPolicy;
}

export type GamePhase = 'loading' | 'waiting' | 'connecting' | 'playing' | 'paused' | 'ended';

/** How datagrams travel between two peers. */
export type LinkType = 'direct' | 'turn' | 'relay';

/** What the browser itself counts on the path to one peer, below the game's datagrams. */
export interface PathFigures {
  /** By ICE's own checks; null until the first one was answered. */
  rtt_ms: number | null;
  bytes_sent: number;
  bytes_received: number;
}

/** A game as one who looks on needs to know it. */
export interface WatchConfig {
  game_id: string;
  scene_index: number;
  seed: number;
  fps: number;
  episodes: number;
  max_frames: number | null;
  countdown_frames: number;
  peers: number[];
  input_sizes: number[];
}

export type ToWorker =
  | { kind: 'boot'; runtime: Runtime; bundle: Bundle }
  | { kind: 'prepare'; scene_index: number }
  | { kind: 'start'; config: GameConfig }
  /** The channel of this peer's connection number `connection`; here, or at the page where it cannot be transferred. */
  | { kind: 'channel'; peer: number; connection: number; channel: RTCDataChannel }
  | { kind: 'channel_open'; peer: number; connection: number }
  | { kind: 'channel_closed'; peer: number; connection: number }
  /** A datagram that came to the page: over a channel it keeps, or (not direct) through the server. */
  | { kind: 'datagram'; peer: number; data: ArrayBuffer; direct: boolean }
  /** Send this peer's datagrams through the server as well, or not any more. */
  | { kind: 'relay'; peer: number; on: boolean }
  | { kind: 'keys'; pressed: string[] }
  | { kind: 'conditions'; latency_ms: number; loss: number }
  | { kind: 'visibility'; hidden: boolean }
  | { kind: 'peer_left'; peer: number }
  /** A new page has taken the seat of `peer`; it knows nothing of the game. */
  | { kind: 'peer_returned'; peer: number; incarnation: number }
  /** Look on at a game of others; then its confirmed frames, from `first` on. */
  | { kind: 'watch'; config: WatchConfig }
  | { kind: 'frames'; first: number; data: ArrayBuffer }
  /** Empty while there is no way to the peer. */
  | { kind: 'link'; peer: number; link: LinkType | '' }
  /** What the browser counts now; and of a channel that the page keeps, the most bytes that waited in it. */
  | { kind: 'path'; peer: number; path: PathFigures; buffered_amount: number | null }
  | { kind: 'uploaded'; number: number; ok: boolean }
  | { kind: 'stop' };

/** One drawn frame; the layout of `ops` is told in draw/DisplayList.ts. */
export interface DrawMessage {
  kind: 'draw';
  ops: Float32Array;
  /** Strings that continue the table that the earlier frames of this worker began. */
  strings: string[];
  /** RGB, three bytes a pixel, row by row, for the image operation. */
  pixels?: Uint8ClampedArray;
  /** Of `pixels`; it says nothing about how large the image is drawn. */
  pixels_shape?: [rows: number, columns: number];
  width: number;
  height: number;
  /** Whether a rollback changed what was shown before. */
  corrected: boolean;
  frame: number;
  now: number;
}

export interface Hud {
  phase: 'countdown' | 'playing' | 'between' | 'over';
  scores: number[];
  episode: number;
  countdown: number;
}

/** Figures of a running game; the stable names of the automation contract, and whatever else Python measures. */
export interface GameStats {
  game_id: string;
  player_id: number;
  frame: number;
  confirmed_frame: number;
  rollbacks: number;
  max_rollback_frames: number;
  resimulated_frames: number;
  stalled_frames: number;
  /** Null until measured. */
  rtt_ms: Record<string, number | null>;
  link?: Record<string, LinkType>;
  /** What the browser says of each link: its own round trip, and all bytes of the path. */
  paths?: Record<string, PathFigures>;
  /** Most bytes that waited in each data channel, in the last second of the record; null without a channel. */
  buffered_amount?: Record<string, number | null>;
  packets_sent: number;
  bytes_sent: number;
  state_checksum: { frame: number; checksum: string } | null;
  [figure: string]: unknown;
}

/** What this peer holds the game's outcome to be; the server compares all peers'. */
export interface GameReport {
  player_id: number;
  verdict: string;
  last_frame: number;
  chain_hash: string;
  reason: string;
  [more: string]: unknown;
}

export type FromWorker =
  | { kind: 'progress'; stage: string; fraction: number }
  | { kind: 'ready' }
  | { kind: 'prepared'; scene_index: number; step_cost_ms: number }
  | { kind: 'phase'; phase: GamePhase }
  | DrawMessage
  | ({ kind: 'hud' } & Hud)
  | ({ kind: 'stats' } & GameStats)
  | ({ kind: 'watched'; frame: number; received: number } & Omit<Hud, 'countdown'>)
  | { kind: 'partner'; peer: number; present: boolean }
  | { kind: 'upload'; game_id: string; number: number; body: ArrayBuffer }
  | ({ kind: 'report'; game_id: string } & GameReport)
  | { kind: 'closed'; game_id: string }
  | { kind: 'channel_state'; peer: number; connection: number; open: boolean }
  /** Datagrams come over this peer's channel again, or have not for a while. */
  | { kind: 'hearing'; peer: number; connection: number; direct: boolean }
  /** For the channel that the page keeps, or for the way through the server. */
  | { kind: 'send'; peer: number; data: ArrayBuffer; direct: boolean }
  | { kind: 'error'; error: string; hint: string; detail: string };
