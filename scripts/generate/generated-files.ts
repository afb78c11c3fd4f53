import { CRD_FILE, crdFileContent } from '../../operator/src/api/v1alpha1/crd-file.ts';
import { DASHBOARDS } from '../dashboards/dashboards.ts';
import { grafanaDashboard } from '../dashboards/grafana.ts';
import { operatorRules } from './operator-rules.ts';

const CHART = 'charts/claude-nexus';

/** Every file that is made from sources: its path from the root of the repository, and what it holds. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    [CRD_FILE, crdFileContent()],
    // Helm takes nothing from outside the chart.
    [`${CHART}/${CRD_FILE}`, crdFileContent()],
    [`${CHART}/files/operator-rules.json`, operatorRules()],
    ...DASHBOARDS.map(
      (dashboard) =>
        [`${CHART}/files/dashboards/${dashboard.name}.json`, json(grafanaDashboard(dashboard))] as const,
    ),
  ]);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
