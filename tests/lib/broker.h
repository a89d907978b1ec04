/* A RabbitMQ for tests: one per test program, on free ports of 127.0.0.1, or the one that VIRGA_TEST_AMQP_URL names.
 *
 * Its users: "virga" (services), "agent@hosta", "agent@hostb" (each bound to its host); the password of all is "test".
 * A private broker ends with the program, however that ends. What can't be had ends the program with the reason. */
#pragma once

#include <stdbool.h>

#include "common/base/arena.h"

struct broker;

struct broker *broker_open(void);
void broker_close(struct broker *b); /* NULL does nothing. */

/* amqp://user:test@127.0.0.1:port/%2f. With a broker that was given by the environment always that URL. */
char *broker_url(const struct broker *b, struct arena *a, const char *user);

/* Ours: it has the users above, and may be killed. */
bool broker_is_private(const struct broker *b);
void broker_kill(struct broker *b); /* SIGKILL; returns when it is gone. */
void
broker_start(struct broker *b); /* Again, with the same ports and data; returns when it serves. */

/* 'name' with something behind it that no other test uses, so that several can share a broker. */
char *broker_unique(struct arena *a, const char *name);
