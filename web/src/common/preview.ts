/** How much of a text is shown at first. */
export interface PreviewSize {
  characters: number;
  lines: number;
}

/** A text a little longer than its preview is shown whole: folding it would save nothing. */
const SLACK = 1.25;

/** The beginning of a text that is longer than `size`, never ending in half a surrogate pair; undefined when it fits. */
export function previewOf(text: string, size: PreviewSize): string | undefined {
  const end = Math.min(size.characters, endOfLines(text, size.lines));
  if (text.length <= end * SLACK) return undefined;
  const last = text.charCodeAt(end - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? end - 1 : end);
}

function endOfLines(text: string, lines: number): number {
  let end = -1;
  for (let line = 0; line < lines; line++) {
    end = text.indexOf('\n', end + 1);
    if (end === -1) return text.length;
  }
  return end;
}
