import type { TextPool } from './random-text.ts';
/** What the stand-in is asked to answer, in the header `x-bench`. */
export interface AnswerOrder {
    /** `json`: a whole message. `stream`: so many deltas. `silent`: no answer, not even a head. */
    readonly mode: 'json' | 'stream' | 'silent';
    /** Answers of one seed are equal. */
    readonly seed: number;
    readonly deltas: number;
    /** Milliseconds between two deltas; 0: the whole stream in one write. */
    readonly paceMs: number;
}
export declare function orderHeader({ mode, seed, deltas, paceMs }: AnswerOrder): string;
/** A request without the header, a probe whether the stand-in is there, gets an empty stream. */
export declare function readOrder(header: string): AnswerOrder;
/** Text of the answer, which the next turn of a session sends back. */
export declare function answerText(pool: TextPool, order: AnswerOrder): string;
/** The message of a `json` answer. */
export declare function jsonAnswer(pool: TextPool, order: AnswerOrder): string;
/** The events of a `stream` answer: the start, one per delta, the end. */
export declare function streamEvents(pool: TextPool, order: AnswerOrder): string[];
