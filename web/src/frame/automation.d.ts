/** The page's interface for scripts. Names and meanings are stable. */
interface CoplayAutomation {
  /** Return the current game's figures; an empty object before the first game. */
  stats(): object;
  /** Hold exactly these keys, named as in `KeyboardEvent.key`; an empty list releases all. */
  press(keys: readonly string[]): void;
  /**
   * Imitate a slower network for what this participant sends directly: added latency, and the fraction that is dropped
   * (0 to 1). If both ends drop everything, the direct path is cut and the game goes through the server.
   */
  conditions(conditions: { latency_ms: number; loss: number }): void;
}

interface Window {
  coplay?: CoplayAutomation;
}
