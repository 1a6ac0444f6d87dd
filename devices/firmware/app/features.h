/**
 * What a firmware image holds beside the core (embodiments 1 and 2). An image for a small chip is built with
 * -DCARD_SMALL; a single feature is set with -DFEATURE_...=0 or 1.
 */
#ifndef FEATURES_H
#define FEATURES_H

#ifdef CARD_SMALL
#define FEATURE_DEFAULT 0
#else
#define FEATURE_DEFAULT 1
#endif

/** Hash algorithms SHA-1 and MD5 for old certificates; without them build crypto/ with CRYPTO_LEGACY_HASHES=0 too. */
#ifndef FEATURE_LEGACY_HASHES
#define FEATURE_LEGACY_HASHES 1
#endif
/** Embodiment 7: the key pair is derived from a seed, and the seed is what is backed up. */
#ifndef FEATURE_SEED
#define FEATURE_SEED 1
#endif
/** Embodiment 3: value and key at different safes, messages sealed past the terminal. */
#ifndef FEATURE_TWO_SAFES
#define FEATURE_TWO_SAFES FEATURE_DEFAULT
#endif
/** Embodiments 4 and 6: values and keys in pieces. */
#ifndef FEATURE_PIECES
#define FEATURE_PIECES FEATURE_DEFAULT
#endif
/** Embodiments 5 and 6: several objects in one. */
#ifndef FEATURE_COUPLE
#define FEATURE_COUPLE FEATURE_DEFAULT
#endif
/** Embodiment 6: a ciphertext coupled with a part of its key. */
#define FEATURE_COUPLED (FEATURE_PIECES && FEATURE_COUPLE)
/** Functions that other files call only for sets; without sets the compiler puts them where they are used. */
#if FEATURE_PIECES || FEATURE_COUPLE
#define SHARED
#else
#define SHARED static
#endif
/** Embodiments 8, 9 and 10: values over a path that a safe opens for an authenticated owner. */
#ifndef FEATURE_OWNER
#define FEATURE_OWNER FEATURE_DEFAULT
#endif
/** Embodiment 3 with everything past the terminal sealed; needs FEATURE_TWO_SAFES and FEATURE_OWNER. */
#ifndef FEATURE_SEALED
#define FEATURE_SEALED FEATURE_DEFAULT
#endif
/** Embodiment 10: applet by which a card is an authentication device. */
#ifndef FEATURE_AUTH_DEVICE
#define FEATURE_AUTH_DEVICE FEATURE_DEFAULT
#endif
/** Embodiment 11: backup conditions. */
#ifndef FEATURE_CONDITIONS
#define FEATURE_CONDITIONS FEATURE_DEFAULT
#endif
/** Embodiment 12: the decoding key is renewed after a recovery; needs FEATURE_TWO_SAFES. */
#ifndef FEATURE_RENEWAL
#define FEATURE_RENEWAL FEATURE_DEFAULT
#endif
/** Applet of the card-to-card money system. */
#ifndef FEATURE_PURSE
#define FEATURE_PURSE FEATURE_DEFAULT
#endif
/** Applet of the primary and secondary card system. */
#ifndef FEATURE_TWIN
#define FEATURE_TWIN FEATURE_DEFAULT
#endif
/** Applet of the signed information system. */
#ifndef FEATURE_MEMBER
#define FEATURE_MEMBER FEATURE_DEFAULT
#endif

#endif
