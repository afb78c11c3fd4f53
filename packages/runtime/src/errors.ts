/**
 * Root of every error this product throws on purpose. `code` is stable: tests, logs and callers rely on it, while
 * the message is for people and may change.
 */
export abstract class NexusError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A setting or command-line flag is unusable. The message is one line that names each one and its fix. */
export class ConfigError extends NexusError {
  readonly code = 'NEXUS_CONFIG_INVALID';
  /** One entry per problem; `message` is all of them in one line. */
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.problems = problems;
  }
}

/** A credential file is unusable. The message is one line that names the file, the field and the fix. */
export class CredentialFileError extends NexusError {
  readonly code = 'NEXUS_CREDENTIAL_FILE_INVALID';
  /** Name of the file without its folder. */
  readonly fileName: string;

  constructor(fileName: string, problem: string, options?: ErrorOptions) {
    super(`${fileName}: ${problem}`, options);
    this.fileName = fileName;
  }
}

/** A server could not bind its address. The message is one line that names the address and the fix. */
export class ListenError extends NexusError {
  readonly code = 'NEXUS_LISTEN_FAILED';
}

/** A metric was declared with a name outside the naming rule. A mistake in our own code. */
export class MetricNameError extends NexusError {
  readonly code = 'NEXUS_METRIC_NAME_INVALID';
}
