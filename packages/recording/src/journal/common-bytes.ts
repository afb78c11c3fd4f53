const BLOCK_BYTES = 16 * 1024;

/** How many bytes `part` has in common with `body` from `at` on. */
export function commonStart(part: Buffer, body: Buffer, at: number): number {
  const most = Math.min(part.length, body.length - at);
  let same = 0;
  while (same < most) {
    const end = Math.min(most, same + BLOCK_BYTES);
    if (part.compare(body, at + same, at + end, same, end) !== 0) break;
    same = end;
  }
  while (same < most && part[same] === body[at + same]) same++;
  return same;
}

/** How many bytes before its end `part` has in common with the bytes of `body` before `end`. */
export function commonEnd(part: Buffer, body: Buffer, end: number): number {
  const most = Math.min(part.length, end);
  let same = 0;
  while (same < most) {
    const next = Math.min(most, same + BLOCK_BYTES);
    if (part.compare(body, end - next, end - same, part.length - next, part.length - same) !== 0) break;
    same = next;
  }
  while (same < most && part[part.length - 1 - same] === body[end - 1 - same]) same++;
  return same;
}
