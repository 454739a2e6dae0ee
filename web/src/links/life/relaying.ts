/**
 * Whether the game's datagrams to a peer go through the server as well as over the direct path.
 *
 * They do while the direct path is not reliable, and while the peer relays to us (mirroring): it would not do so if it
 * heard us directly. Both ways then carry every datagram; the game's protocol tolerates duplicates.
 */
import type { Transition } from './link';
import { TIMES } from './times';

/** A direct path is being looked for: begin to relay if that takes too long. */
export function relaySoon(transition: Transition): void {
  const { link, now_ms } = transition;
  link.need_until_ms = null;
  if (!link.needed) link.need_at_ms ??= now_ms + TIMES.relay_after_ms;
}

/** The direct path failed, or may have failed: relay immediately. */
export function relayNow(transition: Transition): void {
  transition.link.need_until_ms = null;
  transition.link.need_at_ms = transition.now_ms;
  relayTimer(transition);
}

/** There is a direct path: stop relaying once it has been stable for a while. */
export function directAgain(transition: Transition): void {
  const { link, now_ms } = transition;
  link.need_at_ms = null;
  if (link.needed) link.need_until_ms = now_ms + TIMES.stable_ms;
}

/** A datagram arrived through the server: mirror the peer's use of the relay. */
export function relayHeard(transition: Transition): void {
  const { link, now_ms } = transition;
  if (link.state === 'closed') return;
  if (!link.needed && now_ms >= link.no_mirror_until_ms) {
    if (link.mirror_until_ms <= now_ms) link.mirror_since_ms = now_ms;
    link.mirror_until_ms = Math.min(now_ms, link.mirror_since_ms + TIMES.mirror_at_most_ms) + TIMES.mirror_ms;
  }
  relayTimer(transition);
}

/** Switch the relay on or off, as due now. */
export function relayTimer(transition: Transition): void {
  const { link, now_ms } = transition;
  if (link.need_at_ms !== null && link.need_at_ms <= now_ms) {
    link.needed = true;
    link.need_at_ms = null;
  }
  if (link.need_until_ms !== null && link.need_until_ms <= now_ms) {
    link.needed = false;
    link.need_until_ms = null;
  }
  const on = link.state !== 'closed' && (link.needed || link.mirror_until_ms > now_ms);
  if (on === link.relaying) return;
  link.relaying = on;
  // What still arrives may be the echo of our own relaying: two peers would keep each other relaying forever.
  if (!on) link.no_mirror_until_ms = now_ms + TIMES.no_mirror_ms;
  transition.effects.push({ kind: 'relay', on });
}

/** The link is closed, or begins again in a new epoch. */
export function endRelay(transition: Transition): void {
  Object.assign(transition.link, {
    needed: false,
    need_at_ms: null,
    need_until_ms: null,
    mirror_until_ms: 0,
  });
  relayTimer(transition);
}
