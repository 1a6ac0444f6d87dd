# Sources of the firmware's cryptography. The including Makefile sets CRYPTO_DIR to this folder.
# CRYPTO_CFLAGS are needed by these sources only; CRYPTO_SOFTWARE=0 leaves out the software public-key code.
CRYPTO_DIR ?= crypto
CRYPTO_SOFTWARE ?= 1
CRYPTO_SOURCES := $(addprefix $(CRYPTO_DIR)/, \
	crypto.c mem.c coprocessor.c aes.c gcm.c hash.c md5.c sha1.c sha256.c sha512.c hmac.c hpke.c \
	fe25519.c words.c words_m0.S x25519.c ed25519.c)
CRYPTO_HEADERS := $(addprefix $(CRYPTO_DIR)/, crypto.h internal.h words.h fe25519.h ed25519_base.h)
CRYPTO_CFLAGS := -std=c11 -ffreestanding -fno-jump-tables -fno-tree-loop-distribute-patterns \
	-DCRYPTO_SOFTWARE=$(CRYPTO_SOFTWARE)
