/**
 * Signals: the SDP and ICE messages of two peers, as the server relays them.
 *
 * A client sends `{type, game_id, target_player_id, payload}` and receives `{type, from_player_id, game_id, payload}`;
 * the server stamps `from_player_id`.
 */

export type SignalType = 'offer' | 'answer' | 'ice-candidate' | 'restart-request' | 'rebuild-request' | 'bye';

/** What every payload carries beside its SDP or candidate. */
export interface SignalStamp {
  /** Of this pair of players; issued by the server. */
  epoch: number;
  /** Raised by the offering side with each new offer; the answer and the candidates that belong to it repeat it. */
  negotiation: number;
  /** Counts one side's signals to one peer. */
  seq: number;
  message_id: string;
}

export interface SignalPayload extends SignalStamp {
  sdp?: string;
  /** Candidates that were found within a few milliseconds travel together; null when only `acks` do. */
  candidate?: RTCIceCandidateInit | RTCIceCandidateInit[] | null;
  /** The `message_id`s that came here. */
  acks?: string[];
  /** Why, in a word; for people who read logs. */
  reason?: string;
}

export interface OutgoingSignal {
  type: SignalType;
  game_id: string;
  target_player_id: number;
  payload: SignalPayload;
}

export interface IncomingSignal {
  type: SignalType;
  from_player_id: number;
  game_id: string;
  payload: SignalPayload;
}

/** Whether a payload has the stamp that everything else relies on. Peers are not trusted to send well-formed ones. */
export function isStamped(payload: unknown): payload is SignalPayload {
  if (typeof payload !== 'object' || payload === null) return false;
  const { epoch, negotiation, message_id } = payload as Record<string, unknown>;
  return Number.isInteger(epoch) && Number.isInteger(negotiation) && typeof message_id === 'string';
}
