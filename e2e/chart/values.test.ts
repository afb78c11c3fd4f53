import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isMap, isScalar, parseDocument } from 'yaml';
import type { YAMLMap } from 'yaml';

import { CHART } from '../fixtures/helm.ts';
import { OPERATOR_CONFIG } from '../../operator/src/config.ts';
import { ROOT } from '../fixtures/program.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly description?: string;
}

const read = (name: string) => readFile(path.join(CHART, name), 'utf8');
const text = await read('values.yaml');
const schema = JSON.parse(await read('values.schema.json')) as Schema;
const deployment = (await read('templates/_pod.tpl')) + (await read('templates/operator-deployment.yaml'));

/** Every value with its path, and whether a comment stands on the line above it. */
function* walk(
  map: YAMLMap,
  place: readonly string[] = [],
): Generator<{ place: readonly string[]; commented: boolean; leaf: boolean }> {
  const lines = text.split('\n');
  for (const { key, value } of map.items) {
    if (!isScalar(key)) continue;
    const at = [...place, String(key.value)];
    const line = text.slice(0, key.range?.[0]).split('\n').length - 1;
    const leaf = !isMap(value) || value.items.length === 0;
    yield { place: at, commented: /^\s*#/.test(lines[line - 1] ?? ''), leaf };
    if (isMap(value)) yield* walk(value, at);
  }
}

/** Whether the schema describes a value; below a free-form one everything goes. */
function isDescribed({ place }: { readonly place: readonly string[] }): boolean {
  let node: Schema | undefined = schema;
  for (const name of place) {
    if (node?.properties === undefined) return true;
    node = node.properties[name];
  }
  return node?.description !== undefined;
}

const values = [...walk(parseDocument(text).contents as YAMLMap)];

describe('the values of the chart', () => {
  it('have a comment each', () => {
    expect(
      values.filter(({ leaf, commented }) => leaf && !commented).map(({ place }) => place.join('.')),
    ).toEqual([]);
  });

  it('are all in the schema, with a description', () => {
    expect(values.filter((value) => !isDescribed(value)).map(({ place }) => place.join('.'))).toEqual([]);
  });

  it('are all the schema knows, but for what Helm itself adds', () => {
    const known = new Set(values.map(({ place }) => place.join('.')));
    const missing = Object.entries(schema.properties ?? {}).flatMap(([name, { properties = {} }]) =>
      name === 'settings'
        ? []
        : [name, ...Object.keys(properties).map((inner) => `${name}.${inner}`)].filter(
            (place) => !known.has(place),
          ),
    );
    expect(missing).toEqual(['global']);
  });

  it('and the chart give the operator every setting of its, once', () => {
    const own = [...deployment.matchAll(/(?:"|name: )([A-Z]+_[A-Z_]+)\b/g)].map(([, name]) => name);
    const open = Object.keys(schema.properties?.['settings']?.properties ?? {});
    const kubernetes = ['KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT', 'KUBECONFIG'];
    const declared = Object.values(OPERATOR_CONFIG).map(({ env }) => env);
    const given = [...own, ...open, ...kubernetes];
    expect(new Set(given)).toEqual(new Set<string | undefined>(declared));
    expect(given).toHaveLength(declared.length);
  });

  it('name the version that is released', async () => {
    const { version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8')) as {
      version: string;
    };
    const chart = parseDocument(await read('Chart.yaml')).toJS() as { version: string; appVersion: string };
    expect([chart.version, chart.appVersion]).toEqual([version, version]);
  });
});
