/* "virga-identity key rotate" and the keys' place. */
#pragma once

#include "service.h"

int key_command(struct daemon *d, int argc, char **argv, struct fault *f);
/* Opens the directory, making a first key where there is none. */
int keys_open(const char *directory, struct keyring **ret, struct fault *f);
