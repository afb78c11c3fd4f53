import { ANNOTATIONS } from '../api/v1alpha1/claude-nexus.ts';
import type { KubeObject } from '../kube/object.ts';
import { textAt } from './children.ts';

export interface VersionDecision {
  /** Major version to run: always the one that wrote the data. */
  readonly version: number;
  /** The spec asks for another one than the data has. */
  readonly refused: boolean;
}

/** The data decides: a server of another major version does not start on it. Without data the spec decides. */
export function decideVersion(
  wanted: number,
  set: KubeObject | undefined,
  claims: readonly KubeObject[],
): VersionDecision {
  if (claims.length === 0) return { version: wanted, refused: false };
  const [recorded] = [...claims, ...(set === undefined ? [] : [set])].flatMap((object) => versionOf(object));
  const version = recorded ?? versionOfImage(set) ?? wanted;
  return { version, refused: version !== wanted };
}

function versionOf(object: KubeObject): number[] {
  const version = Number(object.metadata.annotations?.[ANNOTATIONS.postgresVersion]);
  return Number.isSafeInteger(version) && version > 0 ? [version] : [];
}

function versionOfImage(set: KubeObject | undefined): number | undefined {
  const image = textAt(set, 'spec', 'template', 'spec', 'containers', 0, 'image');
  const digits = /:(\d+)[^/:]*$/.exec(image ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
