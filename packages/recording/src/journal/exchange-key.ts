import { bufferToUuid, uuidToBuffer } from '@claude-nexus/domain';

/** Map key of an exchange (its 16 bytes as latin1) from its UUID text. */
export function idToKey(id: string): string {
  return uuidToBuffer(id).toString('latin1');
}

/** UUID text from the map key. */
export function keyToId(key: string): string {
  return bufferToUuid(Buffer.from(key, 'latin1'));
}
