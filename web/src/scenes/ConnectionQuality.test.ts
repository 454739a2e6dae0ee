import { describe, expect, it } from 'vitest';
import { worst } from './ConnectionQuality';

const link = (rtt_ms: number | null, state: 'connected' | 'suspect' = 'connected') => ({ state, rtt_ms });

describe('worst', () => {
  it('goes by the slowest link', () => {
    expect(worst([link(20), link(null)])).toBe('good');
    expect(worst([link(20), link(200)])).toBe('fair');
    expect(worst([link(20), link(300)])).toBe('poor');
  });

  it('is none while any link is not up', () => {
    expect(worst([link(20), link(20, 'suspect')])).toBe('none');
  });
});
