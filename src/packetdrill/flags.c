/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flags of the plugin, as `--so_flags` brings them: words with commas between, each KEY=VALUE.
 * What is not said is as packetdrill's scripts take it for granted: a host whose idle connections
 * keep their window and that neither paces nor offers ECN.
 *
 *   local=A.B.C.D   the address that connections come from (192.168.0.1); any other that
 *                   a packet or a bind() names becomes ours as well
 *   mtu=N           1500         tso=0|1       1: super-segments, as one packet
 *   ecn=0|1         0            timestamps=0|1, sack=0|1, wscale=0|1      1
 *   pacing=0|1      0            fastopen=0|1  1: every listener takes data in a SYN
 *   ssai=0|1        0: no slow start after idle
 *   congestion=NAME cubic        rmem=N, wmem=N   the most of a buffer, in bytes
 *   sysctl=0|1      0; 1: at each new socket, look at this network namespace's
 *                   net.ipv4.tcp_… for timestamps, ecn and the rest of these
 */
#include "packetdrill/plugin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BYTES 64

static const char *const congestion_names[] = {"cubic", "reno", "bbr"};

static bool set_congestion(struct tern_pd_flags *f, const char *value)
{
    for (size_t i = 0; i < sizeof congestion_names / sizeof congestion_names[0]; i++) {
        if (strcmp(value, congestion_names[i]) == 0) {
            f->congestion = congestion_names[i];
            return true;
        }
    }
    return false;
}

static bool set_switch(bool *out, const char *value)
{
    if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
        return false;
    *out = value[0] == '1';
    return true;
}

static bool set_number(uint32_t *out, const char *value)
{
    char *end;
    const unsigned long n = strtoul(value, &end, 10);

    if (value[0] < '0' || value[0] > '9' || *end != '\0' || n == 0 || n > 1u << 30)
        return false;
    *out = (uint32_t)n;
    return true;
}

static bool set_flag(struct tern_pd_flags *f, const char *key, const char *value)
{
    const struct {
        const char *key;
        bool *to;
    } switches[] = {
        {"ecn", &f->tcp.ecn},
        {"timestamps", &f->tcp.timestamps},
        {"sack", &f->tcp.sack},
        {"wscale", &f->tcp.window_scale},
        {"pacing", &f->tcp.pacing},
        {"fastopen", &f->fastopen},
        {"ssai", &f->tcp.restart_after_idle},
        {"tso", &f->tso},
        {"sysctl", &f->sysctl},
    };

    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        if (strcmp(key, switches[i].key) == 0)
            return set_switch(switches[i].to, value);
    }
    if (strcmp(key, "local") == 0)
        return tern_addr_parse(value, &f->local) == TERN_ERR_OK;
    if (strcmp(key, "mtu") == 0)
        return set_number(&f->mtu_bytes, value);
    if (strcmp(key, "rmem") == 0)
        return set_number(&f->receive_buffer_bytes, value);
    if (strcmp(key, "wmem") == 0)
        return set_number(&f->send_buffer_bytes, value);
    if (strcmp(key, "congestion") == 0)
        return set_congestion(f, value);
    /* whom packetdrill speaks for, its packets tell */
    return strcmp(key, "remote") == 0 || strcmp(key, "port") == 0;
}

static void set_defaults(struct tern_pd_flags *f)
{
    memset(f, 0, sizeof *f);
    f->local = tern_addr_v4(192, 168, 0, 1);
    f->mtu_bytes = 1500;
    f->send_buffer_bytes = 4u << 20;
    f->receive_buffer_bytes = 15u << 20; /* a window scale of 8 */
    f->tso = true;
    f->fastopen = true;
    f->congestion = "cubic";
    tern_tcp_settings_defaults(&f->tcp);
    f->tcp.ecn = false;
    f->tcp.pacing = false;
    f->tcp.restart_after_idle = false;
}

bool tern_pd_flags_parse(const char *text, struct tern_pd_flags *out)
{
    set_defaults(out);
    while (text != NULL && *text != '\0') {
        const size_t bytes = strcspn(text, ",");
        char word[WORD_BYTES];
        char *equals;

        if (bytes >= sizeof word)
            return false;
        memcpy(word, text, bytes);
        word[bytes] = '\0';
        text += bytes + (text[bytes] == ',');
        if (bytes == 0)
            continue;
        equals = strchr(word, '=');
        if (equals != NULL)
            *equals = '\0';
        if (equals == NULL || !set_flag(out, word, equals + 1)) {
            fprintf(stderr, "libtern_packetdrill: flag '%s' is not understood\n", word);
            return false;
        }
    }
    return true;
}

/* False: this namespace has no such thing. */
static bool read_sysctl(const char *name, unsigned long *out)
{
    char path[WORD_BYTES * 2];
    FILE *file;
    bool ok;

    snprintf(path, sizeof path, "/proc/sys/net/ipv4/%s", name);
    file = fopen(path, "r");
    if (file == NULL)
        return false;
    ok = fscanf(file, "%lu", out) == 1;
    fclose(file);
    return ok;
}

void tern_pd_flags_sysctl(struct tern_pd_flags *f)
{
    const struct {
        const char *name;
        bool *to;
    } switches[] = {
        {"tcp_timestamps", &f->tcp.timestamps},
        {"tcp_sack", &f->tcp.sack},
        {"tcp_window_scaling", &f->tcp.window_scale},
        {"tcp_ecn", &f->tcp.ecn},
        {"tcp_slow_start_after_idle", &f->tcp.restart_after_idle},
    };
    const unsigned long server = 2, every_listener = 0x400;
    unsigned long value;

    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++) {
        if (read_sysctl(switches[i].name, &value))
            *switches[i].to = value != 0;
    }
    if (read_sysctl("tcp_fastopen", &value))
        f->fastopen = (value & server) != 0 && (value & every_listener) != 0;
}
