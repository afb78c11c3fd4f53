import type { IncomingMessage, ServerResponse } from 'node:http';

import { reasonPhrase } from './answer-writer.ts';
import { answerHead } from './end-to-end-headers.ts';
import type { UpstreamHead } from './upstream/answer-head.ts';

/**
 * Passes on an interim answer, for example 103 Early Hints (RFC 9110 section 15.2). Node can write only some of
 * them, so the bytes go to the socket directly: nothing of the final answer has been written yet.
 */
export function forwardInformation(
  req: IncomingMessage,
  res: ServerResponse,
  { status, statusText, headers: received }: UpstreamHead,
): void {
  // HTTP/1.0 has no interim answers; without a socket the response is queued behind another one.
  if (req.httpVersionMinor === 0 || res.socket === null || res.headersSent) return;
  const { headers } = answerHead(received, false);
  let text = `HTTP/1.1 ${status} ${reasonPhrase(status, statusText)}\r\n`;
  for (let i = 0; i < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  res.socket.write(`${text}\r\n`, 'latin1');
}
