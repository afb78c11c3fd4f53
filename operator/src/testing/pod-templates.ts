import type { KubeObject } from '../kube/object.ts';

export interface PodTemplate {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>> & { readonly containers: readonly Container[] };
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly securityContext: unknown;
  readonly resources?: { readonly requests?: Readonly<Record<string, string>> };
  readonly [field: string]: unknown;
}

/** The pod template of a Deployment, StatefulSet, Job or CronJob. */
export function podTemplateOf(object: KubeObject): PodTemplate | undefined {
  const spec = object['spec'] as
    | { readonly template?: PodTemplate; readonly jobTemplate?: { readonly spec: { template: PodTemplate } } }
    | undefined;
  return spec?.jobTemplate?.spec.template ?? spec?.template;
}

/** The value of a variable, or where it comes from. */
export function environmentOf(template: PodTemplate): Readonly<Record<string, unknown>> {
  const variables = template.spec.containers.flatMap(({ env = [] }) => env);
  return Object.fromEntries(variables.map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));
}

/** The one object of a kind and name. */
export function find(objects: readonly KubeObject[], kind: string, name: string): KubeObject {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} of ${kind} ${name}`);
  return found[0];
}
