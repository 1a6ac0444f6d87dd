/** One claim of the source of the backup system, in words of this house. */
export interface SourceClaim {
  readonly number: number;
  readonly text: string;
  /** True where the source's text is lost and the claim was rebuilt from its parallels. */
  readonly reconstructed?: boolean;
  /** Embodiments that realise it; a firmware that claims none of them does not claim it. */
  readonly embodiments: readonly number[];
  /** Further embodiments whose points may show it: those that a realising one is joined with. */
  readonly joined?: readonly number[];
  /** True where the claim itself is that the run stops; all others need a run that went through. */
  readonly stops?: boolean;
}

const claim = (number: number, embodiments: readonly number[], text: string): SourceClaim => ({ number, text, embodiments });
const rebuilt = (number: number, embodiments: readonly number[], text: string): SourceClaim => ({ number, text, embodiments, reconstructed: true });

const all = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/** The 44 claims. Table; the ends of 21 and 34 are lost in the source, of 39 all but its head. */
export const sourceClaims: readonly SourceClaim[] = [
  claim(1, [1], 'a value is registered at a safe for a certificate, and comes back for the certificate'),
  claim(2, [1, 2], 'the certificate holds part of the value\'s information'),
  claim(3, [1, 2, 3, 4], 'several safes, each of which puts its own address into its certificates'),
  claim(4, [2], 'the value is encrypted before it is registered and decrypted after it has come back'),
  claim(5, [2], 'the key is registered for a key certificate and comes back for it'),
  claim(6, [2, 3], 'the decoding key is registered at another safe than the value'),
  claim(7, [4], 'a value is divided into identified pieces with a certificate each, and combined from them again'),
  claim(8, [4], 'the value is divided first, then each piece is encrypted'),
  claim(9, [4], 'the value is encrypted first, then divided'),
  claim(10, [5], 'several values are coupled, registered under one certificate, and taken apart again'),
  claim(11, [6], 'the key is divided: one group of parts is coupled with the ciphertext, the rest goes to another safe'),
  claim(12, [6], 'a part of a divided key is the origin from which a key pair is generated'),
  { ...claim(13, [7], 'not the key but the seed it is generated from is registered and comes back'), joined: [6] },
  claim(14, [8], 'the safe holds owner authentication with the value and gives it out to whoever matches'),
  claim(15, [9], 'the owner is authenticated away from the safe; the value travels an encrypted path and is held with the result'),
  claim(16, [9], 'the owner\'s information travels under a temporary common key'),
  claim(17, [9], 'the owner\'s information travels under the public key of the authenticating party'),
  claim(18, [10], 'an authentication device and its check prove themselves to each other'),
  claim(19, [10], 'with the device\'s result an encrypted path is made and the value is held with it'),
  claim(20, [11], 'values are chosen by stored conditions and registered by themselves'),
  claim(21, [1, 2, 11], 'short of room, values are backed up and deleted until the recovery or the new value fits'),
  rebuilt(22, [12], 'the safes talk: the owner authenticates at the key\'s safe, which fetches the ciphertext from the other'),
  rebuilt(23, [12], 'after such a recovery the value is encrypted under a new key, and both are registered anew'),
  { ...claim(24, all, 'short of room, the shortage is shown and the recovery suspended'), stops: true },
  claim(25, all, 'once its certificate is stored, the value is deleted from the card'),
  claim(26, all, 'once the value is back, the certificate and the safe\'s copy are deleted'),
  claim(27, [1], 'the medium: value and certificate on it, the value at a server, back for the certificate'),
  claim(28, [1], 'the medium: the certificate holds part of the value\'s information'),
  claim(29, [2], 'the medium: the value is encrypted and registered at a server'),
  claim(30, [2], 'the medium: the ciphertext comes back for its certificate and is decrypted'),
  claim(31, [4], 'the medium: all pieces are registered at the wanted number of servers, their certificates kept'),
  claim(32, [4], 'the medium: all pieces come back for their certificates and are combined'),
  claim(33, [6], 'the medium: ciphertext coupled with parts of the key at one server, the other parts at another'),
  claim(34, [6], 'the medium: both come back, the key is combined from its parts and the value decrypted'),
  claim(35, all, 'the medium: the value is deleted once its certificate has come'),
  claim(36, [11], 'the medium: values are chosen by preset conditions and registered by themselves'),
  claim(37, [8, 9, 10], 'the medium: authentication information is registered as a set with the value'),
  claim(38, [8], 'the medium: the value is given out when the owner\'s information matches at the server'),
  rebuilt(39, [9], 'the medium: the owner\'s information is compared away from the server'),
  claim(40, [9], 'the medium: on a match an encrypted path to the server is made and the value given out'),
  rebuilt(41, [10], 'the medium: the authentication information is that of an authentication device'),
  claim(42, [10], 'the medium: once the device is found genuine, an encrypted path is made and the value given out'),
  claim(43, [12], 'the medium: authenticated at the key\'s server, it fetches the ciphertext from the other and couples both'),
  claim(44, [12], 'the medium: the value is encrypted under a new key, ciphertext and key are registered anew'),
];

/** Parts of the source that are lost and were rebuilt, beside steps and claims; points name them among their rules. */
export const lostPages: readonly { readonly rule: string; readonly text: string; readonly embodiments: readonly number[] }[] = [
  { rule: 'source-65', text: 'page 65: further backup conditions, among them room needed within a week', embodiments: [11] },
];
