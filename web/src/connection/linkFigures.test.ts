import { describe, expect, it } from 'vitest';
import { readLinkFigures } from './linkFigures';

const report = (...rows: { id: string; type: string; [field: string]: unknown }[]) =>
  new Map(rows.map((row) => [row.id, row]));
const pair = {
  id: 'P',
  type: 'candidate-pair',
  localCandidateId: 'L',
  remoteCandidateId: 'R',
  currentRoundTripTime: 0.042,
  bytesSent: 900,
};
const transport = { id: 'T', type: 'transport', selectedCandidatePairId: 'P' };
const local = (candidateType: string) => ({ id: 'L', type: 'local-candidate', candidateType });
const remote = (candidateType: string) => ({ id: 'R', type: 'remote-candidate', candidateType });

describe('readLinkFigures', () => {
  it('calls a pair without relays direct', () => {
    expect(readLinkFigures(report(transport, pair, local('srflx'), remote('prflx')))).toEqual({
      link: 'direct',
      rtt_ms: 42,
      bytes_sent: 900,
      bytes_received: 0,
    });
  });

  it.each([
    ['relay', 'host'],
    ['host', 'relay'],
  ])('calls a pair of %s and %s candidates turn', (ours, theirs) => {
    expect(readLinkFigures(report(transport, pair, local(ours), remote(theirs)))?.link).toBe('turn');
  });

  it('finds the pair where there is no transport row', () => {
    const others = { id: 'Q', type: 'candidate-pair', selected: false };
    expect(
      readLinkFigures(report(others, { ...pair, selected: true }, local('host'), remote('host')))?.rtt_ms,
    ).toBe(42);
  });

  it('knows nothing before a pair is selected', () => {
    expect(readLinkFigures(report({ id: 'T', type: 'transport' }))).toBeNull();
  });
});
