import type { TlsPair } from './home.js';
import { httpClient } from './http-client.js';
import type { PeerAsk } from './peer.js';
import { pinnedCertificate } from './pin.js';

/**
 * Makes what asks a safe over HTTP(S). With a fingerprint the other side must show the TLS certificate that has it, and
 * nothing is sent to another; this side shows its own (`own`), so each proves itself before the messages do so again.
 */
export const askOver = (own?: TlsPair) => (url: string, fingerprint: string | undefined): PeerAsk => async (message) => {
  const ca = fingerprint === undefined ? undefined : await pinnedCertificate(url, fingerprint);
  return httpClient({ url, ...ca !== undefined && { ca }, ...own && { own } }).answerPeer(message);
};
