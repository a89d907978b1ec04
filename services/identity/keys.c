#include "keys.h"

#include <sys/stat.h>

#include "base/str.h"

int
keys_open(const char *directory, struct keyring **ret, struct fault *f)
{
    if (keyring_open_directory(ret, directory, f) == 0 && keyring_count(*ret) > 0)
        return 0;
    keyring_free(*ret);
    *ret = NULL;
    fault_clear(f);
    if (keyring_generate(directory, f) < 0)
        return -1;
    return keyring_open_directory(ret, directory, f);
}

int
key_command(struct daemon *d, int argc, char **argv, struct fault *f)
{
    const struct identity_config *config = (const struct identity_config *)(const void *)d->config;

    if (argc < 1 || !str_equal(argv[0], "rotate"))
        return fault_raise(f, FAULT_INVALID, "usage: virga-identity key rotate");
    /* Old keys stay: they verify what they signed until it has expired. Running daemons take the new one on SIGHUP. */
    return keyring_generate(config->key_directory, f);
}
