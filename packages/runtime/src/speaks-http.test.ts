import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { describe, expect, it } from 'vitest';

import { speaksHttp } from './speaks-http.ts';

/** What a server says of the requests in these bytes, in order. */
async function verdicts(bytes: string): Promise<boolean[]> {
  const found: boolean[] = [];
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    found.push(speaksHttp(request));
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.end(bytes, 'latin1');
  await text(socket);
  server.close();
  return found;
}

const rest = '\r\nHost: a\r\n\r\n';

describe('a request line', () => {
  it.each([
    ['GET /x HTTP/1.1', true],
    ['GET /x HTTP/1.0', true],
    ['GET   /x   HTTP/1.0', true],
    ['GET /x?y=RTSP/1.0 HTTP/1.0', true],
    ['GET /x RTSP/1.0', false],
    ['GET /x RTSP/1.1', false],
    ['GET  /x  RTSP/1.0', false],
    ['POST /x RTSP/1.0', false],
    ['OPTIONS /x RTSP/1.0', false],
    ['DESCRIBE /x RTSP/1.0', false],
    ['SOURCE /x ICE/1.0', false],
    ['\r\nGET /x RTSP/1.0', false],
  ])('%j is HTTP: %s', async (line, expected) => {
    expect(await verdicts(`${line}${rest}`)).toEqual([expected]);
  });

  it('is told from others on the connection', async () => {
    const first = `GET /a HTTP/1.1${rest}`;
    expect(await verdicts(`${first}GET /b RTSP/1.0${rest}`)).toEqual([true, false]);
  });

  it('is found behind a body, too', async () => {
    const first = `POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}`;
    expect(await verdicts(`${first}GET /b RTSP/1.0${rest}`)).toEqual([true, false]);
  });

  it('is not what a body says', async () => {
    const body = '{"text":"\nPOST /x RTSP/1.0"}';
    const head = `POST /x HTTP/1.0\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`;
    expect(await verdicts(`${head}${body}`)).toEqual([true]);
  });
});
