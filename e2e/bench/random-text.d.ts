/** The same text in every process that makes one; a stretch of it is handed out once, until all are used up. */
export declare class TextPool {
    #private;
    /** So many characters not handed out before; after the whole pool the stretches begin elsewhere. */
    take(characters: number): string;
    /** So many characters on one line, the same for the same `seed`. */
    line(seed: number, characters: number): string;
}
