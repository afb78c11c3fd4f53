/**
 * A request's headers as they came: `raw` keeps case, order and duplicates (flat name, value, ...). Look-ups take
 * lower-case names. Built once per request, because every later step needs the lower-case names.
 */
export class HeaderView {
  readonly raw: string[];
  /** Lower-case name of the pair that starts at `raw[2 * i]`. */
  readonly names: readonly string[];

  constructor(raw: string[]) {
    this.raw = raw;
    const names: string[] = [];
    for (let i = 0; i < raw.length; i += 2) names.push((raw[i] ?? '').toLowerCase());
    this.names = names;
  }

  /** Value of the first header of that name. */
  get(name: string): string | undefined {
    const index = this.names.indexOf(name);
    return index === -1 ? undefined : this.raw[2 * index + 1];
  }

  /** Values of all headers of that name, in order. */
  all(name: string): string[] {
    const values: string[] = [];
    for (let i = this.names.indexOf(name); i !== -1; i = this.names.indexOf(name, i + 1)) {
      values.push(this.raw[2 * i + 1] ?? '');
    }
    return values;
  }
}
