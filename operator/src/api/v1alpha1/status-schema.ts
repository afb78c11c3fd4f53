import { Type } from 'typebox';
import type { TSchema } from 'typebox';

import type { ClaudeNexusStatus } from './claude-nexus.ts';
import type { Condition } from './conditions.ts';
import { oneOf } from './fields.ts';

/** As metav1.Condition. */
const conditionFields = {
  type: Type.String({
    description: 'Ready sums the others up; Reconciling, Stalled and Paused are there only while true.',
    maxLength: 316,
    pattern: '^[A-Za-z]+$',
  }),
  status: oneOf(['True', 'False', 'Unknown'], { description: 'Whether it holds.' }),
  reason: Type.String({
    description: 'Why, in one word for programs.',
    minLength: 1,
    maxLength: 1024,
    pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
  }),
  message: Type.String({ description: 'Why, and what to do, for people.', maxLength: 32_768 }),
  observedGeneration: Type.Integer({
    description: 'metadata.generation this was found out for.',
    minimum: 0,
    format: 'int64',
  }),
  lastTransitionTime: Type.String({ description: 'When status changed last.', format: 'date-time' }),
} satisfies Record<keyof Condition, TSchema>;

const text = (description: string, maxLength: number) =>
  Type.Optional(Type.String({ description, maxLength }));

const statusFields = {
  observedGeneration: Type.Optional(
    Type.Integer({ description: 'metadata.generation the status is about.', minimum: 0, format: 'int64' }),
  ),
  conditions: Type.Optional(
    Type.Array(Type.Object(conditionFields), {
      description: 'What is well and what is not.',
      maxItems: 32,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    }),
  ),
  replicas: Type.Optional(Type.Integer({ description: 'Pods of the proxy.', minimum: 0, format: 'int32' })),
  selector: text('Selects the pods of the proxy.', 1024),
  url: text('Where clients reach the proxy.', 2048),
  dashboardUrl: text('Where the dashboard is.', 2048),
  images: Type.Optional(
    Type.Object(
      {
        proxy: Type.String({ description: 'Image of the proxy.', maxLength: 512 }),
        dashboard: Type.String({ description: 'Image of the dashboard.', maxLength: 512 }),
      },
      {
        description:
          'Images the running Deployments have; behind the spec while a migration runs or has failed.',
      },
    ),
  ),
  generatedSecrets: Type.Optional(
    Type.Array(Type.String({ maxLength: 253 }), {
      description: 'Secrets that were generated. One that is named here and gone is not silently made anew.',
      maxItems: 64,
      'x-kubernetes-list-type': 'set',
    }),
  ),
  rotations: Type.Optional(
    Type.Object(
      {
        logins: text('Of claudenexus.dev/rotate-logins.', 4096),
        dashboardKey: text('Of claudenexus.dev/rotate-dashboard-key.', 4096),
      },
      { description: 'Values of the rotation annotations that are done with.' },
    ),
  ),
} satisfies Record<keyof ClaudeNexusStatus, TSchema>;

export const ClaudeNexusStatusSchema = Type.Object(statusFields, {
  description: 'What the operator found and did.',
});
