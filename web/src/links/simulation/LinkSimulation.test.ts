import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Fault, LinkSimulation, type Scenario } from './LinkSimulation';

/** `npm run soak` raises this. Every run has the same seed unless VITE_SEED is set. */
const SCENARIOS = Number(import.meta.env.VITE_HISTORIES ?? 3000);
const SEED = Number(import.meta.env.VITE_SEED ?? 1);

/**
 * The longest time from the last fault to rest.
 *
 * Without a direct path, six connections are tried first, for ten seconds each.
 */
const LONGEST_WAIT_MS = 150_000;

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
  scenario: fc.Arbitrary<Scenario>,
  scenarios: number,
  judge: (simulation: LinkSimulation) => void,
): void {
  fc.assert(
    fc.property(scenario, (each) => judge(new LinkSimulation(each))),
    { numRuns: scenarios, seed: SEED },
  );
}

describe('two links', () => {
  // SimulatedPage also checks after every event: at most one connection, and nothing grows without bound.
  it(`come to rest after each of ${SCENARIOS} scenarios`, { timeout: 3_600_000 }, () => {
    let longest_ms = 0;
    const scenario = fc.record({
      seed: fc.nat(),
      lost: fc.constantFrom(0, 0.1, 0.4),
      doubled: fc.constantFrom(0, 0.3),
      late_ms: fc.constantFrom(10, 150, 1500),
      blocked: fc.constantFrom(false, false, false, true),
      faults: fc.array(everything, { maxLength: 6 }),
    });
    check(scenario, SCENARIOS, (simulation) => {
      const result = simulation.run(LONGEST_WAIT_MS);
      expect(result.rest_ms, JSON.stringify(result)).toBeLessThan(LONGEST_WAIT_MS);
      longest_ms = Math.max(longest_ms, result.rest_ms);
    });
    console.log(`the longest recovery took ${(longest_ms / 1000).toFixed(1)} virtual seconds`);
  });

  it('hear each other again within a second after a path breaks', { timeout: 60_000 }, () => {
    let longest_ms = 0;
    const scenario = fc.record({
      seed: fc.nat(),
      lost: fc.constant(0),
      doubled: fc.constant(0),
      late_ms: fc.constantFrom(10, 150),
      blocked: fc.constant(false),
      faults: fc.tuple(faults('network', 'cut', 'one_way', 'kill')),
    });
    check(scenario, Math.min(SCENARIOS, 3000), (simulation) => {
      const { longest_gap_ms } = simulation.run(LONGEST_WAIT_MS);
      longest_ms = Math.max(longest_ms, longest_gap_ms);
      expect(longest_gap_ms).toBeLessThanOrEqual(1000);
    });
    console.log(`the longest silence took ${longest_ms} virtual milliseconds`);
  });
});
