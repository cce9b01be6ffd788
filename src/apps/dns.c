/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolver: a c-ares channel whose sockets are tern's (dns_socket.c), whose only server is the
 * one that it was given, and which reads no file of the system. Answers are not sorted
 * (ARES_AI_NOSORT), since c-ares' sorting opens kernel sockets.
 *
 * c-ares reads a clock of its own for its timeouts; tern_dns_deadline() turns what is left into a
 * moment of the loop's clock.
 */
#include "apps/dns.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "apps/dns_socket.h"

#define TIMEOUT_MS_DEFAULT 2000
#define TRIES_DEFAULT      3

struct tern_dns {
    struct tern_loop *loop;
    ares_channel channel;
    struct tern_dns_sockets sockets;
    bool has_server;
    int queries_waiting;
    struct tern_milestones *milestones;
};

struct query {
    struct tern_dns *dns;
    char name[TERN_MILESTONE_TEXT_MAX];
    tern_dns_fn *answered;
    void *user;
};

static enum tern_dns_result result_of(int status)
{
    switch (status) {
    case ARES_SUCCESS:
        return TERN_DNS_FOUND;
    case ARES_ENODATA:
    case ARES_ENOTFOUND:
    case ARES_ENONAME:
        return TERN_DNS_NOT_FOUND;
    case ARES_ETIMEOUT:
        return TERN_DNS_SILENT;
    case ARES_EBADNAME:
    case ARES_EBADQUERY:
        return TERN_DNS_BAD_NAME;
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED:
        return TERN_DNS_STOPPED;
    default:
        return TERN_DNS_FAILED;
    }
}

const char *tern_dns_text(enum tern_dns_result result)
{
    switch (result) {
    case TERN_DNS_FOUND:
        return "found";
    case TERN_DNS_NOT_FOUND:
        return "there is no such name";
    case TERN_DNS_SILENT:
        return "the DNS server does not answer";
    case TERN_DNS_NO_SERVER:
        return "no DNS server was given: add --dns ADDRESS";
    case TERN_DNS_BAD_NAME:
        return "that is not a host name";
    case TERN_DNS_STOPPED:
        return "stopped";
    case TERN_DNS_FAILED:
    default:
        return "the DNS server refused, or failed";
    }
}

static void collect(const struct ares_addrinfo *found, struct tern_dns_answer *answer)
{
    const struct ares_addrinfo_node *node;

    for (node = found->nodes; node != NULL; node = node->ai_next) {
        struct sockaddr_in in;

        if (node->ai_family != AF_INET || answer->addresses_count == TERN_DNS_ADDRESSES_MAX)
            continue;
        memcpy(&in, node->ai_addr, sizeof in);
        answer->addresses[answer->addresses_count++] =
            tern_addr_from_be32(ntohl(in.sin_addr.s_addr));
    }
}

static void tell(const struct query *query, enum tern_milestone_kind kind,
                 const struct tern_dns_answer *answer)
{
    const char *what = answer == NULL ? "" : tern_dns_text(answer->result);
    struct tern_milestone m = {.at = tern_loop_now(query->dns->loop), .kind = kind};

    if (query->dns->milestones == NULL)
        return;
    tern_milestone_text(m.text, sizeof m.text, query->name, strlen(query->name));
    tern_milestone_text(m.more, sizeof m.more, what, strlen(what));
    for (int i = 0; answer != NULL && i < answer->addresses_count; i++)
        m.addresses[m.addresses_count++] = answer->addresses[i];
    tern_milestones_put(query->dns->milestones, &m);
}

static void on_answer(void *user, int status, int timeouts, struct ares_addrinfo *found)
{
    struct query *query = user;
    struct tern_dns_answer answer = {.result = result_of(status)};

    (void)timeouts;
    query->dns->queries_waiting--;
    if (found != NULL) {
        collect(found, &answer);
        ares_freeaddrinfo(found);
    }
    if (answer.result == TERN_DNS_FOUND && answer.addresses_count == 0)
        answer.result = TERN_DNS_NOT_FOUND;
    tell(query, TERN_MILESTONE_DNS_ANSWERED, &answer);
    query->answered(query->user, &answer);
    free(query);
}

