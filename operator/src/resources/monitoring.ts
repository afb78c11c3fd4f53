import type { ClaudeNexus } from '../api/v1alpha1/claude-nexus.ts';
import { KINDS } from '../kube/kinds.ts';
import type { KubeObject } from '../kube/object.ts';
import { alerts } from './alerts.ts';
import { child } from './child.ts';
import { childName, selectorLabels } from './names.ts';
import type { RenderContext } from './render-context.ts';

/** Children for the Prometheus operator, where the cluster has it. */
export function monitors({ owner, has, runbookUrl }: RenderContext): KubeObject[] {
  const { monitoring } = owner.spec;
  if (!has.prometheusOperator || monitoring === undefined) return [];
  const { serviceMonitor, prometheusRule } = monitoring;
  return [
    ...(serviceMonitor === undefined
      ? []
      : [monitor(owner, 'proxy', serviceMonitor), monitor(owner, 'dashboard', serviceMonitor)]),
    ...(prometheusRule === undefined ? [] : [rule(owner, prometheusRule.labels, runbookUrl)]),
  ];
}

function monitor(
  owner: ClaudeNexus,
  component: 'proxy' | 'dashboard',
  { labels, interval }: { readonly labels?: Readonly<Record<string, string>>; readonly interval: string },
): KubeObject {
  return child(
    {
      owner,
      kind: KINDS.ServiceMonitor,
      component,
      name: childName(owner.metadata.name, component),
      labels,
    },
    {
      spec: {
        selector: { matchLabels: selectorLabels(owner, component) },
        endpoints: [{ port: 'metrics', interval }],
      },
    },
  );
}

function rule(
  owner: ClaudeNexus,
  labels: Readonly<Record<string, string>> | undefined,
  runbookUrl: string,
): KubeObject {
  return child(
    // It watches the exchanges, which all go through the proxy.
    { owner, kind: KINDS.PrometheusRule, component: 'proxy', name: owner.metadata.name, labels },
    { spec: { groups: [{ name: `claude-nexus-${owner.metadata.name}`, rules: alerts(owner, runbookUrl) }] } },
  );
}
