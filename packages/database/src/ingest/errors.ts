import { DatabasePackageError } from '../errors.ts';

/** A row cannot be stored whatever the database says; the message names the field. */
export class InvalidRowError extends DatabasePackageError {
  readonly code = 'NEXUS_INVALID_ROW';
  readonly field: string;

  constructor(field: string, expected: string) {
    super(`${field} must be ${expected}`);
    this.field = field;
  }
}

/**
 * A batch refers to a node or piece that is not stored: the recorder believed it was. Nothing of the batch
 * was written; send it again with everything it refers to.
 */
export class MissingNodeError extends DatabasePackageError {
  readonly code = 'NEXUS_MISSING_NODE';
  /** What the missing thing was to the row that refers to it. */
  readonly what: string;
  /** Hexadecimal hashes. */
  readonly hashes: readonly string[];

  constructor(what: string, hashes: readonly string[], cause: unknown) {
    super(`the batch refers to a ${what} that is not stored (${hashes.slice(0, 3).join(', ')})`, { cause });
    this.what = what;
    this.hashes = hashes;
  }
}
