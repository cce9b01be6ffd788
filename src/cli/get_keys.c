/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libcurl lets its OpenSSL context be seen before each handshake (CURLOPT_SSL_CTX_FUNCTION), and
 * OpenSSL tells each line of keys as it comes to be. All of it happens on libcurl's thread.
 *
 * Where SSLKEYLOGFILE is set, libcurl has put a function of its own there by then, which writes
 * that file. It is called as well: the two ways do not know of each other.
 */
#include "cli/get_keys.h"

#include <string.h>

#include <openssl/ssl.h>

struct keys {
    struct tern_secrets *secrets;
    SSL_CTX_keylog_cb_func libcurls; /* NULL: SSLKEYLOGFILE is not set */
};

static void keys_free(void *parent, void *keys, CRYPTO_EX_DATA *data, int index, long argument,
                      void *pointer)
{
    (void)parent;
    (void)data;
    (void)index;
    (void)argument;
    (void)pointer;
    OPENSSL_free(keys);
}

/* Where a context holds our struct keys. libcurl makes its connections from one thread. */
static int keys_index(void)
{
    static int index = -1;

    if (index < 0)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, keys_free);
    return index;
}

static struct keys *keys_of(const SSL *ssl)
{
    return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keys_index());
}

static void on_line(const SSL *ssl, const char *line)
{
    const struct keys *keys = keys_of(ssl);

    if (keys == NULL)
        return;
    tern_secrets_add(keys->secrets, line);
    if (keys->libcurls != NULL)
        keys->libcurls(ssl, line);
}

static void on_info(const SSL *ssl, int where, int value)
{
    const struct keys *keys = keys_of(ssl);

    (void)value;
    if (keys != NULL && (where & SSL_CB_HANDSHAKE_DONE) != 0)
        tern_secrets_settle(keys->secrets);
}

static CURLcode on_context(CURL *easy, void *context, void *secrets)
{
    struct keys *keys = OPENSSL_zalloc(sizeof *keys);

    (void)easy;
    if (keys == NULL)
        return CURLE_OUT_OF_MEMORY;
    keys->secrets = secrets;
    keys->libcurls = SSL_CTX_get_keylog_callback(context);
    if (SSL_CTX_set_ex_data(context, keys_index(), keys) != 1) {
        OPENSSL_free(keys);
        return CURLE_OUT_OF_MEMORY;
    }
    SSL_CTX_set_keylog_callback(context, on_line);
    SSL_CTX_set_info_callback(context, on_info);
    tern_secrets_expect(secrets);
    return CURLE_OK;
}

bool tern_get_keys_possible(void)
{
    const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

    return info->ssl_version != NULL && strncmp(info->ssl_version, "OpenSSL/", 8) == 0;
}

void tern_get_keys_ask(CURL *easy, struct tern_secrets *secrets)
{
    (void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, secrets);
}
