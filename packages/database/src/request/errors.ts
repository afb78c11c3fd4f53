import { DatabasePackageError } from '../errors.ts';

/** A question to the database makes no sense; the message names the field. */
export class InvalidQueryError extends DatabasePackageError {
  readonly code = 'NEXUS_INVALID_QUERY';
  readonly field: string;

  constructor(field: string, expected: string) {
    super(`${field} must be ${expected}`);
    this.field = field;
  }
}
