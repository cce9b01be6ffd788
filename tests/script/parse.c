/* SPDX-License-Identifier: BSD-2-Clause */
/* From a script's text to steps. A line that is not understood is a failure, never skipped. */
#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 256

static bool complain(const struct script *s, int line, const char *words, const char *at)
{
    fprintf(stderr, "%s:%d: %s: '%s'\n", s->path, line, words, at);
    return false;
}

static bool parse_u32(const char *text, uint32_t *out)
{
    char *end;
    const unsigned long long v = strtoull(text, &end, 0);

    if (end == text || *end != '\0' || v > UINT32_MAX)
        return false;
    *out = (uint32_t)v;
    return true;
}

/* +SECONDS, or + * for whenever. */
static bool parse_time(const char *text, struct script_step *step)
{
    char *end;
    double v;

    if (strcmp(text, "*") == 0) {
        step->any_time = true;
        return true;
    }
    if (text[0] != '+')
        return false;
    v = strtod(text + 1, &end);
    if (end == text + 1 || *end != '\0' || v < 0.0 || v > 1e6)
        return false;
    step->delay = (tern_time)(v * 1e6 + 0.5) * TERN_US;
    return true;
}

static bool parse_flags(const char *text, uint8_t *out)
{
    static const char letters[] = "FSRP.UEW";

    *out = 0;
    if (strcmp(text, "-") == 0) /* no flag at all */
        return true;
    for (; *text != '\0'; text++) {
        const char *at = strchr(letters, *text);

        if (at == NULL)
            return false;
        *out = (uint8_t)(*out | 1u << (at - letters));
    }
    return true;
}

/* 1:1461(1460): the three must agree. */
static bool parse_sequence(const char *text, struct script_segment *out)
{
    uint32_t start, end, length;
    char rest;

    if (sscanf(text, "%u:%u(%u)%c", &start, &end, &length, &rest) != 3 || end - start != length ||
        length > 60000)
        return false;
    out->seq = start;
    out->length = length;
    return true;
}

static bool parse_timestamps(const char *text, struct script_segment *out)
{
    char value[16];

    if (sscanf(text, "TS val %15s ecr %u", value, &out->ts_echo) != 2)
        return false;
    out->has_timestamps = true;
    out->any_ts_value = strcmp(value, "*") == 0;
    return out->any_ts_value || parse_u32(value, &out->ts_value);
}

/* raw HEX: bytes of options as they are. */
static bool parse_raw(const char *text, struct script_segment *out)
{
    uint32_t byte;

    text += strspn(text, " ");
    for (; *text != '\0'; text += 2) {
        if (out->raw_bytes == SCRIPT_RAW_MAX || sscanf(text, "%2x", &byte) != 1 || text[1] == '\0')
            return false;
        out->raw[out->raw_bytes++] = (uint8_t)byte;
    }
    return out->raw_bytes > 0;
}

/* FO, FO HEX or FO *: RFC 7413 §4.1.1 */
static bool parse_cookie(const char *text, struct script_segment *out)
{
    uint32_t n = 0, byte;

    out->has_cookie = true;
    text += strspn(text, " ");
    out->any_cookie = strcmp(text, "*") == 0;
    for (; !out->any_cookie && *text != '\0'; text += 2) {
        if (n == SCRIPT_COOKIE_MAX || sscanf(text, "%2x", &byte) != 1 || text[1] == '\0')
            return false;
        out->cookie[n++] = (uint8_t)byte;
    }
    out->cookie_bytes = (uint8_t)n;
    return true;
}

static bool parse_option(const char *text, struct script_segment *out)
{
    uint32_t a, b;

    if (strcmp(text, "nop") == 0 || strcmp(text, "eol") == 0)
        return true;
    if (strcmp(text, "sackOK") == 0) {
        out->sack_permitted = true;
        return true;
    }
    if (sscanf(text, "mss %u", &a) == 1) {
        out->has_mss = true;
        out->mss = (uint16_t)a;
        return a <= UINT16_MAX;
    }
    if (sscanf(text, "wscale %u", &a) == 1) {
        out->has_wscale = true;
        out->wscale = (uint8_t)a;
        return a <= UINT8_MAX;
    }
    if (sscanf(text, "sack %u:%u", &a, &b) == 2 && out->block_count < SCRIPT_BLOCKS_MAX) {
        out->block[out->block_count].start = a;
        out->block[out->block_count].end = b;
        out->block_count++;
        return true;
    }
    if (strncmp(text, "FO", 2) == 0)
        return parse_cookie(text + 2, out);
    if (strncmp(text, "raw ", 4) == 0)
        return parse_raw(text + 4, out);
    return parse_timestamps(text, out);
}

