import type { Reason } from '../api/v1alpha1/conditions.ts';
import type { ClaudeNexusSpec } from '../api/v1alpha1/spec.ts';
import type { Observed } from '../controllers/claude-nexus/plan.ts';
import { POSTGRES_PORT, cloudNativePgHost, postgresHost } from '../resources/addresses.ts';
import { POSTGRES_DATABASE, POSTGRES_SUPERUSER } from '../resources/postgres.ts';
import { nameOf } from './children.ts';
import { LOGIN_SERVICES, loginName, loginsFile } from './logins.ts';
import type { LoginService, LoginState, Slot } from './logins.ts';
import { secretText } from './secret.ts';

const EXTERNAL_KEYS = ['ownerUrl', 'proxyUrl', 'dashboardUrl'] as const;
export const OWNER_URL_KEY = 'ownerUrl';
export const LOGINS_KEY = 'logins.json';

/** A reason why the database cannot be reached or set up yet. */
interface Obstacle {
  readonly reason: Reason;
  readonly message: string;
}

type DatabaseMode = 'managed' | 'external' | 'cloudNativePG';

export interface DatabaseAccess {
  readonly mode: DatabaseMode;
  /** Secret the pods read their address from. */
  readonly secret: string;
  readonly urlKeys: Readonly<Record<LoginService, string>>;
  /** Each service's address; undefined while it is not known. */
  readonly urls: Readonly<Record<LoginService, string | undefined>>;
  /** Owner's address; undefined while it is not known: nothing can be migrated then. */
  readonly ownerUrl: string | undefined;
  readonly obstacle: Obstacle | undefined;
  /** Content of the Secret we apply; undefined for an external database. */
  readonly texts: Readonly<Record<string, string>> | undefined;
}

export function databaseMode(spec: ClaudeNexusSpec): DatabaseMode {
  if (spec.database.managed !== undefined) return 'managed';
  return spec.database.cloudNativePG === undefined ? 'external' : 'cloudNativePG';
}

/** The user's Secret with the three addresses, as it is or with what is wrong about it. */
export function externalAccess(observed: Observed): DatabaseAccess {
  const name = observed.owner.spec.database.external?.secretRef.name ?? '';
  const secret = observed.secrets.get(name);
  const urls = { proxy: secretText(secret, 'proxyUrl'), dashboard: secretText(secret, 'dashboardUrl') };
  return {
    mode: 'external',
    secret: name,
    urlKeys: { proxy: 'proxyUrl', dashboard: 'dashboardUrl' },
    urls,
    ownerUrl: secretText(secret, OWNER_URL_KEY),
    obstacle:
      secret === undefined
        ? { reason: 'SecretNotFound', message: `Secret ${name} does not exist; create it` }
        : invalidExternal(name, (key) => secretText(secret, key)),
    texts: undefined,
  };
}

function invalidExternal(name: string, textOf: (key: string) => string | undefined): Obstacle | undefined {
  const bad = EXTERNAL_KEYS.filter((key) => !isPostgresUrl(textOf(key)));
  if (bad.length === 0) return undefined;
  const message = `Secret ${name} needs a URL that starts with postgresql:// under ${bad.join(', ')}`;
  return { reason: 'DatabaseSecretInvalid', message };
}

function isPostgresUrl(text: string | undefined): boolean {
  const url = text === undefined ? null : URL.parse(text);
  return url !== null && ['postgres:', 'postgresql:'].includes(url.protocol);
}

/** The StatefulSet of ours. @param password undefined when it is lost */
export function managedAccess(
  observed: Observed,
  logins: LoginState,
  password: string | undefined,
): DatabaseAccess {
  const host = postgresHost(observed.owner);
  const secretName = nameOf(observed, 'postgres-password');
  const known = secretText(observed.secrets.get(nameOf(observed, 'database')), OWNER_URL_KEY);
  const obstacle: Obstacle = {
    reason: 'DatabasePasswordLost',
    message:
      `Secret ${secretName} is gone while its data is still there; create it with the old password under the key ` +
      `password (it is part of ${OWNER_URL_KEY} in Secret ${nameOf(observed, 'database')})`,
  };
  return withLogins(observed, logins, {
    mode: 'managed',
    host,
    // What was applied last stays: it is where people find the lost password.
    ownerUrl: password === undefined ? known : urlOf({ user: POSTGRES_SUPERUSER, password, host }),
    obstacle: password === undefined ? obstacle : undefined,
  });
}

/** A cluster of CloudNativePG, which makes Secret and Service itself. */
export function cloudNativePgAccess(observed: Observed, logins: LoginState): DatabaseAccess {
  const cluster = nameOf(observed, 'postgres');
  const host = cloudNativePgHost(observed.owner);
  const superuser = observed.secrets.get(`${cluster}-superuser`);
  const user = secretText(superuser, 'username');
  const password = secretText(superuser, 'password');
  const known = user !== undefined && password !== undefined;
  return withLogins(observed, logins, {
    mode: 'cloudNativePG',
    host,
    ownerUrl: known ? urlOf({ user, password, host }) : undefined,
    obstacle: observed.has.cloudNativePG
      ? known
        ? undefined
        : {
            reason: 'ClusterNotReady',
            message: `Cluster ${cluster} has not made its Secret ${cluster}-superuser yet`,
          }
      : {
          reason: 'CloudNativePGMissing',
          message: 'The cluster does not serve postgresql.cnpg.io/v1; install CloudNativePG',
        },
  });
}

interface OwnDatabase {
  readonly mode: DatabaseMode;
  readonly host: string;
  readonly ownerUrl: string | undefined;
  readonly obstacle: Obstacle | undefined;
}

/**
 * The key names the login: a pod of the old template can then never pick up the new login or the other way round,
 * whatever the kubelet still has in its cache.
 */
function withLogins(observed: Observed, logins: LoginState, own: OwnDatabase): DatabaseAccess {
  const urlFor = (service: LoginService, slot: Slot) =>
    urlOf({
      user: loginName(service, slot),
      password: logins.passwords[service][slot],
      host: own.host,
    });
  const entries = LOGIN_SERVICES.flatMap((service) =>
    logins.enabled.map((slot) => [urlKey(service, slot), urlFor(service, slot)] as const),
  );
  return {
    mode: own.mode,
    secret: nameOf(observed, 'database'),
    urlKeys: { proxy: urlKey('proxy', logins.active), dashboard: urlKey('dashboard', logins.active) },
    urls: { proxy: urlFor('proxy', logins.active), dashboard: urlFor('dashboard', logins.active) },
    ownerUrl: own.ownerUrl,
    obstacle: own.obstacle,
    texts: {
      ...Object.fromEntries(entries),
      ...(own.ownerUrl === undefined ? {} : { [OWNER_URL_KEY]: own.ownerUrl }),
      [LOGINS_KEY]: loginsFile(logins),
    },
  };
}

/** Key of NAME-database that holds the address of a service's login. */
export function urlKey(service: LoginService, slot: Slot): string {
  return `${service}Url${slot.toUpperCase()}`;
}

function urlOf(parts: { user: string; password: string; host: string }): string {
  const login = `${encodeURIComponent(parts.user)}:${encodeURIComponent(parts.password)}`;
  return `postgresql://${login}@${parts.host}:${POSTGRES_PORT}/${POSTGRES_DATABASE}`;
}
