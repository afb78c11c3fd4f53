import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { child } from './child.ts';
import { childName, selectorLabels } from './names.ts';
import type { RenderContext } from './render-context.ts';

/** Budgets that let a drain take one pod at a time, where there is more than one. */
export function disruptionBudgets({ owner }: RenderContext): KubeObject[] {
  const { proxy, dashboard, autoscaling } = owner.spec;
  return [
    ...(proxy.replicas > 1 || autoscaling !== undefined ? [disruptionBudget(owner, 'proxy')] : []),
    ...(dashboard.replicas > 1 ? [disruptionBudget(owner, 'dashboard')] : []),
  ];
}

function disruptionBudget(owner: ClaudeNexus, component: 'proxy' | 'dashboard'): KubeObject {
  return child(
    {
      owner,
      kind: KINDS.PodDisruptionBudget,
      component,
      name: childName(owner.metadata.name, component),
    },
    {
      spec: {
        maxUnavailable: 1,
        selector: { matchLabels: selectorLabels(owner, component) },
        // A pod that is not ready serves nobody, and must not hold up a drain.
        unhealthyPodEvictionPolicy: 'AlwaysAllow',
      },
    },
  );
}

/** The autoscaler of the proxy. */
export function autoscalers({ owner }: RenderContext): KubeObject[] {
  const { autoscaling } = owner.spec;
  if (autoscaling === undefined) return [];
  const name = childName(owner.metadata.name, 'proxy');
  const target = { type: 'Utilization', averageUtilization: autoscaling.targetCPUUtilizationPercentage };
  return [
    child(
      { owner, kind: KINDS.HorizontalPodAutoscaler, component: 'proxy', name },
      {
        spec: {
          scaleTargetRef: { apiVersion: KINDS.Deployment.apiVersion, kind: KINDS.Deployment.kind, name },
          minReplicas: autoscaling.minReplicas,
          maxReplicas: autoscaling.maxReplicas,
          metrics: [{ type: 'Resource', resource: { name: 'cpu', target } }],
        },
      },
    ),
  ];
}
