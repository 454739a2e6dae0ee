import { describe, expect, it } from 'vitest';
import { decodeRelayed, encodeRelayed, RelayLane } from './RelayLane';

function lane() {
  const sent: number[] = [];
  const relay = new RelayLane((peer) => sent.push(peer));
  return { relay, sent };
}

/** Send each peer 60 datagrams per second for ten seconds. */
function play(relay: RelayLane, peers: number[]): void {
  for (let frame = 0; frame < 600; frame++) {
    for (const peer of peers) relay.send(peer, new ArrayBuffer(20), (frame * 1000) / 60);
  }
}

describe('RelayLane', () => {
  it('sends every datagram in a game of two', () => {
    const { relay, sent } = lane();
    relay.set(1, true);
    play(relay, [1]);
    expect(sent.length).toBe(600);
  });

  it('shares the budget evenly among several peers', () => {
    const { relay, sent } = lane();
    for (const peer of [1, 2, 3, 4]) relay.set(peer, true);
    play(relay, [1, 2, 3, 4]);
    expect(sent.length).toBeLessThanOrEqual(1200);
    const each = [1, 2, 3, 4].map((peer) => sent.filter((to) => to === peer).length);
    expect(Math.min(...each)).toBeGreaterThan(180);
    expect(Math.max(...each) - Math.min(...each)).toBeLessThan(5);
  });

  it('drops datagrams to peers that are not relayed', () => {
    const { relay, sent } = lane();
    relay.set(1, true);
    relay.set(1, false);
    play(relay, [1, 2]);
    expect(sent).toEqual([]);
  });
});

describe('a relayed datagram', () => {
  it('is read as it was written', () => {
    const data = new Uint8Array([7, 8, 9]).buffer;
    expect(decodeRelayed(encodeRelayed(3, data).buffer)).toEqual({ player_id: 3, data });
  });

  it.each([[null], ['text'], [new ArrayBuffer(0)], [new ArrayBuffer(1)], [{}]])('is not %s', (message) => {
    expect(decodeRelayed(message)).toBeNull();
  });
});
