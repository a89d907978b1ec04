/* A server's volumes at block storage: attachments made, completed and removed; used by the sagas of servers and of attachments. */
#pragma once

#include "servers.h"

/* One attachment: made at block storage for the server's host and noted; made before: nothing. */
int volume_connect(struct remote *r, struct db *db, const struct server *server,
                   const struct attachment_row *row, struct fault *f);
/* Removed there; the row keeps no connection. */
int volume_disconnect(struct remote *r, struct db *db, const struct server *server,
                      const struct attachment_row *row, struct fault *f);

/* Saga steps of server-create: all of the server's attachments (volumes that are to be made from images included). */
int step_volumes(struct saga_run *run, struct fault *f);
int step_volumes_undo(struct saga_run *run, struct fault *f);
int step_volumes_complete(struct saga_run *run, struct fault *f);

/* server-delete: disconnects all, and deletes those that go with the server. */
int server_volumes_release(struct saga_run *run, const struct server *server, struct fault *f);
