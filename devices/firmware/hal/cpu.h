/** Interrupt masking and sleep. */
#ifndef CPU_H
#define CPU_H

/** Interrupts stay pending until cpu_enable(). */
static inline void cpu_disable(void)
{
    __asm volatile("cpsid i" ::: "memory");
}

static inline void cpu_enable(void)
{
    __asm volatile("cpsie i" ::: "memory");
}

/** Sleeps until an enabled interrupt is pending; with interrupts disabled too, so that no wake-up is lost. */
static inline void cpu_sleep(void)
{
    __asm volatile("wfi" ::: "memory");
}

#endif
