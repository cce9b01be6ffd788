/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stack that is tested, and the wire between it and packetdrill.
 *
 * packetdrill speaks in IP packets; here they get an Ethernet header on the way in and lose it on
 * the way out, and ARP requests are answered for every address there is. What the stack sends
 * waits in a list, with its time, until packetdrill asks.
 *
 * packetdrill picks its own addresses and does not tell them: whatever address of ours a packet
 * or a bind() names is taken at once, with nobody else on the link to ask.
 */
#include "packetdrill/plugin.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "link/frame.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/ipv4.h"

#define CONNECTIONS_MAX 64
#define CHUNKS_MAX      2048 /* of 16 KiB; touched only where used */
#define BURST           8

static const struct tern_mac our_mac = {{2, 0, 0, 0, 0, 1}};
static const struct tern_mac peer_mac = {{2, 0, 0, 0, 0, 2}};

static void append(struct tern_pd_list *list, struct tern_pd_packet *packet)
{
    packet->next = NULL;
    *list->last = packet;
    list->last = &packet->next;
}

struct tern_pd_packet *tern_pd_take(struct tern_pd_list *list)
{
    struct tern_pd_packet *packet = list->first;

    if (packet == NULL)
        return NULL;
    list->first = packet->next;
    if (list->first == NULL)
        list->last = &list->first;
    return packet;
}

static void clear(struct tern_pd_list *list)
{
    struct tern_pd_packet *packet;

    while ((packet = tern_pd_take(list)) != NULL)
        free(packet);
}

static void configure(const struct tern_pd_flags *f, struct tern_config *config)
{
    tern_config_defaults(config);
    memset(config->seed, 0x5e, sizeof config->seed); /* each run is the same */
    config->link.mac = our_mac;
    config->link.mtu_bytes = f->mtu_bytes;
    config->link.offloads = f->tso ? TERN_OFFLOAD_CSUM_TX | TERN_OFFLOAD_TSO4 : 0;
    config->link.private_network = true;
    config->connections_max = CONNECTIONS_MAX;
    config->addresses_max = TERN_PD_OWN_MAX;
    config->chunks_max = CHUNKS_MAX;
    config->send_buffer_bytes = f->send_buffer_bytes;
    config->receive_buffer_bytes = f->receive_buffer_bytes;
    config->congestion = f->congestion;
    for (size_t i = 0; i < sizeof config->fastopen_key; i++)
        config->fastopen_key[i] = (uint8_t)(0xa1 + 0x11 * (i / 4)); /* as the scripts set it */
}

