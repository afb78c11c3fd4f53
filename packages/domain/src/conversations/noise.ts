import { isAttribution } from '../kind.ts';

const REMINDER_START = '<system-reminder>';
const REMINDER_END = '</system-reminder>';
/** White space but for the single blank, which is most of it and stays what it is: a third of the time of `\s+`. */
const UNUSUAL_SPACE = /[^\S ]\s*| \s+/g;

/**
 * Text without what the client adds and changes on its own: reminder spans, the attribution line, the amount of
 * white space. Empty where nothing else was there. Linear in the length of the text, whatever it holds.
 */
export function withoutNoise(text: string): string {
  if (isAttribution(text)) return '';
  return withoutReminders(text).replaceAll(UNUSUAL_SPACE, ' ').trim();
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
