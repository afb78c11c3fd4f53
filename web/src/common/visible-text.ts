/** Controls that reorder or hide what stands around them: embeddings, overrides and isolates of U+202x and U+206x. */
const BIDI = /[\u202a-\u202e\u2066-\u2069]/g;
// oxlint-disable-next-line no-control-regex -- controls are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;
const PICTURES = 0x2400;
const DELETE = 0x7f;
const DELETE_PICTURE = '\u2421';

/**
 * Text from outside, made safe to read: what would reorder it or be invisible is shown as a sign of its own, and half a
 * surrogate pair as U+FFFD. Line feeds, tabs and carriage returns stay.
 */
export function visibleText(text: string): string {
  return text.toWellFormed().replace(CONTROLS, picture).replace(BIDI, codePoint);
}

function picture(control: string): string {
  const code = control.charCodeAt(0);
  return code === DELETE ? DELETE_PICTURE : String.fromCharCode(PICTURES + code);
}

function codePoint(control: string): string {
  return `[U+${control.charCodeAt(0).toString(16).toUpperCase()}]`;
}
