import type { AnswerOrder } from './answers.ts';
import type { Random } from '../fixtures/random.ts';
import type { TextPool } from './random-text.ts';
/** How bodies of a load are made. */
export interface BodyShape {
    /** Bytes of the first body, about. */
    readonly bytes: number;
    /** Bytes each further turn adds, about. */
    readonly growth: number;
    readonly stream: boolean;
}
/**
 * A conversation as Claude Code sends it: the history before system and tools, `cache_control` on the last message
 * only, one tool round per turn. Two sessions share no content.
 */
export declare class BenchSession {
    #private;
    readonly id: string;
    constructor(shape: BodyShape, pool: TextPool, random: Random);
    /** The request body of the turn at hand. */
    body(): Buffer;
    /** The answer to the turn at hand has come, its tool has run. */
    nextTurn(answer: AnswerOrder): void;
}
