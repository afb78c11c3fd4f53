import { NexusError } from '@claude-nexus/runtime';

/** The spool folder cannot be used. The message names the folder and the fix. */
export class SpoolError extends NexusError {
  readonly code = 'NEXUS_SPOOL_UNUSABLE';
}

/** Another live process owns the spool folder. */
export class SpoolInUseError extends NexusError {
  readonly code = 'NEXUS_SPOOL_IN_USE';
}

/** The journal was called in a way it does not allow, or its files cannot be read at all. */
export class JournalError extends NexusError {
  readonly code = 'NEXUS_JOURNAL';
}
