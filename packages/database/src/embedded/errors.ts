import { DatabasePackageError } from '../errors.ts';

/** Another live process has the data directory open. */
export class DataDirInUseError extends DatabasePackageError {
  readonly code = 'NEXUS_DATA_DIR_IN_USE';
  readonly dataDir: string;
  readonly ownerPid: number;

  constructor(dataDir: string, ownerPid: number) {
    super(
      `data directory ${dataDir} is in use by process ${ownerPid}; stop that process or choose another directory`,
    );
    this.dataDir = dataDir;
    this.ownerPid = ownerPid;
  }
}

/** The data directory cannot be created or written. */
export class DataDirUnwritableError extends DatabasePackageError {
  readonly code = 'NEXUS_DATA_DIR_UNWRITABLE';
  readonly dataDir: string;

  constructor(dataDir: string, cause: unknown) {
    const reason = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    super(
      `data directory ${dataDir} cannot be written${reason}; make it writable or choose another directory`,
      {
        cause,
      },
    );
    this.dataDir = dataDir;
  }
}

/** The cluster was created by another major version of PostgreSQL. */
export class DataDirVersionError extends DatabasePackageError {
  readonly code = 'NEXUS_DATA_DIR_VERSION';
  readonly dataDir: string;
  readonly found: string;
  readonly supported: string;

  constructor(options: { dataDir: string; found: string; supported: string }) {
    super(
      `data directory ${options.dataDir} holds a PostgreSQL ${options.found} database, this program contains ` +
        `PostgreSQL ${options.supported}; use the release that wrote it or choose another directory`,
    );
    this.dataDir = options.dataDir;
    this.found = options.found;
    this.supported = options.supported;
  }
}

/** The data directory is damaged: a part it refers to is missing. */
export class DataDirDamagedError extends DatabasePackageError {
  readonly code = 'NEXUS_DATA_DIR_DAMAGED';
}

/** PostgreSQL could not be installed, initialised, started or stopped; the message ends with what it said. */
export class EmbeddedPostgresError extends DatabasePackageError {
  readonly code = 'NEXUS_EMBEDDED_POSTGRES';
}
