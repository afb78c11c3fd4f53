import { LoginBody, SessionStatus } from '@claude-nexus/api-contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SESSION_COOKIE } from '../auth/authenticator.ts';
import type { SessionToken } from '../auth/session-tokens.ts';
import { UnauthenticatedError } from '../errors.ts';
import type { App, RouteContext } from './context.ts';
import { empty, json, responses } from './responses.ts';

const status = json('who the caller is', SessionStatus);
const tags = ['session'];

const statusSchema = {
  summary: 'Who the caller is',
  tags,
  security: [],
  response: responses({ 200: status }),
};
const loginSchema = {
  summary: 'Log in with the dashboard key',
  tags,
  security: [],
  body: LoginBody,
  response: responses({ 200: status }, { 400: 'the body is refused', 403: 'sent from another site' }),
};
const logoutSchema = {
  summary: 'Log out',
  tags,
  security: [],
  response: responses({ 204: empty('the cookie is cleared') }, { 403: 'sent from another site' }),
};

/** `/api/session`: log in, log out, who am I. Open to everybody. */
export function sessionRoutes(app: App, { authenticator, basePath }: RouteContext): void {
  const open = { config: { open: true } };

  app.get('/session', { ...open, schema: statusSchema }, async (request, reply): Promise<SessionStatus> => {
    reply.header('cache-control', 'no-store');
    const { caller } = request;
    if (caller === undefined) return { authenticated: false, method: null, expiresAt: null };
    if (caller.expiresAt === undefined) return { authenticated: true, method: 'key', expiresAt: null };
    if (!authenticator.sessions.aging(caller.expiresAt)) return loggedIn(caller.expiresAt);
    const session = authenticator.sessions.issue();
    setCookie(request, reply, { session, basePath });
    return loggedIn(session.expiresAt);
  });

  app.post('/session', { ...open, schema: loginSchema }, async (request, reply): Promise<SessionStatus> => {
    const session = await authenticator.login(request.ip, request.body.key);
    if (session === undefined) throw new UnauthenticatedError();
    setCookie(request, reply, { session, basePath });
    reply.header('cache-control', 'no-store');
    return loggedIn(session.expiresAt);
  });

  app.delete('/session', { ...open, schema: logoutSchema }, async (_request, reply) => {
    reply.clearCookie(SESSION_COOKIE, { path: basePath, httpOnly: true, sameSite: 'strict' });
    return reply.code(204).send();
  });
}

function loggedIn(expiresAt: number): SessionStatus {
  return { authenticated: true, method: 'cookie', expiresAt: new Date(expiresAt).toISOString() };
}

function setCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  { session, basePath }: { session: SessionToken; basePath: string },
): void {
  reply.setCookie(SESSION_COOKIE, session.token, {
    path: basePath,
    httpOnly: true,
    sameSite: 'strict',
    secure: overHttps(request),
    expires: new Date(session.expiresAt),
  });
}

/** TLS ends in front of this server. A forged header only harms the cookie of the one who sends it. */
function overHttps(request: FastifyRequest): boolean {
  const header = request.headers['x-forwarded-proto'];
  const first = (Array.isArray(header) ? header[0] : header)?.split(',', 1)[0];
  return first?.trim().toLowerCase() === 'https';
}
