/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue of milestones: a few entries under a lock that is held for a copy. */
#include "apps/milestone.h"

#include <string.h>

void tern_milestones_init(struct tern_milestones *m)
{
    (void)pthread_mutex_init(&m->lock, NULL);
    m->count = 0;
    m->lost = 0;
}

void tern_milestones_fini(struct tern_milestones *m)
{
    (void)pthread_mutex_destroy(&m->lock);
}

void tern_milestones_put(struct tern_milestones *m, const struct tern_milestone *milestone)
{
    (void)pthread_mutex_lock(&m->lock);
    if (m->lost == 0 && m->count < TERN_MILESTONES_MAX)
        m->queue[m->count++] = *milestone;
    else if (m->lost++ == 0)
        m->lost_at = milestone->at;
    (void)pthread_mutex_unlock(&m->lock);
}

bool tern_milestones_take(struct tern_milestones *m, struct tern_milestone *out)
{
    bool any;

    (void)pthread_mutex_lock(&m->lock);
    any = m->count > 0 || m->lost > 0;
    if (m->count > 0) {
        *out = m->queue[0];
        memmove(&m->queue[0], &m->queue[1], --m->count * sizeof m->queue[0]);
    } else if (m->lost > 0) {
        *out = (struct tern_milestone){
            .at = m->lost_at, .kind = TERN_MILESTONE_LOST, .number = m->lost};
        m->lost = 0;
    }
    (void)pthread_mutex_unlock(&m->lock);
    return any;
}

void tern_milestone_text(char *to, size_t to_bytes, const char *text, size_t bytes)
{
    size_t n = bytes < to_bytes - 1 ? bytes : to_bytes - 1;

    memcpy(to, text, n);
    to[n] = '\0';
}
