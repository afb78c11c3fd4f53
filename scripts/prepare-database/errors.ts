import { NexusError } from '@claude-nexus/runtime';

/** LOGINS_FILE is unusable. The message names the field and the fix, never a password. */
export class LoginsFileError extends NexusError {
  readonly code = 'NEXUS_LOGINS_FILE_INVALID';

  constructor(problem: string) {
    super(`LOGINS_FILE ${problem}`);
  }
}

/** The database refused a step. The message holds neither password nor URL. */
export class PrepareDatabaseError extends NexusError {
  readonly code = 'NEXUS_PREPARE_DATABASE_FAILED';
}
