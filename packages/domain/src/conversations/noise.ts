import { isAttribution } from '../kind.ts';

const REMINDER_START = '<system-reminder>';
const REMINDER_END = '</system-reminder>';

const BLANK = 0x20;
const FIRST_OTHER_SPACE = 0xa0;
const OTHER_SPACES = new Set(
  Array.from({ length: 0x1_0000 - FIRST_OTHER_SPACE }, (_, index) => FIRST_OTHER_SPACE + index).filter(
    (code) => /\s/.test(String.fromCharCode(code)),
  ),
);

/**
 * Text without what the client adds and changes on its own: reminder spans, the attribution line, the amount of
 * white space. Empty where nothing else was there. Linear in the length of the text, whatever it holds.
 */
export function withoutNoise(text: string): string {
  if (isAttribution(text)) return '';
  return withSingleBlanks(withoutReminders(text)).trim();
}

/**
 * Text with each run of white space as one blank. Single blanks are most of it and stay where they are, which a regular
 * expression for the others takes five times as long to see.
 */
function withSingleBlanks(text: string): string {
  const kept: string[] = [];
  let position = 0;
  for (let at = 0; at < text.length; at++) {
    if (!isSpace(text.charCodeAt(at))) continue;
    const start = at;
    while (at + 1 < text.length && isSpace(text.charCodeAt(at + 1))) at++;
    if (at === start && text.charCodeAt(at) === BLANK) continue;
    kept.push(text.slice(position, start), ' ');
    position = at + 1;
  }
  return position === 0 ? text : kept.join('') + text.slice(position);
}

/** What \s stands for. */
function isSpace(code: number): boolean {
  if (code > BLANK && code < FIRST_OTHER_SPACE) return false;
  if (code < FIRST_OTHER_SPACE) return code === BLANK || (code >= 0x09 && code <= 0x0d);
  return OTHER_SPACES.has(code);
}

/** A reminder that is never closed is ordinary text. */
function withoutReminders(text: string): string {
  let start = text.indexOf(REMINDER_START);
  if (start === -1) return text;
  const kept: string[] = [];
  let position = 0;
  while (start !== -1) {
    const end = text.indexOf(REMINDER_END, start);
    if (end === -1) break;
    kept.push(text.slice(position, start));
    position = end + REMINDER_END.length;
    start = text.indexOf(REMINDER_START, position);
  }
  kept.push(text.slice(position));
  return kept.join('');
}
