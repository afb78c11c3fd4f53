import { Type } from 'typebox';
import type { TSchemaOptions } from 'typebox';

import { raw, rules } from './cel.ts';
import type { Rule } from './cel.ts';

/*
 * Fields that several parts of the resource have. Every text and list has an upper bound: the API server refuses rules
 * whose worst case costs too much.
 */

const MAX_MAP = 64;
/** Annotations of Ingress controllers hold pieces of configuration. */
const MAX_VALUE = 16_384;
const MAX_RESOURCES = 8;
const MAX_QUANTITY = 32;
const MAX_URL = 2048;

/** Labels and the like. */
export const stringMap = (description: string) =>
  Type.Unsafe<Record<string, string>>({
    type: 'object',
    description,
    additionalProperties: { type: 'string', maxLength: MAX_VALUE },
    maxProperties: MAX_MAP,
  });

/** Pass-through of a core type: any field, kept as it is. */
export const opaque = (description: string) =>
  Type.Unsafe<Readonly<Record<string, unknown>>>({
    type: 'object',
    description,
    'x-kubernetes-preserve-unknown-fields': true,
  });

export const oneOf = <const T extends string>(values: readonly T[], options: TSchemaOptions) =>
  Type.Unsafe<T>({ type: 'string', enum: values, ...options });

/**
 * A size in bytes.
 *
 * @param limits.atLeast quantity it may not fall below; also the example in the message
 */
export function size(
  description: string,
  limits: { readonly atLeast: string; readonly default?: string; readonly grows?: boolean },
) {
  const valid: Rule = {
    rule: `isQuantity(self) && quantity(self).compareTo(quantity('${limits.atLeast}')) >= 0`,
    message: `must be a quantity of at least ${limits.atLeast}, such as ${limits.default ?? limits.atLeast}`,
  };
  const grows: Rule = {
    rule: 'isQuantity(self) && isQuantity(oldSelf) && quantity(self).compareTo(quantity(oldSelf)) >= 0',
    message:
      'may grow but not shrink: keep the old size, or restore a backup into a new ClaudeNexus with less storage',
  };
  return Type.String({
    description,
    maxLength: MAX_QUANTITY,
    ...(limits.default === undefined ? {} : { default: limits.default }),
    ...rules(...(limits.grows === true ? [valid, grows] : [valid])),
  });
}

export const objectName = (description: string) =>
  Type.String({
    description,
    minLength: 1,
    maxLength: 253,
    pattern: '^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$',
  });

export const secretRef = (description: string) =>
  Type.Object({ name: objectName('Name of a Secret in the namespace of the ClaudeNexus.') }, { description });

export const secretKeyRef = (description: string) =>
  Type.Object(
    {
      name: objectName('Name of a Secret in the namespace of the ClaudeNexus.'),
      key: Type.String({
        description: 'Key in that Secret.',
        minLength: 1,
        maxLength: 253,
        pattern: '^[-._a-zA-Z0-9]+$',
      }),
    },
    { description },
  );

export const image = (description: string) =>
  Type.String({ description, minLength: 1, maxLength: 512, pattern: '^[a-zA-Z0-9][-a-zA-Z0-9._:/@]*$' });

/** Amounts of a compute resource; whole numbers may stand without quotes. */
const amounts = (description: string) =>
  Type.Unsafe<Record<string, string | number>>({
    type: 'object',
    description,
    additionalProperties: { 'x-kubernetes-int-or-string': true },
    maxProperties: MAX_RESOURCES,
    ...rules({
      rule: "self.all(name, type(self[name]) == int ? self[name] >= 0 : isQuantity(self[name]) && !quantity(self[name]).isLessThan(quantity('0')))",
      message: 'every amount must be a quantity that is not negative, such as cpu: 500m or memory: 1Gi',
    }),
  });

export const resources = (description: string) =>
  Type.Object(
    {
      requests: Type.Optional(amounts('What is set aside on a node, such as cpu: 500m and memory: 1Gi.')),
      limits: Type.Optional(amounts('What may not be exceeded.')),
    },
    { description },
  );

export const scheduling = (description: string) =>
  Type.Object(
    {
      nodeSelector: Type.Optional(stringMap('Labels a node must have.')),
      tolerations: Type.Optional(
        Type.Array(opaque('A core/v1 Toleration.'), {
          description: 'Taints of nodes that are put up with.',
          maxItems: 32,
        }),
      ),
      affinity: Type.Optional(
        opaque('A core/v1 Affinity. Replaces the topology spread the operator sets otherwise.'),
      ),
      priorityClassName: Type.Optional(objectName('Name of a PriorityClass.')),
    },
    { description },
  );

export const service = (description: string) =>
  Type.Object(
    {
      type: Type.Optional(
        oneOf(['ClusterIP', 'NodePort', 'LoadBalancer'], {
          description: 'How the Service is published. ClusterIP when absent.',
        }),
      ),
      annotations: Type.Optional(stringMap('Annotations of the Service, such as those of a load balancer.')),
    },
    { description },
  );

export const logLevel = oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal'], {
  description: 'Least severity that is logged.',
  default: 'info',
});

/** A claim's size and class. */
export const volume = (description: string) =>
  Type.Object(
    {
      size: size('Size of the volume. May be raised later, never lowered.', {
        atLeast: '1Gi',
        default: '20Gi',
        grows: true,
      }),
      storageClassName: Type.Optional(
        objectName("StorageClass of the volume; the cluster's default when absent. Cannot be changed later."),
      ),
    },
    {
      description,
      default: {},
      ...rules({
        rule: 'has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)',
        message:
          'cannot be changed for an existing volume: put the old value back, or restore a backup into a new ClaudeNexus with the other class',
        fieldPath: '.storageClassName',
      }),
    },
  );

export const deletionPolicy = oneOf(['Retain', 'Delete'], {
  description:
    'What happens to the volumes when the ClaudeNexus is deleted. With Delete the deletion has to be confirmed by the annotation claudenexus.dev/confirm-delete-data: "true".',
  default: 'Retain',
});

const PLAIN_URL = '^https?://[^/?#@[:space:]]+(/[^?#@[:space:]]*)?$';

export const httpUrl = (description: string, fallback: string) =>
  Type.String({
    description,
    maxLength: MAX_URL,
    default: fallback,
    ...rules({
      rule: `self.matches(${raw(PLAIN_URL)}) && isURL(self)`,
      message:
        'must be http:// or https:// with host, port and path only, such as https://api.anthropic.com; credentials belong into domains[].credential',
    }),
  });

const DNS_LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?';
/** What an Ingress takes as host. */
export const INGRESS_HOST = `^([*]\\.)?${DNS_LABEL}(\\.${DNS_LABEL})*$`;
