/* The connections of a server: their number, and how long one may keep us waiting. Private.
 *
 * libmicrohttpd's own timeout starts again with each byte, so a client that sends a byte now and
 * then could stay for ever. Here the clock runs from the moment a client owes us something until
 * it has sent all of it: the head of a request (from the accept, or the end of the last answer)
 * or a collected body. Who is late is cut off; and when connections get short, those who have
 * owed us a head for longest go first, so that ten thousand silent sockets don't keep out one
 * that talks. */
#pragma once

#include <microhttpd.h>
#include <stdint.h>
#include <sys/socket.h>

struct clients;
struct client;

struct clients *clients_new(unsigned max, int64_t patience_ms);
void clients_free(struct clients *c); /* After the daemon has stopped. */

enum MHD_Result clients_on_accept(void *owner, const struct sockaddr *address, socklen_t size);
void clients_on_connection(void *owner, struct MHD_Connection *connection, void **socket_context,
                           enum MHD_ConnectionNotificationCode what);

struct client *client_get(struct MHD_Connection *connection);
const char *client_peer(const struct client *c);
void client_owes(struct client *c); /* From now on we wait for it. */
void client_owes_nothing(struct client *c);
/* Has it closed its side, and libmicrohttpd not noticed? (0.9.75 waits edge-triggered, and takes
 * a short read for the end of what there is; an end that came together with data is then never
 * looked at.) Makes it notice. */
void client_notice_end(struct client *c);
unsigned clients_count(const struct clients *c);
