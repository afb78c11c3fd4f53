import type { FastifyInstance } from 'fastify';

/** Pages and their assets: only what this server serves, no inline code, no eval, Trusted Types. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types lit-html claude-nexus',
].join('; ');

/** Data: even if a browser is made to open it as a page, nothing in it loads, runs or is framed. */
export const DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox";

const COMMON = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

/** Sets the security headers of every answer of this instance, errors included. */
export function secureHeaders(app: FastifyInstance, policy: string): void {
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers({ ...COMMON, 'content-security-policy': policy });
  });
}
