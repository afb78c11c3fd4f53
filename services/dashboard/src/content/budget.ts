/** Bounds of what one detail page carries. Text is counted in UTF-16 units. */
export const CONTENT_LIMITS = {
  pieceText: 32_768,
  totalText: 2_097_152,
  blocksPerMessage: 500,
  totalBlocks: 10_000,
  messages: 2_000,
  tools: 1_000,
  parameters: 100,
  parameterText: 4_096,
  name: 256,
} as const;

export interface Shortened {
  readonly text: string;
  readonly truncated: boolean;
}

/** Hands out room for text and blocks until it is used up, and remembers whether anything had to be cut. */
export class ContentBudget {
  #text: number = CONTENT_LIMITS.totalText;
  #blocks: number = CONTENT_LIMITS.totalBlocks;
  #cut = false;

  /** True once something was shortened or left out. */
  get cut(): boolean {
    return this.#cut;
  }

  /** Most text the next piece may have. */
  get room(): number {
    return Math.min(this.#text, CONTENT_LIMITS.pieceText);
  }

  /** The text, shortened to the room there is. */
  takeText(text: string): Shortened {
    const taken = shorten(text, this.room);
    this.#text -= taken.text.length;
    if (taken.truncated) this.#cut = true;
    return taken;
  }

  /** False when no further block may be shown. */
  takeBlock(): boolean {
    if (this.#blocks === 0) return this.leaveOut();
    this.#blocks -= 1;
    return true;
  }

  /** Notes that something was left out. */
  leaveOut(): false {
    this.#cut = true;
    return false;
  }
}

/** The beginning of a text, never ending in half of a surrogate pair. */
export function shorten(text: string, limit: number): Shortened {
  if (text.length <= limit) return { text, truncated: false };
  const last = text.charCodeAt(limit - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? limit - 1 : limit;
  return { text: text.slice(0, Math.max(0, end)), truncated: true };
}
