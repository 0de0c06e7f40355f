import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// One entry per page. The demo's phones (sandbox.html) are a page of their own: no operator needs them. So is the inbox of
// on-call staff, with a worker that wakes on a push, and the portal of clients.
const pages = ['index', 'sandbox', 'inbox', 'portal'];
const input = Object.fromEntries([
  ...pages
    .map((page) => [page, resolve(import.meta.dirname, `${page}.html`)] as const)
    .filter(([, file]) => existsSync(file)),
  ['inbox-worker', resolve(import.meta.dirname, 'src/inbox/worker.ts')] as const,
]);

// Where `npm run dev` finds the server (or the mock).
const server = process.env.CORDBOARD ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte()],
  build: {
    outDir: 'dist',
    // Names without hashes: the bundle is committed, and its diff shows what changed. The server sends an ETag.
    rollupOptions: {
      input,
      output: {
        // A worker looks after pages below its own path only.
        entryFileNames: (chunk) => (chunk.name === 'inbox-worker' ? '[name].js' : 'assets/[name].js'),
        chunkFileNames: 'assets/[name].js',
        // What pages share is Svelte's runtime and a little of `lib`; without names it would be called after some file in it.
        advancedChunks: {
          groups: [
            { name: 'svelte', test: /node_modules[\\/]svelte/ },
            // What only those with a log-in share: the inbox and the phones neither load nor run it.
            { name: 'session', test: /src[\\/](state|login|account|ui|lib[\\/](api|account|clients|shape|steps)\.ts)/, minShareCount: 2 },
            { name: 'shared', test: /src[\\/](lib|styles)/, minShareCount: 2 },
          ],
        },
        assetFileNames: 'assets/[name][extname]',
      },
    },
    // An inlined asset would be a data: URL, which the content security policy refuses.
    assetsInlineLimit: 0,
    // The polyfill is an inline script in other settings; every browser we support preloads by itself.
    modulePreload: { polyfill: false },
    target: 'es2022',
    sourcemap: false,
  },
  worker: {
    format: 'es',
    rollupOptions: { output: { entryFileNames: 'assets/[name].js' } },
  },
  server: {
    proxy: {
      '/api': { target: server, ws: true },
      '/sip': { target: server, ws: true },
      '/sandbox/api': { target: server, ws: true },
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
