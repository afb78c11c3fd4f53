import { shorten } from './budget.ts';
import type { Shortened } from './budget.ts';

/** Deeper values are shown as an ellipsis: real ones are not that deep, and indentation grows with the square. */
const MAX_DEPTH = 32;
const ELLIPSIS = '"…"';

/**
 * Indented JSON text of at most about `limit` characters. The work is bounded by the limit, not by the value: a
 * recorded body may hold millions of members, or nest as deep as it likes.
 */
export function printJson(value: unknown, limit: number): Shortened {
  const printer = new Printer(limit);
  printer.print(value, '');
  const cut = shorten(printer.text, limit);
  return { text: cut.text, truncated: cut.truncated || printer.incomplete };
}

class Printer {
  text = '';
  incomplete = false;
  readonly #limit: number;
  #depth = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  print(value: unknown, indent: string): void {
    if (typeof value === 'string') {
      this.#string(value);
    } else if (typeof value !== 'object' || value === null) {
      this.text += JSON.stringify(value) ?? 'null';
    } else if (this.#depth === MAX_DEPTH) {
      this.text += ELLIPSIS;
      this.incomplete = true;
    } else {
      this.#depth += 1;
      if (Array.isArray(value)) this.#array(value, indent);
      else this.#object(value as Record<string, unknown>, indent);
      this.#depth -= 1;
    }
  }

  #string(value: string): void {
    const { text, truncated } = shorten(value, Math.max(0, this.#limit - this.text.length));
    this.text += JSON.stringify(text);
    this.incomplete ||= truncated;
  }

  #array(values: readonly unknown[], indent: string): void {
    let separator = '[';
    for (const value of values) {
      if (this.#full()) return;
      this.text += `${separator}\n${indent}  `;
      this.print(value, `${indent}  `);
      separator = ',';
    }
    this.text += values.length === 0 ? '[]' : `\n${indent}]`;
  }

  #object(value: Record<string, unknown>, indent: string): void {
    let separator = '{';
    // for..in stops early without listing millions of names first; parsed JSON has no inherited members.
    for (const name in value) {
      if (this.#full()) return;
      this.text += `${separator}\n${indent}  `;
      this.#string(name);
      this.text += ': ';
      this.print(value[name], `${indent}  `);
      separator = ',';
    }
    this.text += separator === '{' ? '{}' : `\n${indent}}`;
  }

  #full(): boolean {
    if (this.text.length <= this.#limit) return false;
    this.incomplete = true;
    return true;
  }
}
