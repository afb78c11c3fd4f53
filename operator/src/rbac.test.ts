import { describe, expect, it } from 'vitest';

import { OPTIONAL_KINDS, OWNED_KINDS } from './controllers/claude-nexus/owned-kinds.ts';
import { CLUSTER_RULES, NAMESPACE_RULES, leaseRules } from './rbac.ts';

const all = [...NAMESPACE_RULES, ...CLUSTER_RULES, ...leaseRules('x')];

describe('the rules', () => {
  it('have no wildcard', () => {
    expect(JSON.stringify(all)).not.toContain('*');
  });

  it.each([...OWNED_KINDS, ...OPTIONAL_KINDS])('let the operator watch $kind', ({ apiVersion, plural }) => {
    const group = apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
    const rules = NAMESPACE_RULES.filter(
      ({ apiGroups, resources }) => apiGroups.includes(group) && resources.includes(plural),
    );
    expect(rules.flatMap(({ verbs }) => verbs)).toEqual(expect.arrayContaining(['list', 'watch']));
  });

  it('let nobody delete a claim or a ClaudeNexus', () => {
    const deleting = all
      .filter(({ verbs }) => verbs.includes('delete'))
      .flatMap(({ resources }) => resources);
    expect(deleting).not.toContain('persistentvolumeclaims');
    expect(deleting).not.toContain('claudenexuses');
  });
});
