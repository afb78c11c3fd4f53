import { mergeFacts, readSectionFacts, readUserTexts } from './body-facts.ts';
import type { BodyFacts, SectionFacts } from './body-facts.ts';
import { GLUE_LIMIT_BYTES, MESSAGE_LIMIT, parseMessage } from './body-parts.ts';
import { BodyScanner } from './body-scanner.ts';
import type { ScannedMessage } from './body-scanner.ts';

const NO_MESSAGES = { messageCount: 0, firstText: undefined, lastUserText: undefined };

/**
 * Facts of a body that is not to be cut, such as the decoded form of a compressed one. The same as those `cut` gives,
 * but messages are only parsed until their texts are found, so one that is not JSON may go unnoticed.
 */
export function readFacts(body: Buffer): BodyFacts {
  const scanner = new BodyScanner(body);
  const undivided = (sections: SectionFacts[]): BodyFacts =>
    mergeFacts([...sections, readSectionFacts(body, scanner.strayMembers)], NO_MESSAGES);

  const head = scanner.head();
  if (head === undefined) return undivided([]);
  const facts = [readSectionFacts(body, head.members)];
  const messages: ScannedMessage[] = [];
  let at = head.end;
  let glueBytes = 0;
  for (;;) {
    const message = scanner.message(at, messages.length === 0);
    if (message === 'none') break;
    if (message === undefined) return undivided(facts);
    messages.push(message);
    glueBytes += message.glueBytes;
    if (messages.length > MESSAGE_LIMIT || glueBytes > GLUE_LIMIT_BYTES) return undivided(facts);
    at = message.end;
  }
  const tail = scanner.tail(at);
  if (tail === undefined) return undivided(facts);
  facts.push(readSectionFacts(body, tail.members));
  const texts = (message: ScannedMessage): ReturnType<typeof readUserTexts> =>
    readUserTexts(parseMessage(body.subarray(message.start, message.end), message.valueStart));
  return mergeFacts(facts, {
    messageCount: messages.length,
    firstText: firstOf(messages, texts)?.first,
    lastUserText: firstOf(messages.toReversed(), texts)?.last,
  });
}

function firstOf<T, R>(items: readonly T[], read: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const result = read(item);
    if (result !== undefined) return result;
  }
  return undefined;
}
