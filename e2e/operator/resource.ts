import { setTimeout as delay } from 'node:timers/promises';

import { at } from '../fixtures/control-plane/api.ts';
import { until } from '../fixtures/program.ts';
import { resourcesPath } from './crd.ts';
import type { Api, TestObject } from '../fixtures/control-plane/api.ts';

/** Looks like a key and opens nothing. */
export const API_KEY = 'sk-ant-api03-of-the-tests-of-the-operator';

/** Which ClaudeNexus. */
export interface ResourceRef {
  readonly namespace: string;
  readonly name: string;
}

export interface TestCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

export const resourcePath = ({ namespace, name }: ResourceRef): string =>
  `${resourcesPath(namespace)}/${name}`;

export const newResource = (
  name: string,
  spec: unknown,
  annotations: Readonly<Record<string, string>> = {},
) => ({
  apiVersion: 'claudenexus.dev/v1alpha1',
  kind: 'ClaudeNexus',
  metadata: { name, annotations },
  spec,
});

/** Creates or replaces a Secret of a user. */
export async function putSecret(
  api: Api,
  { namespace, name }: ResourceRef,
  stringData: Readonly<Record<string, string>>,
): Promise<void> {
  const data = Object.fromEntries(
    Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
  const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  await api.apply(path, { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data });
}

/** A condition of a resource; undefined when it has none of that type. */
export function condition(resource: TestObject | undefined, type: string): TestCondition | undefined {
  const conditions = (at(resource, 'status.conditions') ?? []) as readonly TestCondition[];
  return conditions.find((candidate) => candidate.type === type);
}

/** Whether the status is about the spec the resource has now. */
export const isCurrent = (resource: TestObject): boolean =>
  at(resource, 'status.observedGeneration') === resource.metadata.generation;

/** Waits until a resource says of its present spec that it is ready. @throws Error with its conditions */
export async function untilReady(api: Api, ref: ResourceRef): Promise<TestObject> {
  return untilTold(api, ref, 'Ready', (told) => told.status === 'True');
}

/** Waits until a condition, told of the present spec, is as wanted. @throws Error with the conditions it has instead */
export async function untilTold(
  api: Api,
  ref: ResourceRef,
  type: string,
  isWanted: (told: TestCondition) => boolean,
): Promise<TestObject> {
  let last: TestObject | undefined;
  try {
    return await until(`${type} of ${ref.name}`, async () => {
      last = await api.find(resourcePath(ref));
      const told = condition(last, type);
      // Of one that is paused only the condition that says so is about the present spec.
      const isOfNow = told !== undefined && told.observedGeneration === last?.metadata.generation;
      return isOfNow && isWanted(told) ? last : undefined;
    });
  } catch (cause) {
    const conditions = JSON.stringify(at(last, 'status.conditions') ?? null, undefined, 1);
    throw new Error(`${type} of ${ref.name} is not as wanted: ${conditions}`, { cause });
  }
}

/** A bounded look at nothing happening: there is no event to wait for. */
const QUIET_MS = 2000;
export const quietWindow = (): Promise<void> => delay(QUIET_MS);
