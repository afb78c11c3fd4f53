/** One entry of `x-kubernetes-validations`. */
export interface Rule {
  readonly rule: string;
  /** Follows the path of the field in the answer of the API server, and tells the fix. */
  readonly message: string;
  /** Points below the field that carries the rule, such as `.storageClassName`. */
  readonly fieldPath?: string;
}

/** Schema keywords that hold the rules of a field. */
export function rules(...list: readonly Rule[]): { readonly 'x-kubernetes-validations': readonly Rule[] } {
  return { 'x-kubernetes-validations': list };
}

/** The text as a CEL string literal that takes backslashes as they are; for regular expressions. */
export function raw(pattern: string): string {
  return `r'${pattern}'`;
}
