import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

// One entry per page. The demo's phones (sandbox.html) are a page of their own: no operator needs them.
const pages = ['index', 'sandbox'];
const input = Object.fromEntries(
  pages
    .map((page) => [page, resolve(import.meta.dirname, `${page}.html`)] as const)
    .filter(([, file]) => existsSync(file)),
);

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
        entryFileNames: 'assets/[name].js',
        chunkFileNames: 'assets/[name].js',
        // What the pages share is Svelte's runtime; without a name it would be called after one of its files.
        advancedChunks: { groups: [{ name: 'svelte', test: /node_modules[\\/]svelte/ }] },
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
