/* Directories: domains whose users and groups are an LDAP server's (domain option identity.driver = "ldap").
 *
 * Identity only reads there. A directory is read as a whole when its configuration is new and every directory_refresh seconds, by
 * one of the daemons, into the tables of users and groups, where a row that has a directory_id is the directory's alone. Who
 * is gone from there is disabled, not deleted: a wrong filter costs nobody his roles. His tokens end, and those of who left a group: at the next
 * reading, which is the bound on staleness. A log-in asks the directory itself, and brings that user and his groups up to date. */
#pragma once

#include "login.h"

struct directories;

int directories_start(struct directories **ret, struct identity *identity, struct fault *f);
void directories_stop(
    struct directories *d); /* Waits for a reading that is under way. NULL does nothing. */

/* A log-in by password of a user who may be a directory's. Returns 0: he isn't, ask the table. 1: '*ret_right' says whether the
 * password is his, and 'ret' is his row if it is. -1: a fault; FAULT_UNAVAILABLE when the directory is away. */
int directory_login(struct call *call, const struct user_ref *user, struct account_login_row *ret,
                    bool *ret_right, struct fault *f);

/* Reads the directory of a domain now if it never was; for lists. A directory that is away is no fault here: the log says so. */
void directory_read_new(struct call *call, const char *domain_id);

/* FAULT_FORBIDDEN when a row's users or groups are a directory's. */
int directory_check_writable(const char *directory_id, struct fault *f);
/* The same of a domain: nobody is made there. */
int directory_check_domain(struct db *db, const char *domain_id, struct fault *f);
