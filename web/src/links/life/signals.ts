/**
 * Checks of signals: the SDP and ICE messages of two peers, as the server relays them.
 *
 * A client sends `{type, game_id, target_player_id, payload}` and receives `{type, from_player_id, game_id, payload}`;
 * the server sets `from_player_id`.
 */
import type { SignalPayload } from '../../protocol/messages';

/**
 * Return true if a payload has the fields on which all handling relies.
 *
 * Peers are not trusted to send well-formed signals.
 */
export function isStamped(payload: unknown): payload is SignalPayload {
  if (typeof payload !== 'object' || payload === null) return false;
  const { epoch, negotiation, message_id } = payload as Record<string, unknown>;
  return Number.isInteger(epoch) && Number.isInteger(negotiation) && typeof message_id === 'string';
}
