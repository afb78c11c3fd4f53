import { NexusError } from '@claude-nexus/runtime';

/** A port that `npm start` shall serve on is taken or forbidden. */
export class PortUnavailableError extends NexusError {
  readonly code = 'NEXUS_PORT_UNAVAILABLE';
}

/** The data directory holds a file that cannot be used. */
export class DataDirError extends NexusError {
  readonly code = 'NEXUS_DATA_DIR_UNUSABLE';
}

/** A service ended, or did not become ready, while everything was being started. */
export class ServiceStartError extends NexusError {
  readonly code = 'NEXUS_SERVICE_START_FAILED';
}

/** Ctrl-C came while everything was being started. */
export class StartCancelledError extends NexusError {
  readonly code = 'NEXUS_START_CANCELLED';
}

/** The database was migrated by a release that no longer serves this one. */
export class SchemaTooNewError extends NexusError {
  readonly code = 'NEXUS_SCHEMA_TOO_NEW';
}

/** The database that the operator named cannot be connected to or prepared. */
export class DatabaseUnusableError extends NexusError {
  readonly code = 'NEXUS_DATABASE_UNUSABLE';
}
