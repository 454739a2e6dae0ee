import { describe, expect, it } from 'vitest';
import { worstQuality } from './ConnectionQuality';

const link = (rtt_ms: number | null, state: 'connected' | 'suspect' = 'connected') => ({ state, rtt_ms });

describe('worstQuality', () => {
  it('is that of the slowest link', () => {
    expect(worstQuality([link(20), link(null)])).toBe('good');
    expect(worstQuality([link(20), link(200)])).toBe('fair');
    expect(worstQuality([link(20), link(300)])).toBe('poor');
  });

  it('is none while a link is not connected', () => {
    expect(worstQuality([link(20), link(20, 'suspect')])).toBe('none');
  });
});
