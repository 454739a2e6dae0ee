import { describe, expect, it } from 'vitest';
import { TrafficShaper } from './TrafficShaper';

describe('TrafficShaper', () => {
  it('passes datagrams immediately without conditions', () => {
    const shaper = new TrafficShaper(1);
    let delivered = 0;
    shaper.pass(() => delivered++);
    expect(delivered).toBe(1);
  });

  it('delays datagrams by the latency', () => {
    const held: [number, () => void][] = [];
    const shaper = new TrafficShaper(1, (deliver, delay_ms) => held.push([delay_ms, deliver]));
    shaper.setConditions({ latency_ms: 120, loss: 0 });
    let delivered = 0;
    shaper.pass(() => delivered++);
    expect(delivered).toBe(0);
    expect(held[0]?.[0]).toBe(120);
    held[0]?.[1]();
    expect(delivered).toBe(1);
  });

  it('drops about the given fraction, and the same datagrams for the same seed', () => {
    const survivors = (seed: number): number[] => {
      const shaper = new TrafficShaper(seed);
      shaper.setConditions({ latency_ms: 0, loss: 0.3 });
      const passed: number[] = [];
      for (let index = 0; index < 2000; index++) shaper.pass(() => passed.push(index));
      return passed;
    };
    expect(survivors(7).length).toBeGreaterThan(1330);
    expect(survivors(7).length).toBeLessThan(1470);
    expect(survivors(7)).toEqual(survivors(7));
    expect(survivors(7)).not.toEqual(survivors(8));
  });
});
