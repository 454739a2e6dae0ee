import { defineConfig } from 'vitest/config';

/** What the heads of all pages share, in place of a comment in each page and after its title. */
const MARK = '<!-- shared head: see vite.config.ts -->';
const METAS = `<meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />`;
const ICON = '<link rel="icon" href="/src/icon.svg" type="image/svg+xml" />';

function withSharedHead(html: string): string {
  if (!html.includes(MARK)) throw new Error(`a page lacks ${MARK}`);
  return html.replace(MARK, METAS).replace('</title>', `</title>\n    ${ICON}`);
}

export default defineConfig({
  // Before Vite looks for what a page loads, so that the icon is processed like everything else.
  plugins: [{ name: 'shared-head', transformIndexHtml: { order: 'pre', handler: withSharedHead } }],
  build: {
    outDir: '../src/coplay/_web',
    emptyOutDir: true,
    assetsDir: 'assets',
    // The page's Content-Security-Policy allows own-origin files only: nothing may become a data: URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Transferable data channels came later than anything this target lacks.
    target: 'es2022',
    rollupOptions: {
      input: { index: 'index.html', demo: 'demo.html', scrub: 'scrub.html', watch: 'watch.html' },
    },
  },
  worker: { format: 'es' },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
