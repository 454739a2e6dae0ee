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
  bytesReceived: 0,
};
/** A pair on which only the other side sends. */
const unselected = { id: 'Q', type: 'candidate-pair', bytesSent: 60, bytesReceived: 800 };
const transport = {
  id: 'T',
  type: 'transport',
  selectedCandidatePairId: 'P',
  bytesSent: 960,
  bytesReceived: 800,
};
const local = (candidateType: string) => ({ id: 'L', type: 'local-candidate', candidateType });
const remote = (candidateType: string) => ({ id: 'R', type: 'remote-candidate', candidateType });

describe('readLinkFigures', () => {
  it('calls a pair without relay candidates direct', () => {
    expect(readLinkFigures(report(transport, pair, local('srflx'), remote('prflx')))).toMatchObject({
      link: 'direct',
      rtt_ms: 42,
    });
  });

  it.each([
    ['relay', 'host'],
    ['host', 'relay'],
  ])('calls a pair of %s and %s candidates turn', (ours, theirs) => {
    expect(readLinkFigures(report(transport, pair, local(ours), remote(theirs)))?.link).toBe('turn');
  });

  it('finds the pair without a transport row', () => {
    const selected = { ...pair, selected: true };
    expect(
      readLinkFigures(report({ ...unselected, selected: false }, selected, local('host'), remote('host')))
        ?.rtt_ms,
    ).toBe(42);
  });

  it.each([
    ['with', [transport, unselected, pair]],
    ['without', [unselected, { ...pair, selected: true }]],
  ])('counts what arrived on a pair that is not selected here, %s a transport row', (_, rows) => {
    expect(readLinkFigures(report(...rows, local('host'), remote('host')))).toMatchObject({
      bytes_sent: 960,
      bytes_received: 800,
    });
  });

  it('is null before a pair is selected', () => {
    expect(readLinkFigures(report({ id: 'T', type: 'transport' }))).toBeNull();
  });
});
