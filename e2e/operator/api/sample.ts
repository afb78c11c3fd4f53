import { resourcesPath } from '../crd.ts';
import type { Answer, Api } from '../../fixtures/control-plane/api.ts';

export type Spec = Readonly<Record<string, unknown>>;

export const resource = (spec: unknown, name = 'sample') => ({
  apiVersion: 'claudenexus.dev/v1alpha1',
  kind: 'ClaudeNexus',
  metadata: { name },
  ...(spec === undefined ? {} : { spec }),
});

/** Asks the API server what it would say to a new resource. */
export function tryCreate(api: Api, namespace: string, spec: unknown, name?: string): Promise<Answer> {
  return api.request(
    'POST',
    `${resourcesPath(namespace)}?dryRun=All&fieldValidation=Strict`,
    resource(spec, name),
  );
}

/** One domain with what it needs, and `fields` on top. */
export const withDomain = (fields: Spec): Spec => ({
  domains: [
    {
      host: 'claude.example.com',
      credential: { secretRef: { name: 'anthropic', key: 'api-key' } },
      ...fields,
    },
  ],
});

/** An object with the value at a dotted place. */
export const nested = (place: string, value: unknown): Spec =>
  place.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Spec;
