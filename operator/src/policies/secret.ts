import type { KubeObject } from '../kube/object.ts';

/** Text under a key of a Secret; undefined when the key is missing or empty. */
export function secretText(secret: KubeObject | undefined, key: string): string | undefined {
  const data = secret?.['data'] as Readonly<Record<string, string>> | undefined;
  const encoded = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  if (encoded === undefined || encoded === '') return undefined;
  return Buffer.from(encoded, 'base64').toString('utf8');
}

/** Keys of a Secret. */
export function secretKeys(secret: KubeObject | undefined): string[] {
  return Object.keys((secret?.['data'] as Record<string, string> | undefined) ?? {});
}

/** `data` of a Secret from texts, sorted by key. */
export function secretData(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(texts)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, text]) => [key, Buffer.from(text, 'utf8').toString('base64')]),
  );
}
