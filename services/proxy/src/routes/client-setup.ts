import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { hostOf } from '../host.ts';
import { OWN_ERRORS } from '../errors.ts';
import { readClientSetupFile } from './client-setup-files.ts';
import { sendError } from './send-error.ts';

const PAGE = 'index.html';

/** The page needs its style sheet and nothing else. */
const POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `GET /client-setup/*`: the files that connect Claude Code, with the address under which they were asked for. */
export function clientSetupRoutes(app: FastifyInstance, folder: string): void {
  const serve = async (request: FastifyRequest, reply: FastifyReply, path: string): Promise<FastifyReply> => {
    const url = proxyUrlOf(request);
    if (url === undefined) return sendError(reply, OWN_ERRORS.host);
    const file = await readClientSetupFile(folder, path, url);
    if (file === undefined) return sendError(reply, OWN_ERRORS.notFound);
    return reply
      .headers({
        'content-type': file.type,
        'content-security-policy': POLICY,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        // The text depends on the Host header, which no cache in between may mix up.
        'cache-control': 'no-store',
      })
      .send(file.text);
  };
  app.get('/client-setup', (request, reply) => serve(request, reply, PAGE));
  app.get<{ Params: { '*': string } }>('/client-setup/*', (request, reply) =>
    serve(request, reply, request.params['*'] === '' ? PAGE : request.params['*']),
  );
}

/** The address under which the client reached this proxy; https when a proxy in front says it ended TLS. */
function proxyUrlOf(request: FastifyRequest): string | undefined {
  const host = hostOf(request.raw.rawHeaders);
  const forwarded = request.headers['x-forwarded-proto'];
  const secure =
    (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(',', 1)[0]?.trim().toLowerCase() === 'https';
  return host === undefined ? undefined : `${secure ? 'https' : 'http'}://${host.authority}`;
}
