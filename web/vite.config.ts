import { defineConfig } from 'vite';

/** Built once, served by the dashboard under any BASE_PATH: all addresses are relative to the document's base. */
export default defineConfig({
  base: './',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // Inlined assets would be data: URLs and the polyfill an inline script; the page's policy allows neither.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: Object.fromEntries(['/api', '/sse', '/health'].map((path) => [path, 'http://127.0.0.1:3001'])),
  },
});
