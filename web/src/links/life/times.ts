/** Every timeout of a link, in milliseconds. */
export const TIMES = {
  /** An offer without an answer is resent after this long, this often. */
  answer_ms: 3000,
  resends: 3,
  /** The longest time from both descriptions to an open channel. */
  connect_ms: 10_000,
  /** A link without a direct path after this long uses the relay while it keeps trying. */
  relay_after_ms: 2500,
  /** A path is silent if nothing arrives for this long while awake; with the report to the page, a second. */
  silent_ms: 800,
  /** A silence that lasts this much longer leads to an ICE restart. */
  suspect_ms: 1500,
  restart_ms: 5000,
  restarts: 2,
  /** Backoff before each new connection. Jitter of up to this fraction keeps many clients from acting in unison. */
  rebuild_waits_ms: [0, 300, 1200, 2700, 4800, 7000],
  jitter: 0.25,
  /** A direct path that has worked for this long is used without the relay. */
  stable_ms: 3000,
  /** We relay to a peer that relays to us until this long after its last relayed datagram. */
  mirror_ms: 1500,
  /** The longest time we relay only because the peer does; if it needs the relay, it requests a restart meanwhile. */
  mirror_at_most_ms: 10_000,
  /** After we stop relaying, relayed datagrams of the peer are taken for an echo for this long. */
  no_mirror_ms: 2500,
  /** While play goes through the server: waits before the first, and before each further attempt at a direct path. */
  retry_first_ms: 30_000,
  retry_ms: 60_000,
  /** A link is closed if nothing arrives from the peer over any path for this long. */
  give_up_ms: 120_000,
  /** Impatient people reload several times in a row: wait this long for the last epoch. */
  debounce_ms: 200,
  /** An acknowledgement waits this long for a signal to be piggybacked on. */
  ack_ms: 40,
  /** Waits before an unacknowledged signal is resent; it is dropped after the last one. */
  resend_waits_ms: [1000, 2000, 4000, 8000],
  /** The page ticks this often; a gap beyond the second figure means that the machine slept. */
  tick_ms: 1000,
  sleep_gap_ms: 5000,
} as const;

/** Bounds on what a link keeps, so that a misbehaving peer cannot exhaust memory. */
export const LIMITS = {
  candidates: 64,
  candidate_age_ms: 30_000,
  remembered_messages: 256,
  unacknowledged: 64,
  acks_a_signal: 32,
} as const;
