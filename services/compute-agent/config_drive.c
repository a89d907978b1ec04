#include "config_drive.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "base/str.h"
#include "folder.h"
#include "guest/metadata.h"

enum { MAKE_MS = 60000, MAKE_CPU_S = 30, DRIVE_MAX = 64 << 20 };

json_t *
config_drive_facts(struct arena *a, const struct guest_description *guest)
{
    json_t *facts = guest->metadata != NULL ? json_copy(guest->metadata) : json_object();
    const struct {
        const char *key, *value;
    } known[] = { { "uuid", guest->guest_id },
                  { "hostname", guest->name },
                  { "user_data", guest->user_data } };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (known[i].value != NULL && json_object_get(facts, known[i].key) == NULL)
            json_object_set_new(facts, known[i].key, json_string(known[i].value));
    }
    arena_defer(a, (void (*)(void *))json_decref, facts);
    return facts;
}

/* The folders of 'path' below 'root', which is ours and new. */
static int
make_parents(struct arena *a, const char *root, const char *path, struct fault *f)
{
    for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        const char *folder = arena_printf(a, "%s/%.*s", root, (int)(slash - path), path);

        if (mkdir(folder, 0700) < 0 && errno != EEXIST)
            return fault_raise_cause(f, "mkdir %s: %s", folder, strerror(errno));
    }
    return 0;
}

static int
write_tree(struct arena *a, const char *root, const struct metadata_file *files, size_t count,
           struct fault *f)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        int r = make_parents(a, root, files[i].path, f);

        if (r < 0)
            return r;
        total += files[i].size;
        if (total > DRIVE_MAX)
            return fault_raise(f, FAULT_INVALID, "The config drive would be too large.");
        r = folder_write_file(arena_printf(a, "%s/%s", root, files[i].path), files[i].data,
                              files[i].size, f);
        if (r < 0)
            return r;
    }
    return 0;
}

int
config_drive_write(struct arena *a, const struct guest_description *guest, const char *path,
                   struct fault *f)
{
    const char *tree = arena_printf(a, "%s.tree", path);
    const char *argv[] = { "genisoimage",
                           "-quiet",
                           "-o",
                           path,
                           "-ldots",
                           "-allow-lowercase",
                           "-allow-multidot",
                           "-l",
                           "-publisher",
                           "Virga",
                           "-J",
                           "-r",
                           "-V",
                           "config-2",
                           tree,
                           NULL };
    struct process_run run = {
        .argv = argv,
        .deadline_ms = MAKE_MS,
        .limits = { MAKE_CPU_S, (int64_t)1 << 30, (int64_t)DRIVE_MAX * 2, 0 },
    };
    struct metadata_file *files;
    size_t count;
    int r;

    r = metadata_drive(config_drive_facts(a, guest), a, &files, &count, f);
    if (r < 0)
        return r;
    folder_remove(tree);
    if (mkdir(tree, 0700) < 0)
        return fault_raise_cause(f, "mkdir %s: %s", tree, strerror(errno));
    r = write_tree(a, tree, files, count, f);
    if (r == 0)
        r = process_run(a, &run, f);
    folder_remove(tree);
    if (r == 0 && chmod(path, 0600) < 0)
        r = fault_raise_cause(f, "chmod %s: %s", path, strerror(errno));
    return r;
}
