/**
 * Vector image on the host: reads frames from standard input and answers on standard output, for vectors
 * too long for an emulator. A frame is the mailbox from `operation` to `length`, then `in` as far as used;
 * the answer is `result`, `out_length`, then the output. Little-endian words.
 */
#include "vectors.h"

#include <stdio.h>

int main(void)
{
    uint32_t head[4 + VECTORS_INPUTS];
    while (fread(head, sizeof head, 1, stdin) == 1) {
        uint32_t total = 0;
        mailbox.operation = head[0];
        for (uint32_t i = 0; i < 3; i++) {
            mailbox.parameter[i] = head[1 + i];
        }
        for (uint32_t i = 0; i < VECTORS_INPUTS; i++) {
            mailbox.length[i] = head[4 + i];
            total += head[4 + i];
        }
        if (total > VECTORS_IN_BYTES || (total != 0 && fread(mailbox.in, total, 1, stdin) != 1)) {
            return 1;
        }
        vectors_dispatch();
        uint32_t answer[2] = {mailbox.result, mailbox.out_length};
        fwrite(answer, sizeof answer, 1, stdout);
        fwrite(mailbox.out, mailbox.out_length, 1, stdout);
        fflush(stdout);
    }
    return 0;
}
