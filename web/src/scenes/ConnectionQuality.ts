/** One line about the connections to the other players: the quality of the worst one. */

import { element } from '../dom';
import type { LinkState } from '../links/life/link';

interface LinkQuality {
  state: LinkState;
  rtt_ms: number | null;
}

export type Quality = 'none' | 'good' | 'fair' | 'poor';

const WORDS: Record<Quality, string> = {
  none: 'Connecting',
  good: 'Good connection',
  fair: 'Fair connection',
  poor: 'Slow connection',
};

/** Round trips up to the first are good, up to the second fair. */
const GOOD_MS = 120;
const FAIR_MS = 250;

export class ConnectionQuality {
  readonly root = element('p', { class: 'quality', hidden: '' });
  readonly #links = new Map<number, LinkQuality>();

  linkChanged(peer: number, state: LinkState): void {
    // A closed link does not count: the player has left.
    if (state === 'closed') this.#links.delete(peer);
    else this.#links.set(peer, { state, rtt_ms: this.#links.get(peer)?.rtt_ms ?? null });
    this.#show();
  }

  measured(peer: number, rtt_ms: number | null): void {
    const known = this.#links.get(peer);
    if (known !== undefined) known.rtt_ms = rtt_ms;
    this.#show();
  }

  #show(): void {
    const links = [...this.#links.values()];
    this.root.hidden = links.length === 0;
    const quality = worstQuality(links);
    this.root.dataset.quality = quality;
    const text = WORDS[quality];
    if (this.root.textContent !== text) this.root.textContent = text;
  }
}

/** Return the quality of the worst link; `none` while one of them is not connected. */
export function worstQuality(links: readonly LinkQuality[]): Quality {
  if (links.some((link) => link.state !== 'connected' && link.state !== 'relayed')) return 'none';
  const rtt_ms = Math.max(0, ...links.map((link) => link.rtt_ms ?? 0));
  if (rtt_ms <= GOOD_MS) return 'good';
  return rtt_ms <= FAIR_MS ? 'fair' : 'poor';
}
