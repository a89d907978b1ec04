/* Bootstrap of an empty cloud: "virga-identity bootstrap". */
#pragma once

#include "service.h"

/* Makes what is missing and leaves the rest: the domain "default", project "admin", the roles admin > manager > member > reader and
 * service, user admin with its password, the region, and the services' endpoints. From the environment:
 *   VIRGA_BOOTSTRAP_PASSWORD_FILE   the admin's password (required; sets it anew each time)
 *   VIRGA_BOOTSTRAP_REGION          RegionOne
 *   VIRGA_BOOTSTRAP_ENDPOINTS       "identity=http://127.0.0.1:5000/v3 image=http://... compute=... ..."
 *   VIRGA_BOOTSTRAP_SERVICE_USERS   "image=/path/of/password compute=/path ...": users of project "service" with role service */
int bootstrap(struct daemon *d, int argc, char **argv, struct fault *f);
