/** What `RTCPeerConnection.getStats()` says about the path in use. */
import type { PathFigures } from '../worker/messages';

export interface LinkFigures extends PathFigures {
  /** Through a TURN server, or not. */
  link: 'direct' | 'turn';
}

interface StatsRow {
  id: string;
  type: string;
  [field: string]: unknown;
}

/** Read the selected candidate pair; null while there is none. */
export function readLinkFigures(report: {
  forEach(visit: (row: StatsRow) => void): void;
}): LinkFigures | null {
  const rows = new Map<string, StatsRow>();
  report.forEach((row) => {
    rows.set(row.id, row);
  });
  const pair = selectedPair(rows);
  if (pair === undefined) return null;
  const is_relay = (id: unknown): boolean => rows.get(String(id))?.candidateType === 'relay';
  const seconds = pair.currentRoundTripTime;
  return {
    link: is_relay(pair.localCandidateId) || is_relay(pair.remoteCandidateId) ? 'turn' : 'direct',
    rtt_ms: typeof seconds === 'number' ? seconds * 1000 : null,
    bytes_sent: count(pair.bytesSent),
    bytes_received: count(pair.bytesReceived),
  };
}

function count(figure: unknown): number {
  return typeof figure === 'number' ? figure : 0;
}

function selectedPair(rows: Map<string, StatsRow>): StatsRow | undefined {
  for (const row of rows.values()) {
    if (row.type === 'transport' && row.selectedCandidatePairId) {
      return rows.get(String(row.selectedCandidatePairId));
    }
  }
  // Firefox has no transport row; it marks the pair itself.
  return [...rows.values()].find(
    (row) => row.type === 'candidate-pair' && (row.selected === true || row.nominated === true),
  );
}
