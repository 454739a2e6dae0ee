/** Reads `RTCPeerConnection.getStats()`: how a peer is reached, and figures of that path. */
import type { PathFigures } from '../protocol/messages';

export interface LinkFigures extends PathFigures {
  /** Whether the path goes through a TURN server. */
  link: 'direct' | 'turn';
}

interface StatsRow {
  id: string;
  type: string;
  [field: string]: unknown;
}

/**
 * Return the figures of the selected candidate pair; null while there is none.
 *
 * Bytes are counted over the whole connection: with ICE each side chooses the pair that it sends on, so the other side's
 * datagrams may arrive on a pair that is not selected here.
 */
export function readLinkFigures(report: {
  forEach(visit: (row: StatsRow) => void): void;
}): LinkFigures | null {
  const rows = new Map<string, StatsRow>();
  report.forEach((row) => {
    rows.set(row.id, row);
  });
  const transport = [...rows.values()].find(
    (row) => row.type === 'transport' && row.selectedCandidatePairId !== undefined,
  );
  const pairs = [...rows.values()].filter((row) => row.type === 'candidate-pair');
  // Firefox has no transport row: it marks the selected pair instead, and only pairs count bytes.
  const pair = transport
    ? rows.get(String(transport.selectedCandidatePairId))
    : pairs.find((row) => row.selected === true || row.nominated === true);
  if (pair === undefined) return null;
  const is_relay = (id: unknown): boolean => rows.get(String(id))?.candidateType === 'relay';
  const seconds = pair.currentRoundTripTime;
  return {
    link: is_relay(pair.localCandidateId) || is_relay(pair.remoteCandidateId) ? 'turn' : 'direct',
    rtt_ms: typeof seconds === 'number' ? seconds * 1000 : null,
    bytes_sent: total(transport ? [transport] : pairs, 'bytesSent'),
    bytes_received: total(transport ? [transport] : pairs, 'bytesReceived'),
  };
}

function total(rows: StatsRow[], field: string): number {
  const figures = rows.map((row) => row[field]).filter((figure) => typeof figure === 'number');
  return figures.reduce((sum, figure) => sum + figure, 0);
}