static bool parse_options(char *text, struct script_segment *out)
{
    char *save = NULL;

    if (strcmp(text, "...") == 0) {
        out->any_options = true;
        return true;
    }
    for (char *t = strtok_r(text, ",", &save); t != NULL; t = strtok_r(NULL, ",", &save)) {
        if (!parse_option(t, out))
            return false;
    }
    return true;
}

static bool parse_cause(const char *name, struct script_segment *out)
{
    for (int i = 0; i < TERN_CAUSE_COUNT; i++) {
        if (strcmp(tern_cause_name((enum tern_cause)i), name) == 0) {
            out->cause = (enum tern_cause)i;
            out->has_cause = true;
            return true;
        }
    }
    return false;
}

static bool parse_address(const char *text, uint8_t out[4])
{
    uint32_t b[4];
    char rest;

    if (sscanf(text, "%u.%u.%u.%u%c", &b[0], &b[1], &b[2], &b[3], &rest) != 4)
        return false;
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)b[i];
    return b[0] <= 255 && b[1] <= 255 && b[2] <= 255 && b[3] <= 255;
}

/* What is wrong with a segment of the peer's: csum bad, offset WORDS, reserved BITS, from and to.
 */
static bool parse_fault(const char *name, const char *value, struct script_segment *out)
{
    uint32_t v;

    if (strcmp(name, "csum") == 0)
        return out->bad_checksum = strcmp(value, "bad") == 0;
    if (strcmp(name, "from") == 0)
        return out->has_from = parse_address(value, out->from);
    if (strcmp(name, "to") == 0)
        return out->has_to = parse_address(value, out->to);
    if (strcmp(name, "offset") != 0 && strcmp(name, "reserved") != 0)
        return false;
    if (!parse_u32(value, &v) || v > 15)
        return false;
    if (strcmp(name, "offset") == 0) {
        out->has_offset = true;
        out->offset = (uint8_t)v;
        return true;
    }
    out->reserved = (uint8_t)v;
    return strcmp(name, "reserved") == 0;
}

static bool parse_pair(const char *name, const char *value, struct script_segment *out)
{
    uint32_t v;

    if (value == NULL)
        return false;
    if (strcmp(name, "why") == 0)
        return parse_cause(value, out);
    if (parse_fault(name, value, out))
        return true;
    if (!parse_u32(value, &v))
        return false;
    if (strcmp(name, "ack") == 0) {
        out->ack = v;
        return true;
    }
    if (strcmp(name, "pieces") == 0) {
        out->piece_bytes = (uint16_t)v;
        return v > 0 && v <= 1460;
    }
    if (strcmp(name, "urg") == 0) {
        out->has_urgent = true;
        out->urgent = (uint16_t)v;
        return v <= UINT16_MAX;
    }
    if (strcmp(name, "tos") == 0) {
        out->has_tos = true;
        out->tos = (uint8_t)v;
        return v <= UINT8_MAX && (v & 3) == 0;
    }
    if (strcmp(name, "ttl") == 0) {
        out->has_ttl = true;
        out->ttl = (uint8_t)v;
        return v <= UINT8_MAX;
    }
    out->has_window = true;
    out->window = (uint16_t)v;
    return strcmp(name, "win") == 0 && v <= UINT16_MAX;
}

/* [ect0] and its like, before the flags: RFC 3168 §5 */
static bool parse_mark(char **text, struct script_segment *out)
{
    static const char *const marks[] = {"[noecn]", "[ect1]", "[ect0]", "[ce]"};

    *text += strspn(*text, " \t");
    for (uint8_t i = 0; i < 4; i++) {
        const size_t n = strlen(marks[i]);

        if (strncmp(*text, marks[i], n) != 0)
            continue;
        out->ecn = i;
        *text += n;
        return true;
    }
    return **text != '[';
}

/* [MARK] FLAGS SEQ [ack N] [win N] [<options>] [why CAUSE] [pieces N] [urg N] [tos N] [ttl N] */
static bool parse_segment(char *text, struct script_segment *out)
{
    char *open = strchr(text, '<'), *close = strchr(text, '>'), *save = NULL, *t;

    if (!parse_mark(&text, out))
        return false;
    if (open != NULL) {
        if (close == NULL || close < open)
            return false;
        *open = *close = '\0';
        if (!parse_options(open + 1, out))
            return false;
        memset(open, ' ', (size_t)(close - open) + 1);
    }
    t = strtok_r(text, " \t", &save);
    if (t == NULL || !parse_flags(t, &out->flags))
        return false;
    t = strtok_r(NULL, " \t", &save);
    if (t == NULL || !parse_sequence(t, out))
        return false;
    while ((t = strtok_r(NULL, " \t", &save)) != NULL) {
        if (!parse_pair(t, strtok_r(NULL, " \t", &save), out))
            return false;
    }
    return true;
}

