import { ANNOTATIONS } from '../api/v1alpha1/claude-nexus.ts';
import type { KubeObject } from '../kube/object.ts';
import { bytesOf } from '../resources/quantity.ts';
import { listAt, textAt } from './children.ts';

export interface StorageInput {
  /** Quantity the spec asks for. */
  readonly wanted: string;
  /** Major version of PostgreSQL the claims are marked with. */
  readonly version: number;
  readonly set: KubeObject | undefined;
  /** The set's claims. */
  readonly claims: readonly KubeObject[];
  /** Storage classes by name whether they can expand; undefined where they may not be read. */
  readonly expandable: ReadonlyMap<string, boolean> | undefined;
}

export interface StorageDecision {
  /** `nothing` may still be `resizing`: the file system has not grown yet. `removing`: the old set is not gone yet. */
  readonly step: 'nothing' | 'expand' | 'orphan-set' | 'removing' | 'unsupported';
  /** Claims to expand. */
  readonly claims: readonly string[];
  /** Quantity of the set's claim template. */
  readonly templateSize: string;
  readonly resizing: boolean;
  /** Storage class that cannot expand, for the message. */
  readonly className?: string;
}

/** Growth of a StatefulSet's volumes: the claims first, then the set, whose template cannot change, is made anew. */
export function decideStorage({ wanted, version, set, claims, expandable }: StorageInput): StorageDecision {
  const template = templateSize(set);
  const small = claims.filter((claim) => smaller(requestOf(claim), wanted));
  const resizing = claims.some((claim) => smaller(capacityOf(claim), wanted));
  if (small.length > 0) {
    const names = small.map((claim) => claim.metadata.name);
    const fixed = small
      .map((claim) => textAt(claim, 'spec', 'storageClassName') ?? '')
      .find((className) => expandable !== undefined && expandable.get(className) !== true);
    const step = fixed === undefined ? 'expand' : 'unsupported';
    return {
      step,
      claims: step === 'expand' ? names : [],
      templateSize: template ?? wanted,
      resizing: step === 'expand',
      ...(fixed === undefined ? {} : { className: fixed }),
    };
  }
  const differs =
    template !== undefined && (bytesOf(template) !== bytesOf(wanted) || isMarkedOtherwise(set, version));
  const isLeaving = set?.metadata.deletionTimestamp !== undefined;
  return {
    step: isLeaving ? 'removing' : differs ? 'orphan-set' : 'nothing',
    claims: [],
    templateSize: differs || template === undefined ? wanted : template,
    resizing,
  };
}

/** What to ask for of a claim that may have been grown by hand: the API server refuses to make one smaller. */
export function noSmallerThan(claim: KubeObject | undefined, wanted: string): string {
  const present = requestOf(claim);
  return present !== undefined && smaller(wanted, present) ? present : wanted;
}

function templateSize(set: KubeObject | undefined): string | undefined {
  const [template] = listAt(set, 'spec', 'volumeClaimTemplates');
  return textAt(template, 'spec', 'resources', 'requests', 'storage');
}

function isMarkedOtherwise(set: KubeObject | undefined, version: number): boolean {
  const [template] = listAt(set, 'spec', 'volumeClaimTemplates');
  const mark = textAt(template, 'metadata', 'annotations', ANNOTATIONS.postgresVersion);
  return mark !== undefined && mark !== String(version);
}

function requestOf(claim: KubeObject | undefined): string | undefined {
  return textAt(claim, 'spec', 'resources', 'requests', 'storage');
}

function capacityOf(claim: KubeObject): string | undefined {
  return textAt(claim, 'status', 'capacity', 'storage');
}

/** Unknown is not smaller: a claim that is not bound yet has no capacity and nothing to wait for. */
function smaller(present: string | undefined, wanted: string): boolean {
  return present !== undefined && bytesOf(present) < bytesOf(wanted);
}
