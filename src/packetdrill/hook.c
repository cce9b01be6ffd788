/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packetdrill's way around its own table. For the code in scripts (%{ ... }%) it reads TCP_INFO by
 * libc's getsockopt(), whoever is tested; for a socket of tern's that descriptor is an eventfd, and
 * the answer would be an error. So the program's own reference to getsockopt is led here:
 * for tern's sockets the plugin answers, for all others libc does.
 *
 * The reference is a slot that the dynamic linker filled in: the relocation entries of the main
 * program name it. A program that is linked statically has none, and then nothing is done.
 */
#include "packetdrill/plugin.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

static struct tern_pd *hooked; /* the process is packetdrill's alone, and has one instance */

struct dynamic {
    ElfW(Addr) base;
    const ElfW(Sym) * symbols;
    const char *strings;
    const ElfW(Rela) * jumps, *others;
    size_t jumps_count, others_count;
};

typedef int getsockopt_function(int fd, int level, int name, void *value, socklen_t *bytes);

static int led_here(int fd, int level, int name, void *value, socklen_t *bytes)
{
    int result = -1;

    errno = EBADF;
    if (hooked != NULL)
        result = tern_pd_getsockopt(hooked, fd, level, name, value, bytes);
    if (result < 0 && errno == EBADF)
        result = getsockopt(fd, level, name, value, bytes);
    return result;
}

static void note_entry(struct dynamic *d, const ElfW(Dyn) * entry)
{
    switch (entry->d_tag) {
    case DT_SYMTAB:
        d->symbols = (const ElfW(Sym) *)entry->d_un.d_ptr;
        break;
    case DT_STRTAB:
        d->strings = (const char *)entry->d_un.d_ptr;
        break;
    case DT_JMPREL:
        d->jumps = (const ElfW(Rela) *)entry->d_un.d_ptr;
        break;
    case DT_PLTRELSZ:
        d->jumps_count = entry->d_un.d_val / sizeof(ElfW(Rela));
        break;
    case DT_RELA:
        d->others = (const ElfW(Rela) *)entry->d_un.d_ptr;
        break;
    case DT_RELASZ:
        d->others_count = entry->d_un.d_val / sizeof(ElfW(Rela));
        break;
    default:
        break;
    }
}

/* The slot's page may have been made read-only once all was linked. */
static void fill_slot(uintptr_t slot, getsockopt_function *to)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    void *start = (void *)(slot & ~(page - 1));

    if (mprotect(start, page, PROT_READ | PROT_WRITE) != 0)
        return;
    memcpy((void *)slot, &to, sizeof to);
}

static void fill_slots(const struct dynamic *d, const ElfW(Rela) * table, size_t count,
                       getsockopt_function *to)
{
    for (size_t i = 0; i < count; i++) {
        const ElfW(Sym) *symbol = &d->symbols[ELF64_R_SYM(table[i].r_info)];

        if (ELF64_R_SYM(table[i].r_info) != 0 && table[i].r_addend == 0 &&
            strcmp(d->strings + symbol->st_name, "getsockopt") == 0)
            fill_slot(d->base + table[i].r_offset, to);
    }
}

/* The first object that the linker tells of is the program itself. */
static int visit_program(struct dl_phdr_info *info, size_t bytes, void *to)
{
    struct dynamic d = {.base = info->dlpi_addr};
    getsockopt_function *function;

    (void)bytes;
    memcpy(&function, to, sizeof function);
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Dyn) * entry;

        if (info->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        entry = (const ElfW(Dyn) *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
        for (; entry->d_tag != DT_NULL; entry++)
            note_entry(&d, entry);
    }
    if (d.symbols != NULL && d.strings != NULL) {
        fill_slots(&d, d.jumps, d.jumps != NULL ? d.jumps_count : 0, function);
        fill_slots(&d, d.others, d.others != NULL ? d.others_count : 0, function);
    }
    return 1;
}

static void lead(getsockopt_function *to)
{
    dl_iterate_phdr(visit_program, &to);
}

void tern_pd_hook(struct tern_pd *p)
{
    hooked = p;
    lead(led_here);
}

void tern_pd_unhook(void)
{
    lead(getsockopt);
    hooked = NULL;
}
