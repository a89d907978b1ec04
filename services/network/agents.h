/* Network agents: what they report of themselves, and which of them are alive. */
#pragma once

#include "service.h"
#include "touched.h"

/* 1: flat networks may name the physical network; 0: not. */
int agents_know_physical(struct network_service *service, struct db *db, const char *physical,
                         struct fault *f);

/* 1: there is an agent on the host, and it has reported lately. */
int agent_is_alive(struct network_service *service, struct db *db, const char *host,
                   struct fault *f);

/* A live agent for something new, with the physical network ('physical' NULL: any): 1, or 0. */
int agent_choose(struct network_service *service, struct db *db, const char *physical,
                 const char **ret, struct fault *f);
