/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TERN_PACKETDRILL_INTERFACE_H
#define TERN_PACKETDRILL_INTERFACE_H
/*
 * What packetdrill asks of a shared object that it tests with --so_filename: one function, which
 * fills a table of calls in. Only the order and the types of the members are given by
 * packetdrill; it tests none of them for NULL.
 *
 * Each takes `userdata` first and is otherwise shaped like libc's, but for netdev_send and
 * netdev_receive: whole IP packets, without Ethernet, into the stack (0, or -1), and the next one
 * out of it (-1: ask again; *count 0: there is none).
 */
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct packetdrill_interface {
    void *userdata;
    void (*free)(void *userdata);
    int (*socket)(void *userdata, int domain, int type, int protocol);
    int (*bind)(void *userdata, int fd, const struct sockaddr *address, socklen_t bytes);
    int (*listen)(void *userdata, int fd, int backlog);
    int (*accept)(void *userdata, int fd, struct sockaddr *address, socklen_t *bytes);
    int (*connect)(void *userdata, int fd, const struct sockaddr *address, socklen_t bytes);
    ssize_t (*read)(void *userdata, int fd, void *data, size_t bytes);
    ssize_t (*readv)(void *userdata, int fd, const struct iovec *parts, int count);
    ssize_t (*recv)(void *userdata, int fd, void *data, size_t bytes, int flags);
    ssize_t (*recvfrom)(void *userdata, int fd, void *data, size_t bytes, int flags,
                        struct sockaddr *from, socklen_t *from_bytes);
    ssize_t (*recvmsg)(void *userdata, int fd, struct msghdr *message, int flags);
    ssize_t (*write)(void *userdata, int fd, const void *data, size_t bytes);
    ssize_t (*writev)(void *userdata, int fd, const struct iovec *parts, int count);
    ssize_t (*send)(void *userdata, int fd, const void *data, size_t bytes, int flags);
    ssize_t (*sendto)(void *userdata, int fd, const void *data, size_t bytes, int flags,
                      const struct sockaddr *to, socklen_t to_bytes);
    ssize_t (*sendmsg)(void *userdata, int fd, const struct msghdr *message, int flags);
    int (*fcntl)(void *userdata, int fd, int command, ...);
    int (*ioctl)(void *userdata, int fd, unsigned long request, ...);
    int (*close)(void *userdata, int fd);
    int (*shutdown)(void *userdata, int fd, int how);
    int (*getsockopt)(void *userdata, int fd, int level, int name, void *value, socklen_t *bytes);
    int (*setsockopt)(void *userdata, int fd, int level, int name, const void *value,
                      socklen_t bytes);
    int (*poll)(void *userdata, struct pollfd *polled, nfds_t count, int timeout_ms);
    int (*netdev_send)(void *userdata, const void *packet, size_t count);
    int (*netdev_receive)(void *userdata, void *packet, size_t *count, long long *time_usecs);
    int (*usleep)(void *userdata, useconds_t usecs);
    int (*gettimeofday)(void *userdata, struct timeval *tv, struct timezone *tz);
    int (*epoll_create)(void *userdata, int size);
    int (*epoll_ctl)(void *userdata, int epoll, int operation, int fd, struct epoll_event *event);
    int (*epoll_wait)(void *userdata, int epoll, struct epoll_event *events, int events_max,
                      int timeout_ms);
    int (*pipe)(void *userdata, int fds[2]);
    int (*splice)(void *userdata, int in, loff_t *in_offset, int out, loff_t *out_offset,
                  size_t bytes, unsigned int flags);
};

#endif
