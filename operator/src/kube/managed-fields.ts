import type { KubeObject } from './object.ts';

/** What one manager wrote of an object, as the API server has it on record. */
export interface ManagedFields {
  readonly manager?: string;
  /** `Apply` or `Update`. */
  readonly operation?: string;
  /** Members as `f:name`, items of lists as `k:{...}`. */
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
}

/** Who wrote an object; empty for one of the cache, which keeps no such record. */
export function managedFieldsOf({ metadata }: KubeObject): readonly ManagedFields[] {
  if (!('managedFields' in metadata) || !Array.isArray(metadata.managedFields)) return [];
  return metadata.managedFields as readonly ManagedFields[];
}
