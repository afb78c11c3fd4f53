import { KINDS } from '../../kube/kinds.ts';
import type { KubeObject } from '../../kube/object.ts';
import { raw } from './cel.ts';
import { ClaudeNexusSpecSchema } from './spec.ts';
import { ClaudeNexusStatusSchema } from './status-schema.ts';
import { structuralSchema } from './structural-schema.ts';
import type { StructuralSchema } from './structural-schema.ts';

const GROUP = 'claudenexus.dev';
const VERSION = 'v1alpha1';

const ofCondition = (type: string, field: string) => `.status.conditions[?(@.type=="${type}")].${field}`;

/** Those with priority 1 show with `-o wide`. */
const COLUMNS = [
  { name: 'Ready', type: 'string', jsonPath: ofCondition('Ready', 'status') },
  { name: 'Reason', type: 'string', jsonPath: ofCondition('Ready', 'reason') },
  { name: 'URL', type: 'string', jsonPath: '.status.url' },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  { name: 'Proxies', type: 'integer', priority: 1, jsonPath: '.status.replicas' },
  { name: 'Image', type: 'string', priority: 1, jsonPath: '.status.images.proxy' },
  { name: 'Database', type: 'string', priority: 1, jsonPath: ofCondition('DatabaseReady', 'reason') },
  { name: 'Dashboard', type: 'string', priority: 1, jsonPath: '.status.dashboardUrl' },
  { name: 'Message', type: 'string', priority: 1, jsonPath: ofCondition('Ready', 'message') },
];

/** Names of children begin with it and go into labels. */
const NAME_RULE = {
  rule: `self.metadata.name.size() <= 63 && self.metadata.name.matches(${raw('^[a-z]([-a-z0-9]*[a-z0-9])?$')})`,
  message:
    'metadata.name must be at most 63 lower-case letters, digits and dashes, and begin with a letter: choose another name',
};

function resourceSchema(): StructuralSchema {
  return {
    description:
      'A gateway for Claude Code: a proxy that records every exchange, the dashboard, and their database.',
    type: 'object',
    'x-kubernetes-validations': [NAME_RULE],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: structuralSchema(ClaudeNexusSpecSchema),
      status: structuralSchema(ClaudeNexusStatusSchema),
    },
  };
}

/** The CustomResourceDefinition of ClaudeNexus, as it is applied and as crds/ holds it. A new object each time. */
export function claudeNexusCrd(): KubeObject {
  const { plural, kind } = KINDS.ClaudeNexus;
  return {
    apiVersion: KINDS.CustomResourceDefinition.apiVersion,
    kind: KINDS.CustomResourceDefinition.kind,
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: ['cnx'],
        categories: ['claude-nexus'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          additionalPrinterColumns: COLUMNS,
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.proxy.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          schema: { openAPIV3Schema: resourceSchema() },
        },
      ],
    },
  };
}
