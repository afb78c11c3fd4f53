import { isDeepStrictEqual } from 'node:util';

import { afterAll, describe, expect, test } from 'vitest';

import { KINDS } from '../../operator/src/kube/kinds.ts';
import { until } from '../fixtures/program.ts';
import { Comparison } from './comparison.ts';
import { choiceOf, prepareSecrets, specOf } from './features.ts';
import { runOperator } from './operator-process.ts';
import { childrenOf, complaints, kindPath, stateOf, writesAtRest } from './oracles.ts';
import { locate, otherValues, ownedFields, pathInWords } from './owned-fields.ts';
import { untilReady } from './resource.ts';
import { IS_FULL, SEED, sampleOf } from './sampling.ts';
import { setUp } from './set-up.ts';
import type { Kind } from '../../operator/src/kube/kinds.ts';
import type { TestObject } from '../fixtures/control-plane/api.ts';
import type { OperatorProcess } from './operator-process.ts';
import type { FieldPath } from './owned-fields.ts';

/** All kinds of children at once; two pods each, for the budgets. */
const SPEC = {
  ...specOf(choiceOf({ ingress: 'on', replicas: 'two', database: 'backedUp', domains: 'three' })),
  autoscaling: { minReplicas: 2, maxReplicas: 5 },
};
/** Of each child. */
const FIELDS = 4;

interface Edit {
  readonly url: string;
  readonly path: FieldPath;
  readonly before: unknown;
  readonly words: string;
}

const pathOf = ({ kind, metadata }: TestObject): string =>
  `${kindPath((KINDS as Readonly<Record<string, Kind>>)[kind] as Kind, metadata.namespace ?? '')}/${metadata.name}`;

/**
 * Labels and owners make a child ours and have tests of their own. A volume that has grown cannot shrink, and one that
 * another pod of a set has got stays. What tells an item of a list from the others is no value of it: another one makes it another item, which is whoever made it's.
 */
function canComeBack(child: TestObject, path: FieldPath): boolean {
  const [field, item] = [path.at(-1), path.at(-2)];
  if (path[0] === 'metadata' && (path[1] === 'labels' || path[1] === 'ownerReferences')) return false;
  // Applied once, then the autoscaler's.
  if (child.metadata.name === 'gateway-proxy' && path.at(-1) === 'replicas') return false;
  if (child.kind === 'PersistentVolumeClaim' && path[1] === 'resources') return false;
  if (child.kind === 'StatefulSet' && path.at(-1) === 'replicas') return false;
  return !(typeof item === 'object' && typeof field === 'string' && field in item);
}

describe('a field of a child', () => {
  let operator: OperatorProcess;
  const lab = setUp(async ({ cluster }) => {
    // A busy machine may cost it the lease; what that is for has tests of its own.
    operator = await runOperator(cluster, { env: { LEADER_ELECTION: 'false' } });
  });
  afterAll(() => operator?.stop());
  const api = () => lab.cluster.api();
  const comparison = new Comparison(lab, (namespace) => prepareSecrets(api(), namespace));

  /** Gives a field another value as somebody else. @returns undefined where the API server takes none */
  const edit = async (child: TestObject, path: FieldPath): Promise<Edit | undefined> => {
    const url = pathOf(child);
    const words = `${child.kind}/${child.metadata.name}${pathInWords(path)}`;
    const before = locate(child, path)?.value;
    for (const value of otherValues(before)) {
      const found = locate(await api().get(url), path);
      if (found === undefined) return undefined;
      const patch = [{ op: 'replace', path: found.pointer, value }];
      const answer = await api().request('PATCH', `${url}?fieldManager=kubectl-edit`, patch, {
        'content-type': 'application/json-patch+json',
      });
      if (answer.status === 200) return { url, path, before, words };
    }
    return undefined;
  };

  test(
    `that the operator applies gets its value back when somebody changes it (${IS_FULL ? 'all' : `seed ${SEED}`})`,
    async () => {
      const ref = await comparison.install(SPEC);
      const { state: original } = await comparison.settled(ref, SPEC);
      const children = await childrenOf(api(), ref);
      const edits: Edit[] = [];
      let tried = 0;
      for (const child of children) {
        const fields = sampleOf(
          ownedFields(child).filter((path) => canComeBack(child, path)),
          FIELDS,
        );
        tried += fields.length;
        for (const path of fields) {
          const made = await edit(child, path);
          if (made !== undefined) edits.push(made);
        }
      }
      let other: string[] = [];
      await until('the edits to be undone', async () => {
        other = [];
        for (const { url, path, before, words } of edits) {
          const live = await api().find(url);
          const value = live === undefined ? undefined : locate(live, path)?.value;
          if (!isDeepStrictEqual(value, before)) other.push(words);
        }
        return other.length === 0 ? true : undefined;
      }).catch(() => undefined);
      expect(other).toEqual([]);
      await untilReady(api(), ref);
      expect(await writesAtRest(lab.cluster, ref.namespace)).toEqual([]);
      expect(await stateOf(api(), ref)).toEqual(original);
      // Names, types and the like are the API server's to keep.
      expect(edits.length).toBeGreaterThan(tried / 4);
      expect(complaints(operator)).toEqual([]);
    },
    IS_FULL ? 900_000 : 120_000,
  );
});
