/* Folders of our own making: files in them, and their end. */
#pragma once

#include <stddef.h>

#include "base/fault.h"

/* A new file, readable by us alone; one that exists is an error. */
int folder_write_file(const char *path, const void *data, size_t size, struct fault *f);

/* Removes a folder with everything in it, following no link and crossing no mount. 0, also when it is not there; or -errno. */
int folder_remove(const char *path);
