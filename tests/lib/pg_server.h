/* The server below pg.h: found in the environment or started. */
#pragma once

/* A libpq connection string to the server, for creating databases. Starts one when the environment names none. */
const char *pg_server_url(void);
