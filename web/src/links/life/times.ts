/** Every wait of a link, in milliseconds, and every limit on how much it keeps. */
export const TIMES = {
  /** No answer for this long: the same offer again, so many times. */
  answer_ms: 3000,
  resends: 3,
  /** From both descriptions to an open channel. */
  connect_ms: 10_000,
  /** From the beginning to the server's relay being used beside the attempts at a direct path. */
  relay_after_ms: 2500,
  /** Nothing from the peer over the direct path, while we were awake. Together with the way to the page it is within a second. */
  silent_ms: 800,
  /** Suspicion that lasts this long is more than a hiccup. */
  suspect_ms: 1500,
  restart_ms: 5000,
  restarts: 2,
  /** Waits before each new connection; each is varied by up to `jitter` of itself, so that a crowd does not act as one. */
  rebuild_waits_ms: [0, 300, 1200, 2700, 4800, 7000],
  jitter: 0.25,
  /** A direct path that worked for this long is trusted alone. */
  stable_ms: 3000,
  /** We relay for a peer that relays to us until this long after its last datagram. */
  mirror_ms: 1500,
  /** Longer than this a peer with a need of its own has us look for a new path. */
  mirror_at_most_ms: 10_000,
  /** After our relaying ended, the peer's echo of it is no reason to begin again. */
  no_mirror_ms: 2500,
  /** While play goes through the server, a direct path is tried again. */
  retry_first_ms: 30_000,
  retry_ms: 60_000,
  /** Nothing of the peer over any path. */
  give_up_ms: 120_000,
  /** Reloads come in twos and threes: the last epoch counts. */
  debounce_ms: 200,
  /** An acknowledgement waits this long for a signal to ride on. */
  ack_ms: 40,
  /** Waits before a signal that was not acknowledged is sent again; after the last it is given up. */
  resend_waits_ms: [1000, 2000, 4000, 8000],
  /** A tick that comes this much late: the machine slept. */
  tick_ms: 1000,
  sleep_gap_ms: 5000,
} as const;

export const LIMITS = {
  candidates: 64,
  candidate_age_ms: 30_000,
  remembered_messages: 256,
  unacknowledged: 64,
  acks_a_signal: 32,
} as const;
