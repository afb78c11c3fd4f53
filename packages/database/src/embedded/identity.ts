import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';

/** PostgreSQL refuses to run as root; 65534 is `nobody` everywhere and needs no account. */
const UNPRIVILEGED = 65_534;

/** The user PostgreSQL runs as: `undefined` means the user of this process. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** @returns the identity to switch to when this process is root, else `undefined`. */
export function serverIdentity(): Identity | undefined {
  return process.getuid?.() === 0 ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : undefined;
}

/**
 * Starts a program as `identity`. The environment is minimal, so that no secret of this process is
 * inherited, and the working directory is `/`, because ours may be unreachable for that user.
 */
export function spawnAs(
  identity: Identity | undefined,
  command: string[],
  options: Pick<SpawnOptions, 'stdio' | 'detached'>,
): ChildProcess {
  const [file, ...args] = command;
  return spawn(file ?? '', args, {
    ...options,
    ...identity,
    cwd: '/',
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
  });
}
