import { connect } from 'node:tls';
import type { DetailedPeerCertificate } from 'node:tls';
import { SafeError } from './errors.js';

/** A fingerprint without colons, in capitals. */
export const plainFingerprint = (fingerprint: string): string => fingerprint.replace(/[:\s]/g, '').toUpperCase();

const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE-----\n`;

/**
 * The certificate a TLS server shows, as PEM, when its SHA-256 fingerprint is the one given (with or without colons);
 * nothing else is sent to it. Trusting this certificate afterwards is pinning. Rejects with SafeError SAFE_UNREACHABLE
 * when it shows another one or cannot be reached within `timeoutMs`.
 */
export function pinnedCertificate(url: string, fingerprint: string, timeoutMs = 10_000): Promise<string> {
  const { hostname, port } = new URL(url);
  const unsent = { stillTrue: 'no request was sent' };
  return new Promise((resolve, reject) => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connect({ host, port: Number(port || 443), rejectUnauthorized: false }, () => {
      const shown = socket.getPeerCertificate() as Partial<DetailedPeerCertificate>;
      socket.destroy();
      if (shown.raw !== undefined && plainFingerprint(shown.fingerprint256 ?? '') === plainFingerprint(fingerprint)) resolve(pem(shown.raw));
      else reject(new SafeError('SAFE_UNREACHABLE', `the safe shows a TLS certificate with SHA-256 ${shown.fingerprint256 ?? 'none'}`, unsent));
    });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error('ETIMEDOUT')));
    socket.on('error', (cause: NodeJS.ErrnoException) =>
      reject(new SafeError('SAFE_UNREACHABLE', `the safe cannot be reached (${cause.code ?? cause.message})`, { cause, ...unsent })));
  });
}
