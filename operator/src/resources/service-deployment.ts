import { ANNOTATIONS } from '../api/v1alpha1/claude-nexus.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { child } from './child.ts';
import { childName, selectorLabels } from './names.ts';
import { NEXUS_USER, podTemplate, spreadOverNodes } from './pod.ts';
import type { Scheduling } from './pod.ts';
import type { RenderContext } from './render-context.ts';

export interface ServiceDeploymentOptions {
  readonly component: 'proxy' | 'dashboard';
  /** Undefined leaves the number to an autoscaler. */
  readonly replicas: number | undefined;
  readonly scheduling: Scheduling | undefined;
  readonly graceSeconds: number;
  readonly container: Record<string, unknown>;
  readonly volumes?: readonly unknown[];
}

/** Deployment of one of our services; it rolls without a moment of fewer pods than wanted. */
export function serviceDeployment(
  { owner, checksums }: RenderContext,
  options: ServiceDeploymentOptions,
): KubeObject {
  const { component, replicas, scheduling, graceSeconds, volumes = [] } = options;
  const name = childName(owner.metadata.name, component);
  return child(
    { owner, kind: KINDS.Deployment, component, name },
    {
      spec: {
        replicas,
        revisionHistoryLimit: 3,
        selector: { matchLabels: selectorLabels(owner, component) },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        template: podTemplate({
          owner,
          component,
          serviceAccountName: name,
          user: NEXUS_USER,
          scheduling,
          annotations: { [ANNOTATIONS.checksum]: checksums[component] },
          extra: {
            terminationGracePeriodSeconds: graceSeconds,
            topologySpreadConstraints: spreadOverNodes(owner, component, scheduling),
          },
          container: options.container,
          volumes,
        }),
      },
    },
  );
}
