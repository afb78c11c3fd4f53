import { parseArgs } from 'node:util';

/** Flags of a soak. */
export interface Flags {
  readonly minutes: number;
  readonly seed: number;
  /** Say what every sample was. */
  readonly verbose: boolean;
}

/** Writes a line to standard output. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** @returns undefined after saying what is wrong */
export function readFlags(): Flags | undefined {
  try {
    const options = {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      verbose: { type: 'boolean', default: false },
    } as const;
    const { values } = parseArgs({ options });
    const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
    if (minutes > 0 && Number.isInteger(seed)) return { minutes, seed, verbose: values.verbose };
    say('--minutes must be a number above 0, --seed a whole number');
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
  }
  return undefined;
}
