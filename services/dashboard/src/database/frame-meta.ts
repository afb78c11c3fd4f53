import type { HeaderPair, Timing } from '@claude-nexus/api-contract';
import { decodeChunks } from '@claude-nexus/recording/store';

/** Chunks shown at most. */
const MAX_CHUNKS = 5_000;

/** Headers as a frame's meta holds them, flat: name, value or null, name, ... */
export function headersOf(meta: unknown): HeaderPair[] {
  const flat = typeof meta === 'object' && meta !== null && 'headers' in meta ? meta.headers : undefined;
  if (!Array.isArray(flat)) return [];
  const pairs: HeaderPair[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    const [name, value] = [flat[at], flat[at + 1]] as unknown[];
    if (typeof name === 'string') pairs.push([name, typeof value === 'string' ? value : null]);
  }
  return pairs;
}

/** Value of the first header with this (lower-case) name, if it is stored. */
export function headerValue(headers: readonly HeaderPair[], name: string): string | undefined {
  return headers.find(([candidate]) => candidate.toLowerCase() === name)?.[1] ?? undefined;
}

/** Length of the body a frame's recipe describes, if its meta tells. */
export function lengthOf(meta: unknown): number | undefined {
  const length = typeof meta === 'object' && meta !== null && 'length' in meta ? meta.length : undefined;
  return typeof length === 'number' ? length : undefined;
}

/** When the answer arrived, from a frame's `chunks` section. */
export function timingOf(section: Buffer | undefined): Timing | null {
  if (section === undefined) return null;
  const chunks = decodeChunks(section);
  const shown = chunks.slice(0, MAX_CHUNKS * 2);
  return {
    atMs: shown.filter((_, index) => index % 2 === 0),
    bytes: shown.filter((_, index) => index % 2 === 1),
    truncated: shown.length < chunks.length,
  };
}
