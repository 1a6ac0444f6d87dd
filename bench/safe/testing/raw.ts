import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';

/** What came back on a raw connection until it closed or a whole answer was there. */
export interface RawAnswer {
  /** HTTP status, 0 when the connection closed without one. */
  readonly status: number;
  readonly body: string;
  readonly milliseconds: number;
}

function whole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  const length = /content-length: (\d+)/i.exec(text)?.[1];
  return head >= 0 && text.length >= head + 4 + Number(length ?? 0);
}

/** Sends bytes as they are and collects the answer. `hangUp` closes our side after sending. */
export function raw(url: string, bytes: Uint8Array | string, hangUp = false): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const start = performance.now();
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => {
      socket.write(bytes, () => {
        if (hangUp) socket.destroy();
      });
    });
    socket.on('data', (part) => {
      text += part.toString('latin1');
      if (whole(text)) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({
      status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), body: text.slice(text.indexOf('\r\n\r\n') + 4),
      milliseconds: performance.now() - start,
    }));
  });
}

/** An HTTP request in bytes. */
export function requestBytes(
  method: string, path: string, body: Uint8Array, headers: Readonly<Record<string, string>> = {},
): Buffer {
  const all = { host: 'safe', connection: 'close', 'content-type': 'application/octet-stream', 'content-length': String(body.length), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}
