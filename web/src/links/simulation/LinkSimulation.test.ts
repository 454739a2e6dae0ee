import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Fault, LinkSimulation, type Scenario } from './LinkSimulation';

/** `npm run soak` asks for more; every run has the same seed unless told otherwise. */
const HISTORIES = Number(import.meta.env.VITE_HISTORIES ?? 3000);
const SEED = Number(import.meta.env.VITE_SEED ?? 1);

/** From the last fault to rest, at most. Where no datagram ever passes, six connections are tried first, ten seconds each. */
const PATIENCE_MS = 150_000;

function faults(...kinds: Fault['kind'][]): fc.Arbitrary<Fault> {
  return fc.record({
    kind: fc.constantFrom(...kinds),
    side: fc.constantFrom<0 | 1>(0, 1),
    at_ms: fc.nat(30_000),
    for_ms: fc.nat(12_000),
  });
}

const everything = fc.oneof(
  {
    weight: 5,
    arbitrary: faults('reload', 'sleep', 'network', 'socket', 'server', 'cut', 'one_way', 'kill'),
  },
  { weight: 1, arbitrary: faults('rebuild', 'die', 'leave') },
);

function check(
  history: fc.Arbitrary<Scenario>,
  histories: number,
  judge: (world: LinkSimulation) => void,
): void {
  fc.assert(
    fc.property(history, (each) => judge(new LinkSimulation(each))),
    { numRuns: histories, seed: SEED },
  );
}

describe('two links', () => {
  // Every history also proves what SimulatedPage examines after each event: one connection at most, nothing kept without bound.
  it(`come to rest after each of ${HISTORIES} histories`, { timeout: 3_600_000 }, () => {
    let longest_ms = 0;
    const history = fc.record({
      seed: fc.nat(),
      lost: fc.constantFrom(0, 0.1, 0.4),
      doubled: fc.constantFrom(0, 0.3),
      late_ms: fc.constantFrom(10, 150, 1500),
      blocked: fc.constantFrom(false, false, false, true),
      faults: fc.array(everything, { maxLength: 6 }),
    });
    check(history, HISTORIES, (world) => {
      const outcome = world.run(PATIENCE_MS);
      expect(outcome.rest_ms, JSON.stringify(outcome)).toBeLessThan(PATIENCE_MS);
      longest_ms = Math.max(longest_ms, outcome.rest_ms);
    });
    console.log(`the longest way to rest took ${(longest_ms / 1000).toFixed(1)} virtual seconds`);
  });

  it('hear each other again within a second when a path breaks that was there', () => {
    let longest_ms = 0;
    const history = fc.record({
      seed: fc.nat(),
      lost: fc.constant(0),
      doubled: fc.constant(0),
      late_ms: fc.constantFrom(10, 150),
      blocked: fc.constant(false),
      faults: fc.tuple(faults('network', 'cut', 'one_way', 'kill')),
    });
    check(history, Math.min(HISTORIES, 3000), (world) => {
      const { longest_gap_ms } = world.run(PATIENCE_MS);
      longest_ms = Math.max(longest_ms, longest_gap_ms);
      expect(longest_gap_ms).toBeLessThanOrEqual(1000);
    });
    console.log(`the longest silence took ${longest_ms} virtual milliseconds`);
  });
});