/* mlockall() is in force: memory is counted when it is mapped. */
static void *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static int new_descriptor(void *arg)
{
    (void)arg;
    return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static void free_descriptor(void *arg, int fd)
{
    (void)arg;
    close(fd);
}

static tern_time clock_of(void *arg)
{
    const struct tern_pd *p = arg;

    return p->now;
}

static bool make_sockets(struct tern_pd *p)
{
    struct tern_sockets_config config;

    tern_sockets_config_defaults(&config);
    config.stack = p->stack;
    config.arg = p;
    config.settings = &p->flags.tcp;
    config.fd_new = new_descriptor;
    config.fd_free = free_descriptor;
    config.now = clock_of;
    config.wait = tern_pd_wait;
    p->sockets_bytes = tern_sockets_bytes(&config);
    p->sockets_memory = map(p->sockets_bytes);
    return p->sockets_memory != NULL && tern_sockets_init(p->sockets_memory, p->sockets_bytes,
                                                          &config, &p->sockets) == TERN_ERR_OK;
}

bool tern_pd_world_init(struct tern_pd *p)
{
    struct tern_config config;

    configure(&p->flags, &config);
    p->now = TERN_SECOND;
    p->sent.last = &p->sent.first;
    p->arps.last = &p->arps.first;
    p->stack_bytes = tern_stack_bytes(&config);
    if (p->stack_bytes == 0)
        return false;
    p->stack_memory = map(p->stack_bytes);
    if (p->stack_memory == NULL ||
        tern_stack_init(p->stack_memory, p->stack_bytes, &config, p->now, &p->stack) != TERN_ERR_OK)
        return false;
    if (!make_sockets(p))
        return false;
    tern_stack_gateway_set(p->stack, tern_addr_v4(192, 168, 255, 254));
    tern_pd_own(p, p->flags.local);
    return true;
}

void tern_pd_world_fini(struct tern_pd *p)
{
    tern_sockets_fini(p->sockets);
    clear(&p->sent);
    clear(&p->arps);
    munmap(p->sockets_memory, p->sockets_bytes);
    munmap(p->stack_memory, p->stack_bytes);
}

void tern_pd_own(struct tern_pd *p, struct tern_addr address)
{
    const struct tern_cidr cidr = {.addr = address, .prefix_bits = 16};

    if (!tern_addr_is_v4(address) || tern_addr_is_any(address))
        return;
    for (uint32_t i = 0; i < p->owned_count; i++) {
        if (tern_addr_equal(p->owned[i], address))
            return;
    }
    if (p->owned_count == TERN_PD_OWN_MAX ||
        tern_stack_address_add(p->stack, &cidr, TERN_CLAIM_NONE) != TERN_ERR_OK)
        return;
    p->owned[p->owned_count++] = address;
    (void)tern_pd_turn(p);
}

/* The stack asks who has an address: packetdrill has them all. */
static void answer_arp(struct tern_pd *p, const struct tern_pd_packet *asked)
{
    uint8_t bytes[TERN_ETH_BYTES + TERN_ARP_BYTES];
    const struct tern_eth eth = {.dst = our_mac, .src = peer_mac, .type = TERN_ETHERTYPE_ARP};
    const struct tern_frame frame = {
        .piece = {{bytes, sizeof bytes}}, .piece_count = 1, .bytes = sizeof bytes};
    struct tern_writer w = tern_writer_of(bytes, sizeof bytes);
    struct tern_arp arp, reply;

    if (!tern_arp_parse(tern_span_of(asked->data, asked->bytes), &arp) ||
        arp.op != TERN_ARP_REQUEST || tern_addr_equal(arp.sender, arp.target))
        return;
    reply = (struct tern_arp){.op = TERN_ARP_REPLY,
                              .sender_mac = peer_mac,
                              .sender = arp.target,
                              .target_mac = our_mac,
                              .target = arp.sender};
    tern_eth_emit(&eth, &w);
    tern_arp_emit(&reply, &w);
    tern_stack_input(p->stack, &frame, 1, p->now);
}

/* Keep what the stack sends, without its Ethernet header. Its bytes are the stack's until the next
 * call, so nothing is answered yet. */
static void take_frame(struct tern_pd *p, const struct tern_frame *frame)
{
    uint8_t *bytes = malloc(frame->bytes);
    struct tern_pd_packet *packet = malloc(sizeof *packet + frame->bytes);
    struct tern_eth eth;
    tern_span body;

    if (bytes == NULL || packet == NULL)
        goto out;
    tern_frame_copy(frame, bytes, frame->bytes);
    if (frame->csum == TERN_CSUM_NEEDS)
        (void)tern_frame_fill_checksum(bytes, frame->bytes, frame->csum_start, frame->csum_offset);
    if (!tern_eth_parse(tern_span_of(bytes, frame->bytes), &eth, &body))
        goto out;
    packet->at = p->now;
    packet->bytes = body.bytes;
    memcpy(packet->data, body.data, body.bytes);
    append(eth.type == TERN_ETHERTYPE_ARP ? &p->arps : &p->sent, packet);
    packet = NULL;
out:
    free(packet);
    free(bytes);
}

static bool output(struct tern_pd *p)
{
    struct tern_frame frames[BURST];
    struct tern_pd_packet *asked;
    bool any = false;
    int n;

    while ((n = tern_stack_output(p->stack, frames, BURST, p->now)) > 0) {
        for (int i = 0; i < n; i++)
            take_frame(p, &frames[i]);
        any = true;
    }
    while ((asked = tern_pd_take(&p->arps)) != NULL) {
        answer_arp(p, asked);
        free(asked);
    }
    return any;
}

bool tern_pd_turn(struct tern_pd *p)
{
    bool heard = false, any;

    do {
        if (tern_stack_deadline(p->stack) <= p->now)
            tern_stack_expire(p->stack, p->now);
        any = output(p);
        if (tern_sockets_pump(p->sockets) > 0)
            any = heard = true;
    } while (any);
    tern_pd_tell_blocked(p);
    return heard;
}

/* Whoever a packet is for, that is us. */
static void own_destination(struct tern_pd *p, tern_span packet)
{
    struct tern_ipv4 ip;
    tern_span body;

    if (tern_ipv4_parse(packet, &ip, &body) == TERN_IPV4_OK)
        tern_pd_own(p, ip.dst);
}

void tern_pd_input(struct tern_pd *p, const void *packet, size_t bytes)
{
    const struct tern_eth eth = {.dst = our_mac, .src = peer_mac, .type = TERN_ETHERTYPE_IPV4};
    uint8_t *data = malloc(TERN_ETH_BYTES + bytes);
    struct tern_writer w;
    struct tern_frame frame = {.piece_count = 1};

    if (data == NULL)
        return;
    own_destination(p, tern_span_of(packet, bytes));
    w = tern_writer_of(data, TERN_ETH_BYTES);
    tern_eth_emit(&eth, &w);
    memcpy(data + TERN_ETH_BYTES, packet, bytes);
    frame.bytes = (uint32_t)(TERN_ETH_BYTES + bytes);
    frame.piece[0] = tern_span_of(data, frame.bytes);
    tern_stack_input(p->stack, &frame, 1, p->now);
    free(data);
    (void)tern_pd_turn(p);
}
