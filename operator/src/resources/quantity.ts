const DECIMAL = ['k', 'M', 'G', 'T', 'P', 'E'];
const FACTORS = new Map<string, number>([
  ['', 1],
  ['m', 1e-3],
  ...DECIMAL.map((suffix, index): [string, number] => [suffix, 1000 ** (index + 1)]),
  ...DECIMAL.map((suffix, index): [string, number] => [`${suffix.toUpperCase()}i`, 1024 ** (index + 1)]),
]);

/**
 * Bytes of a Kubernetes quantity such as `2Gi`, `500M` or `1e9`, rounded up.
 *
 * @throws {RangeError} when it is none, which the schema of the resource rules out
 */
export function bytesOf(quantity: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(?:[eE]([+-]?\d+)|([A-Za-z]*))$/.exec(quantity);
  const factor = FACTORS.get(match?.[3] ?? '');
  if (match === null || factor === undefined) throw new RangeError(`not a quantity: ${quantity}`);
  return Math.ceil(Number(match[1]) * factor * 10 ** Number(match[2] ?? 0));
}
