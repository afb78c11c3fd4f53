/** An identifier is not a UUID. The value is not part of the message: it may be a client's input. */
export class InvalidIdError extends Error {
  readonly code = 'NEXUS_ID_INVALID';

  constructor(reason: string) {
    super(`Not a UUID: ${reason}. Expected 36 characters like 019a1b2c-3d4e-7f60-8a9b-0c1d2e3f4a5b.`);
    this.name = 'InvalidIdError';
  }
}
