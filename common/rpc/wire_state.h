/* What wire.c (opening, declaring, publishing) and wire_read.c (what arrives) share. Nobody else includes it. */
#pragma once

#include <amqp.h>

#include "wire.h"

#define CHANNEL_PUBLISH 1
#define CHANNEL_CONSUME 2

struct wire {
    amqp_connection_state_t state;
    int fd;
    char *user;
    uint64_t next_tag;
    /* The message whose header and body frames a channel is in the middle of. */
    struct partial {
        struct delivery *delivery;
        bool returned;
        uint64_t left; /* Bytes of the body that are still to come. */
        bool has_header;
    } partial[CHANNEL_CONSUME + 1];
};

/* FAULT_UNAVAILABLE, with the library's word for 'status' as the cause; 0 when it is none. */
int wire_check_status(int status, const char *what, struct fault *f);
