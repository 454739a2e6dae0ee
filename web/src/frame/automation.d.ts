/** What the page offers to scripts; the names and meanings are stable. */
interface CoplayAutomation {
  /** The running game's figures, or an empty object before the first game. */
  stats(): object;
  /** Hold exactly these keys, named as in `KeyboardEvent.key`; an empty list lets go. */
  press(keys: readonly string[]): void;
  /**
   * Make what this participant sends directly worse: latency one way, and the share that is lost (0 to 1). With all lost at
   * both ends the direct path is cut, and the game goes through the server.
   */
  conditions(conditions: { latency_ms: number; loss: number }): void;
}

interface Window {
  coplay?: CoplayAutomation;
}
