import { describe, expect, it } from 'vitest';

/** What each folder may import, apart from itself, `protocol/`, and packages. README.md says what the folders are. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  protocol: [],
  dom: [],
  draw: [],
  input: ['dom'],
  'links/life': [],
  links: ['links/life'],
  'links/simulation': ['links/life'],
  server: [],
  worker: ['links/life'],
  game: ['draw', 'links', 'links/life', 'server'],
  scenes: ['dom', 'draw', 'input', 'game', 'links/life', 'server'],
  frame: ['dom', 'input', 'game', 'links', 'scenes', 'server'],
  researcher: ['dom', 'draw', 'game'],
  scrubber: ['dom', 'draw'],
  demo: ['dom', 'input'],
};

/** Names by which code reaches a clock, random numbers, a browser or a log. The browser's types are not among them. */
const IMPURE =
  /\b(?:window|document|self|globalThis|navigator|location|performance|Date|Math\.random|crypto|console|fetch|set(?:Timeout|Interval)|queueMicrotask|await|async|new [A-Z]\w*(?<!new Set|new Map))\b/g;

const sources = import.meta.glob<string>('./**/*.ts', { query: '?raw', import: 'default', eager: true });
const modules = Object.entries(sources)
  .filter(([path]) => !path.endsWith('.test.ts') && !path.endsWith('.d.ts') && !path.includes('/testing/'))
  .map(([path, text]) => ({ path: path.slice(2), text }));

/** `links/life` for `links/life/link`; a file at the top counts as a folder of its own. */
function folderOf(module: string): string {
  return module.includes('/') ? module.slice(0, module.lastIndexOf('/')) : module.replace(/\.ts$/, '');
}

function importsOf({ path, text }: { path: string; text: string }): string[] {
  const found = [...text.matchAll(/(?:from|import) '(\.[^']*)'/g)].map((match) => match[1] ?? '');
  // URL resolves `..`; the host does not matter.
  return found.map((specifier) => new URL(specifier, `http://host/${path}`).pathname.slice(1));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
}

describe('folders', () => {
  it('are all in the table', () => {
    const folders = new Set(modules.map(({ path }) => folderOf(path)));
    expect([...folders].sort()).toEqual(Object.keys(MAY_IMPORT).sort());
  });

  it.each(Object.entries(MAY_IMPORT))('%s imports only what it may', (folder, others) => {
    const allowed = [folder, 'protocol', 'styles', ...others];
    const imports = modules
      .filter(({ path }) => folderOf(path) === folder)
      .flatMap((module) => importsOf(module).map((imported) => `${module.path} imports ${imported}`));
    expect(imports.filter((line) => !allowed.includes(folderOf(line.split(' imports ')[1] ?? '')))).toEqual(
      [],
    );
  });

  it('links/life is pure', () => {
    const impure = modules
      .filter(({ path }) => folderOf(path) === 'links/life')
      .flatMap(({ path, text }) =>
        [...withoutComments(text).matchAll(IMPURE)].map((match) => `${path}: ${match[0]}`),
      );
    expect(impure).toEqual([]);
  });

  it('would not be pure with a clock, random numbers or a browser', () => {
    const text = 'const at = Date.now() + Math.random(); new WebSocket(""); new Set(); // fetch';
    expect(withoutComments(text).match(IMPURE)).toEqual(['Date', 'Math.random', 'new WebSocket']);
  });
});
