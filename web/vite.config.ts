import { defineConfig } from 'vitest/config';

export default defineConfig({
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
