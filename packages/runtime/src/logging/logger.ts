import { pino } from 'pino';
import type { DestinationStream, LogFn, Logger as PinoLogger, LoggerOptions as PinoOptions } from 'pino';

import { redactText, redactValue } from './redact.ts';
import { standardOutput } from './standard-output.ts';

/** Accepted by `LOG_LEVEL`, most talkative first. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Structured logger: the object first, the message second. */
export type Logger = PinoLogger;

export interface LoggerOptions {
  /** Program that writes, for example `proxy`. */
  readonly name: string;
  readonly level: LogLevel;
  /** Where the lines go; standard output when absent. */
  readonly destination?: DestinationStream;
}

/**
 * A logger of JSON lines. Whatever is logged, objects, errors, messages and the bindings of child loggers, passes
 * the redaction of `redact.ts` first, so that no call site has to remember it.
 */
export function createLogger(options: LoggerOptions): Logger {
  const settings: PinoOptions = {
    level: options.level,
    base: { pid: process.pid, name: options.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    // Errors are turned into plain objects by the redaction; pino's own serializer would run after it.
    serializers: { err: (value: unknown) => value },
    formatters: {
      level: (label) => ({ level: label }),
      log: redactObject,
    },
    hooks: { logMethod: writeRedacted },
  };
  return withRedactedChildren(pino(settings, options.destination ?? standardOutput()));
}

/** pino applies no formatter to the bindings of a child; children of children inherit this method. */
function withRedactedChildren(logger: PinoLogger): PinoLogger {
  const plain = Object.getPrototypeOf(logger) as PinoLogger;
  const redactedChild = function (this: PinoLogger, bindings: object, options?: object): PinoLogger {
    return plain.child.call(this, redactObject(bindings), options) as unknown as PinoLogger;
  };
  return Object.assign(logger, { child: redactedChild });
}

function writeRedacted(this: PinoLogger, args: Parameters<LogFn>, method: LogFn): void {
  const [first, ...rest]: unknown[] = args;
  const redacted = rest.map(redactValue);
  // Without a message of its own pino would repeat that of the error, unredacted.
  const error = errorOf(first);
  if (redacted.length === 0 && error !== undefined) redacted.push(redactText(error.message));
  Reflect.apply(method, this, [typeof first === 'string' ? redactText(first) : first, ...redacted]);
}

function errorOf(first: unknown): Error | undefined {
  const candidate: unknown =
    typeof first === 'object' && first !== null && 'err' in first ? first.err : first;
  return candidate instanceof Error ? candidate : undefined;
}

function redactObject(object: object): Record<string, unknown> {
  return redactValue(object) as Record<string, unknown>;
}
