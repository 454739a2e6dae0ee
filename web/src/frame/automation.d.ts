/** The page's interface for scripts. Names and meanings are stable. */
interface CoplayAutomation {
  /** Return the current game's figures; an empty object before the first game. */
  stats(): object;
  /** Hold exactly these keys, named as in `KeyboardEvent.key`; an empty list releases all. */
  press(keys: readonly string[]): void;
  /**
   * Imitate a slower network for what this participant sends directly.
   *
   * `latency_ms` is added to each datagram, and the fraction `loss` (0 to 1) is dropped. If both ends drop everything,
   * the direct path is cut and the game goes through the server.
   */
  conditions(conditions: { latency_ms: number; loss: number }): void;
}

interface Window {
  coplay?: CoplayAutomation;
}