static int open_channel(const struct tern_dns_options *options, ares_channel *channel)
{
    char lookups[] = "b";
    char no_file[] = "/dev/null";
    struct ares_options ares = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .timeout = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS_DEFAULT,
        .tries = options->tries > 0 ? options->tries : TRIES_DEFAULT,
        .lookups = lookups,
        .resolvconf_path = no_file,
    };

    return ares_init_options(channel, &ares,
                             ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                 ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS | ARES_OPT_RESOLVCONF);
}

static int set_server(ares_channel channel, const struct tern_endpoint *server)
{
    struct ares_addr_port_node node = {
        .family = AF_INET, .udp_port = server->port, .tcp_port = server->port};

    node.addr.addr4.s_addr = htonl(tern_addr_to_be32(server->addr));
    return ares_set_servers_ports(channel, &node);
}

enum tern_err tern_dns_create(const struct tern_dns_options *options, struct tern_dns **out)
{
    struct tern_dns *dns = calloc(1, sizeof *dns);

    if (dns == NULL)
        return TERN_ERR_MEMORY;
    dns->loop = options->loop;
    dns->milestones = options->milestones;
    dns->has_server = !tern_addr_is_any(options->server.addr);
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        goto no_library;
    if (open_channel(options, &dns->channel) != ARES_SUCCESS)
        goto no_channel;
    tern_dns_sockets_init(&dns->sockets, tern_loop_stack(dns->loop), dns->channel);
    if (dns->has_server && set_server(dns->channel, &options->server) != ARES_SUCCESS)
        goto no_server;
    *out = dns;
    return TERN_ERR_OK;
no_server:
    ares_destroy(dns->channel);
no_channel:
    ares_library_cleanup();
no_library:
    free(dns);
    return TERN_ERR_SYSTEM;
}

void tern_dns_destroy(struct tern_dns *dns)
{
    if (dns == NULL)
        return;
    ares_destroy(dns->channel);
    ares_library_cleanup();
    free(dns);
}

void tern_dns_query(struct tern_dns *dns, const char *name, tern_dns_fn *answered, void *user)
{
    static const struct ares_addrinfo_hints hints = {
        .ai_flags = ARES_AI_NOSORT, .ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct tern_dns_answer answer = {.result = TERN_DNS_NO_SERVER};
    struct query *query;

    if (tern_addr_parse(name, &answer.addresses[0]) == TERN_ERR_OK) {
        answer.result = TERN_DNS_FOUND;
        answer.addresses_count = 1;
    }
    query = answer.result == TERN_DNS_FOUND || !dns->has_server ? NULL : malloc(sizeof *query);
    if (query == NULL) {
        answered(user, &answer);
        return;
    }
    *query = (struct query){.dns = dns, .answered = answered, .user = user};
    tern_milestone_text(query->name, sizeof query->name, name, strlen(name));
    tell(query, TERN_MILESTONE_DNS_ASKED, NULL);
    dns->queries_waiting++;
    ares_getaddrinfo(dns->channel, name, NULL, &hints, on_answer, query);
}

tern_time tern_dns_deadline(const struct tern_dns *dns)
{
    struct timeval left;
    tern_time now = tern_loop_now(dns->loop);

    if (dns->queries_waiting == 0 || ares_timeout(dns->channel, NULL, &left) == NULL)
        return TERN_TIME_NEVER;
    return now + left.tv_sec * TERN_SECOND + left.tv_usec * TERN_US + TERN_MS;
}

void tern_dns_expire(struct tern_dns *dns, tern_time now)
{
    struct timeval left;

    (void)now; /* c-ares looks at its own clock */
    if (dns->queries_waiting > 0 && ares_timeout(dns->channel, NULL, &left) != NULL &&
        left.tv_sec == 0 && left.tv_usec == 0)
        ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}
