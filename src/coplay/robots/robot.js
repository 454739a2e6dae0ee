// Runs in a robot's tab before the page's own scripts: reads a little, continues, and plays with random keys.
// It uses nothing of the page but the automation contract. `coplayRobotSeed` is set before it.
(() => {
  if (window !== window.top || window.coplayRobot) return;
  const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", " "];
  const TICK_MS = 50;
  const timeline = [];
  const games = new Map();

  // mulberry32: the same seed presses the same keys.
  let seed = window.coplayRobotSeed ?? 1;
  const random = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const between = (least, most) => least + (most - least) * random();

  const scene = () => document.body?.dataset.scene ?? "";
  const phase = () => document.body?.dataset.phase ?? "";
  const over = () => scene() === "finish" || scene() === "error";

  const note = () => {
    const last = timeline.at(-1);
    if (!document.body || (last && last[0] === scene() && last[1] === phase())) return;
    timeline.push([scene(), phase(), performance.now()]);
  };
  new MutationObserver(note).observe(document, {
    subtree: true,
    childList: true,
    attributes: true,
    attributeFilter: ["data-scene", "data-phase"],
  });

  let button = null;
  let click_ms = 0;
  const read = (now_ms) => {
    const found = document.querySelector('[data-testid="continue"]:not([disabled])');
    if (found !== button) {
      button = found;
      click_ms = now_ms + between(200, 1000);
    }
    if (button === null || now_ms < click_ms) return;
    click_ms = now_ms + 3000; // if it is still there then, the click had no effect
    button.click();
  };

  let holding = false;
  let change_ms = 0;
  const play = (now_ms) => {
    const playing = phase() === "playing";
    if (!playing && holding) window.coplay?.press([]);
    if (playing && now_ms >= change_ms) {
      change_ms = now_ms + between(150, 300);
      window.coplay?.press(KEYS.filter(() => random() < 0.35).slice(0, 2));
    }
    holding = playing;
  };

  const look = () => {
    const stats = window.coplay?.stats?.() ?? {};
    if (stats.game_id) games.set(stats.game_id, stats);
    return {
      scene: scene(),
      phase: phase(),
      now_ms: performance.now(),
      timeline,
      games: [...games.values()],
      said: scene() === "error" ? document.body.innerText.slice(0, 300) : "",
    };
  };

  const timer = setInterval(() => {
    note();
    look(); // keeps a game's last figures before the next one begins
    const now_ms = performance.now();
    play(now_ms);
    if (over()) clearInterval(timer);
    else read(now_ms);
  }, TICK_MS);

  window.coplayRobot = { look };
})();
