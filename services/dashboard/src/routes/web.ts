import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RouteNotFoundError } from '../errors.ts';
import { etagOf, matchesEtag } from '../http/etag.ts';
import type { App } from './context.ts';

export interface WebOptions {
  /** Folder of the built web application. */
  readonly webRoot: string;
  /** With a slash at both ends. */
  readonly basePath: string;
}

const NOT_BUILT = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><base href="/"><title>ClaudeNexus</title></head>
<body><main><h1>ClaudeNexus</h1>
<p>The web application is not built. Run <code>npm run build:web</code> and load this page again.</p>
<p>The API is served: see <a href="api/openapi.json">api/openapi.json</a>.</p></main></body>
</html>
`;

/** First path segments that are data: an unknown address there is an error, not a page. */
const DATA_SEGMENTS: ReadonlySet<string> = new Set(['api', 'sse', 'health', 'assets']);

/** Serves the web application; every other address that looks like one of its pages gets its index.html. */
export async function webRoutes(app: App, { webRoot, basePath }: WebOptions): Promise<void> {
  const page = (request: FastifyRequest, reply: FastifyReply) =>
    sendIndex(request, reply, { webRoot, basePath });
  app.get(basePath, page);
  app.get(`${basePath}index.html`, page);
  if (basePath !== '/') {
    app.get('/', (_request, reply) => reply.redirect(basePath));
    app.get(basePath.slice(0, -1), (_request, reply) => reply.redirect(basePath, 308));
  }
  await app.register(fastifyStatic, {
    root: webRoot,
    prefix: basePath,
    index: false,
    dotfiles: 'ignore',
    decorateReply: false,
    cacheControl: false,
    suppressWarning: true,
    setHeaders: (reply, path) => {
      // Names of built assets carry a hash of their content.
      const hashed = path.startsWith(join(webRoot, 'assets/'));
      reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'public, no-cache');
    },
  });
  app.setNotFoundHandler((request, reply) => {
    if (!isPage(request, basePath)) throw new RouteNotFoundError();
    return page(request, reply);
  });
}

function isPage(request: FastifyRequest, basePath: string): boolean {
  const path = request.url.split('?', 1)[0] ?? '';
  if ((request.method !== 'GET' && request.method !== 'HEAD') || !path.startsWith(basePath)) return false;
  const segments = path.slice(basePath.length).split('/');
  if (DATA_SEGMENTS.has(segments[0] ?? '')) return false;
  // A missing file must not be answered with a page; an address of a page may have a dot in it, such as a domain.
  const wantsPage = request.headers.accept?.includes('text/html') === true;
  return wantsPage || segments.at(-1)?.includes('.') === false;
}

async function sendIndex(
  request: FastifyRequest,
  reply: FastifyReply,
  { webRoot, basePath }: WebOptions,
): Promise<FastifyReply> {
  const html = await readFile(join(webRoot, 'index.html'), 'utf8').catch(() => NOT_BUILT);
  const body = Buffer.from(html.replace(/<base href="[^"]*"/, `<base href="${basePath}"`), 'utf8');
  const etag = etagOf(body);
  reply.header('etag', etag).header('cache-control', 'no-cache').code(200);
  if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send();
  return reply.type('text/html; charset=utf-8').send(body);
}
