import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { describe, expect, test } from 'vitest';

import { CRD_FILE, crdFileContent } from './crd-file.ts';
import { claudeNexusCrd } from './crd.ts';

/** A quarter of what `kubectl apply` can keep in its annotation, so that fields can still come. */
const MAX_BYTES = 64 * 1024;

type Node = Readonly<Record<string, unknown>>;

/** Every schema below `schema`, with its path. */
function* walk(schema: Node, path: string): Generator<readonly [string, Node]> {
  yield [path, schema];
  for (const [name, property] of Object.entries((schema['properties'] ?? {}) as Record<string, Node>)) {
    yield* walk(property, `${path}.${name}`);
  }
  if (schema['items'] !== undefined) yield* walk(schema['items'] as Node, `${path}[]`);
  if (schema['additionalProperties'] !== undefined) {
    yield* walk(schema['additionalProperties'] as Node, `${path}{}`);
  }
}

function rootSchema(): Node {
  const { versions } = claudeNexusCrd()['spec'] as { versions: { schema: { openAPIV3Schema: Node } }[] };
  return versions[0]?.schema.openAPIV3Schema ?? {};
}

const nodes = [...walk(rootSchema(), '')];
const ofSpec = nodes.filter(([path]) => path.startsWith('.spec'));

describe('the CustomResourceDefinition', () => {
  test('is what crds/ holds; after a change run `npm run generate`', () => {
    const file = readFileSync(resolve(import.meta.dirname, '../../../..', CRD_FILE), 'utf8');
    expect(file).toBe(crdFileContent());
  });

  test('stays small enough for client-side apply, as YAML and as JSON', () => {
    expect(Buffer.byteLength(crdFileContent())).toBeLessThan(MAX_BYTES);
    expect(Buffer.byteLength(JSON.stringify(claudeNexusCrd()))).toBeLessThan(MAX_BYTES);
  });

  test('describes every field', () => {
    const silent = nodes.filter(
      ([path, { description }]) =>
        /\.\w+$/.test(path) && !/^\.(apiVersion|kind|metadata)$/.test(path) && description === undefined,
    );
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  test('bounds every text, list and map of the spec, for the cost of its rules', () => {
    const bound: Readonly<Record<string, string>> = { string: 'maxLength', array: 'maxItems' };
    const unbounded = ofSpec.filter(([, node]) => {
      const needed = bound[String(node['type'])];
      const open = node['additionalProperties'] !== undefined && node['maxProperties'] === undefined;
      return open || (needed !== undefined && node[needed] === undefined && node['enum'] === undefined);
    });
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });

  test('bounds every number of the spec', () => {
    const numbers = ofSpec.filter(([, { type }]) => type === 'integer');
    expect(numbers.length).toBeGreaterThan(8);
    const unbounded = numbers.filter(
      ([, { minimum, maximum }]) => minimum === undefined || maximum === undefined,
    );
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });

  test('tells the fix in a message of every rule', () => {
    const messages = nodes.flatMap(([, node]) =>
      ((node['x-kubernetes-validations'] ?? []) as { message: string }[]).map(({ message }) => message),
    );
    expect(messages.length).toBeGreaterThan(20);
    for (const message of messages) expect(message).toMatch(/must|may|set|cannot/);
  });

  test('requires no field that has a default', () => {
    const wrong = nodes.flatMap(([path, node]) => {
      const properties = (node['properties'] ?? {}) as Record<string, Node>;
      const required = (node['required'] ?? []) as string[];
      return required
        .filter((name) => properties[name]?.['default'] !== undefined)
        .map((name) => `${path}.${name}`);
    });
    expect(wrong).toEqual([]);
  });

  test('is a new object each time, so that nobody changes it for others', () => {
    expect(claudeNexusCrd()).not.toBe(claudeNexusCrd());
  });
});
