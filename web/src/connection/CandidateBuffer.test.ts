import { describe, expect, it } from 'vitest';
import { CandidateBuffer } from './CandidateBuffer';

const candidate = (name: string): RTCIceCandidateInit => ({ candidate: name });

describe('CandidateBuffer', () => {
  it('gives the candidates of one negotiation, in order, once', () => {
    const buffer = new CandidateBuffer();
    buffer.add(0, 1, candidate('a'), 0);
    buffer.add(0, 2, candidate('x'), 0);
    buffer.add(0, 1, candidate('b'), 0);
    expect(buffer.take(0, 1, 0)).toEqual([candidate('a'), candidate('b')]);
    expect(buffer.take(0, 1, 0)).toEqual([]);
    expect(buffer.take(0, 2, 0)).toEqual([candidate('x')]);
  });

  it('forgets what belongs to an earlier negotiation or epoch', () => {
    const buffer = new CandidateBuffer();
    buffer.add(0, 9, candidate('old epoch'), 0);
    buffer.add(1, 1, candidate('old negotiation'), 0);
    buffer.take(1, 2, 0);
    expect(buffer.size).toBe(0);
  });

  it('holds 64 at most', () => {
    const buffer = new CandidateBuffer();
    const taken = Array.from({ length: 70 }, (_, index) => buffer.add(0, 1, candidate(String(index)), 0));
    expect(taken.filter(Boolean).length).toBe(64);
    expect(buffer.take(0, 1, 0).length).toBe(64);
  });

  it('drops what waited for more than 30 seconds, and has room again', () => {
    const buffer = new CandidateBuffer();
    for (let index = 0; index < 64; index++) buffer.add(0, 1, candidate('old'), 0);
    expect(buffer.add(0, 1, candidate('new'), 30_001)).toBe(true);
    expect(buffer.take(0, 1, 30_001)).toEqual([candidate('new')]);
  });
});