static bool parse_words(char *text, struct script_step *step)
{
    char *save = NULL;

    for (char *t = strtok_r(text, " \t", &save); t != NULL; t = strtok_r(NULL, " \t", &save)) {
        if (step->word_count == SCRIPT_WORDS_MAX || strlen(t) >= SCRIPT_WORD_MAX)
            return false;
        snprintf(step->word[step->word_count++], SCRIPT_WORD_MAX, "%s", t);
    }
    return step->word_count > 0;
}

static bool parse_config(struct script *s, const char *text)
{
    char name[32], value[32];
    uint32_t v = 0;

    if (sscanf(text, "config %31s %31s", name, value) != 2)
        return false;
    if (strcmp(name, "congestion") != 0 && script_setting(&s->settings, name, value))
        return true;
    if (strcmp(name, "congestion") == 0) {
        snprintf(s->congestion, sizeof s->congestion, "%.15s", value);
        s->config.congestion = s->congestion;
        return true;
    }
    if (!parse_u32(value, &v))
        return false;
    if (strcmp(name, "mtu") == 0)
        s->config.link.mtu_bytes = v;
    else if (strcmp(name, "receive-buffer") == 0)
        s->config.receive_buffer_bytes = v;
    else if (strcmp(name, "send-buffer") == 0)
        s->config.send_buffer_bytes = v;
    else if (strcmp(name, "connections") == 0)
        s->config.connections_max = v;
    else
        return false;
    return true;
}

static bool parse_step(struct script_step *step, char *text)
{
    char *rest = text + strcspn(text, " \t");

    if (*rest != '\0')
        *rest++ = '\0';
    rest += strspn(rest, " \t");
    if (!parse_time(text, step))
        return false;
    if (rest[0] == '>') {
        step->verb = SCRIPT_WE_SEND;
        return parse_segment(rest + 1, &step->segment);
    }
    if (strncmp(rest, "< icmp ", 7) == 0) {
        step->verb = SCRIPT_PEER_ICMP;
        return parse_words(rest + 7, step);
    }
    if (rest[0] == '<') {
        step->verb = SCRIPT_PEER_SENDS;
        return parse_segment(rest + 1, &step->segment);
    }
    step->verb = SCRIPT_COMMAND;
    return parse_words(rest, step);
}

static void config_init(struct script *s)
{
    tern_config_defaults(&s->config);
    tern_tcp_settings_defaults(&s->settings);
    s->settings.pacing = s->settings.ecn = false; /* those scripts that want them say so */
    memset(s->config.seed, 0x5a, sizeof s->config.seed);
    s->config.connections_max = 8;
    s->config.udp_sockets_max = 1;
    s->config.ping_sockets_max = 1;
    s->config.neighbours_max = 4;
    s->config.reassembly_max = 1;
    s->config.chunk_bytes = 4096;
    s->config.chunks_max = 2048;
    s->config.send_buffer_bytes = 262144;
    s->config.receive_buffer_bytes = 65535;
    s->config.traces_count = 64;
    snprintf(s->config.link.name, sizeof s->config.link.name, "script");
    s->config.link.mac = script_our_mac;
    s->config.link.mtu_bytes = 1500;
}

static bool read_line(struct script *s, char *text, int line)
{
    char copy[LINE_MAX_BYTES];

    text[strcspn(text, "\r\n")] = '\0';
    if (strchr(text, '#') != NULL)
        *strchr(text, '#') = '\0';
    while (text[0] != '\0' && strchr(" \t", text[strlen(text) - 1]) != NULL)
        text[strlen(text) - 1] = '\0';
    text += strspn(text, " \t");
    if (*text == '\0')
        return true;
    snprintf(copy, sizeof copy, "%s", text);
    if (strncmp(text, "config ", 7) == 0 && s->step_count == 0)
        return parse_config(s, text) || complain(s, line, "not a setting", copy);
    if (s->step_count == SCRIPT_STEPS_MAX)
        return complain(s, line, "too many steps", copy);
    s->step[s->step_count].line = line;
    return parse_step(&s->step[s->step_count++], text) || complain(s, line, "not understood", copy);
}

bool script_read(struct script *s, const char *path)
{
    char text[LINE_MAX_BYTES];
    bool good = true;
    FILE *in = fopen(path, "r");

    memset(s, 0, sizeof *s);
    s->path = path;
    config_init(s);
    if (in == NULL)
        return complain(s, 0, "cannot be opened", path);
    for (int line = 1; good && fgets(text, sizeof text, in) != NULL; line++)
        good = read_line(s, text, line);
    fclose(in);
    if (good && s->step_count == 0)
        return complain(s, 0, "holds no step", path);
    return good;
}
