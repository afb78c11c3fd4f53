/** Base of every error this package throws: `code` is stable and may be switched on. */
export abstract class DatabasePackageError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
