import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';

/** Images used where the spec names none. */
export interface DefaultImages {
  readonly proxy: string;
  readonly dashboard: string;
  /** Without tag: the tag is the major version. */
  readonly postgres: string;
}

/** A credential Secret of ours: holds `<host>.credentials.json`. */
export interface DomainSecret {
  readonly host: string;
  readonly name: string;
  /** The credential file, complete. */
  readonly content: string;
}

/** One database login as `scripts/prepare-database.ts` reads it from `logins.json`. */
export interface DatabaseLogin {
  readonly name: string;
  readonly group: 'nexus_writer' | 'nexus_reader';
  readonly password: string;
  /** False: the login is locked and its sessions are ended. */
  readonly enabled: boolean;
}

/** The Job that migrates and sets logins up, as it is wanted now. */
export interface DatabaseJobInput {
  /** Differs whenever the Job has something new to do; part of its name. */
  readonly revision: string;
  readonly image: string;
  /** Secret and key of MIGRATION_DATABASE_URL. */
  readonly ownerUrl: { readonly secret: string; readonly key: string };
  /** Secret whose key `logins.json` says which logins there are; absent for an external database. */
  readonly loginsSecret: string | undefined;
  /** How often this revision was tried before; no part of the Job's name. */
  readonly attempt: number;
}

/**
 * Everything a builder needs: the resource and what the policies decided. Builders are pure: the same context gives the
 * same objects, byte for byte.
 */
export interface RenderContext {
  readonly owner: ClaudeNexus;
  readonly images: DefaultImages;
  /** Page with a section for each alert. */
  readonly runbookUrl: string;
  /** Images the Deployments get: the wanted ones, or the old ones until the database is migrated. */
  readonly proxyImage: string;
  readonly dashboardImage: string;
  /** Secret and key of each service's DATABASE_URL; absent until it is known. */
  readonly proxyDatabaseUrl: { readonly secret: string; readonly key: string };
  readonly dashboardDatabaseUrl: { readonly secret: string; readonly key: string };
  readonly dashboardKey: { readonly secret: string; readonly key: string };
  readonly accountHashKey: { readonly secret: string; readonly key: string };
  readonly domainSecrets: readonly DomainSecret[];
  /** Digest of what each service reads at start and the pod template does not show. */
  readonly checksums: { readonly proxy: string; readonly dashboard: string };
  /** Texts of the derived Secret `NAME-database` by key: addresses and logins.json; none for an external database. */
  readonly databaseSecret: Readonly<Record<string, string>> | undefined;
  /** Absent while the database must stay empty: until a restore has succeeded. */
  readonly databaseJob: DatabaseJobInput | undefined;
  /** How often the restore was tried before. */
  readonly restoreAttempt: number;
  /** TCP ports of the database URLs, which the network policies let through. */
  readonly databasePorts: readonly number[];
  /** Replicas of the proxy's Deployment; absent: left out, because an autoscaler sets them. */
  readonly proxyReplicas: number | undefined;
  /** Superuser password Secret of the managed PostgreSQL. */
  readonly postgresPassword: { readonly secret: string; readonly key: string };
  /** Major version the managed PostgreSQL runs: the spec's, or the old one while a change is refused. */
  readonly postgresVersion: number;
  /** Quantity in the StatefulSet's claim template: what the existing set has, until it is made anew. */
  readonly postgresStorage: string;
  /** Quantity of the claim the dumps are kept in; empty without backups. */
  readonly backupStorage: string;
  /** Optional APIs the cluster has. */
  readonly has: { readonly prometheusOperator: boolean; readonly cloudNativePG: boolean };
}
