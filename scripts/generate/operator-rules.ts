import { CLUSTER_RULES, NAMESPACE_RULES, leaseRules } from '../../operator/src/rbac.ts';

/** Stands for the name of the Lease, which is that of the release's operator. */
const LEASE_NAME = 'LEASE_NAME';

/** What the operator may do, for the chart: in each namespace, beyond namespaces, and about its Lease. */
export function operatorRules(): string {
  const rules = { namespace: NAMESPACE_RULES, cluster: CLUSTER_RULES, lease: leaseRules(LEASE_NAME) };
  return `${JSON.stringify(rules, undefined, 2)}\n`;
}
