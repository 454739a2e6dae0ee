// Runs in the page under test, before its own scripts where the browser allows it.
// It only reads what the automation contract promises, and holds keys through `window.coplay.press`.
(() => {
  if (window.playtest) return;
  const transitions = [];
  const violations = [];
  const waiting = new Set();

  const note = () => {
    const body = document.body;
    if (!body) return;
    const now = { scene: body.dataset.scene ?? "", phase: body.dataset.phase ?? "" };
    const last = transitions.at(-1);
    if (last && last.scene === now.scene && last.phase === now.phase) return;
    transitions.push({ ...now, at_ms: performance.timeOrigin + performance.now() });
    for (const look of [...waiting]) look();
  };
  new MutationObserver(note).observe(document, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["data-scene", "data-phase"],
  });
  note();
  document.addEventListener("securitypolicyviolation", (event) => {
    violations.push(`${event.violatedDirective}: ${event.blockedURI}`);
  });

  // The page shows an error, so no other scene will follow.
  const failed = () => document.body?.dataset.scene === "error";

  // Transitions before `from` are ignored; a phase that began and ended since then still counts.
  const reached = (scene, phase, from, timeoutMs) =>
    new Promise((resolve) => {
      const look = () => {
        const index = transitions.findIndex(
          (at, position) =>
            position >= from && (scene === null || at.scene === scene) && (phase === null || at.phase === phase),
        );
        if (index >= 0) done({ index, ...transitions[index] });
        else if (failed()) done(null);
      };
      const done = (answer) => {
        waiting.delete(look);
        clearTimeout(timer);
        resolve(answer);
      };
      const timer = setTimeout(() => done(null), timeoutMs);
      waiting.add(look);
      look();
    });

  // A figure of stats() is a state, not an event, so it is polled as often as the page refreshes it.
  const figure = (name, least, timeoutMs) =>
    new Promise((resolve) => {
      const started = performance.now();
      const timer = setInterval(() => {
        const stats = window.coplay?.stats?.() ?? {};
        const value = stats[name];
        const numbers = typeof value === "object" && value !== null ? Object.values(value) : [value];
        const enough = numbers.some((number) => typeof number === "number" && number >= least);
        if (!enough && performance.now() - started < timeoutMs && !failed()) return;
        clearInterval(timer);
        resolve(enough ? stats : null);
      }, 50);
    });

  // Polled, because links may change at any moment, especially on a busy machine.
  const linked = async (kind, timeoutMs) => {
    const started = performance.now();
    for (;;) {
      const links = Object.values(window.coplay?.stats?.().link ?? {});
      if (links.length > 0 && links.every((link) => link === kind)) return true;
      if (performance.now() - started > timeoutMs || failed()) return false;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };

  // Waits until the page's simulation is loaded, so that a measurement can begin with a warm one.
  const runtimeReady = async (timeoutMs) => {
    const started = performance.now();
    while (document.body?.dataset.runtime !== "ready") {
      if (performance.now() - started > timeoutMs || failed()) return false;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    return true;
  };

  // mulberry32: the same seed presses the same keys in every browser.
  const generator = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };

  let hand = 0;
  const play = (seed, keys) => {
    rest();
    const random = generator(seed);
    const change = () => {
      const held = keys.filter(() => random() < 0.35).slice(0, 2);
      window.coplay?.press?.(held);
      hand = setTimeout(change, 150 + 150 * random());
    };
    change();
  };
  const rest = () => {
    if (hand) window.coplay?.press?.([]);
    clearTimeout(hand);
    hand = 0;
  };

  window.playtest = { transitions, violations, reached, figure, linked, runtimeReady, play, rest };
})();
