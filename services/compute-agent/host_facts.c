#include "host_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/str.h"
#include "base/uuid.h"
#include "folder.h"

static ssize_t
read_small(const char *path, char *ret, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -errno;
    n = read(fd, ret, size - 1);
    close(fd);
    ret[n > 0 ? n : 0] = '\0';
    return n;
}

static double
average_of(const char *text, const char *line)
{
    const char *at = strstr(text, line);
    const char *value = at != NULL ? strstr(at, "avg10=") : NULL;

    return value != NULL ? strtod(value + strlen("avg10="), NULL) : -1;
}

void
host_pressure_parse(const char *text, double *ret_some, double *ret_full)
{
    *ret_some = average_of(text, "some ");
    *ret_full = average_of(text, "full ");
}

static void
give(struct field_set *set, unsigned field, double *member, double value)
{
    if (value < 0)
        return;
    *member = value;
    field_mark(set, field);
}

void
host_pressure_read(struct host_pressure *ret)
{
    double some, full;
    char text[512];

    *ret = (struct host_pressure){ 0 };
    if (read_small("/proc/pressure/cpu", text, sizeof(text)) > 0) {
        host_pressure_parse(text, &some, &full);
        give(&ret->set, HOST_PRESSURE_F_CPU_SOME, &ret->cpu_some, some);
    }
    if (read_small("/proc/pressure/memory", text, sizeof(text)) > 0) {
        host_pressure_parse(text, &some, &full);
        give(&ret->set, HOST_PRESSURE_F_MEMORY_SOME, &ret->memory_some, some);
        give(&ret->set, HOST_PRESSURE_F_MEMORY_FULL, &ret->memory_full, full);
    }
    if (read_small("/proc/pressure/io", text, sizeof(text)) > 0) {
        host_pressure_parse(text, &some, &full);
        give(&ret->set, HOST_PRESSURE_F_IO_SOME, &ret->io_some, some);
        give(&ret->set, HOST_PRESSURE_F_IO_FULL, &ret->io_full, full);
    }
}

int
host_uuid(struct arena *a, const char *configured, const char *state_dir, int64_t number,
          const char **ret, struct fault *f)
{
    const char *path = number == 1
                           ? arena_printf(a, "%s/host-uuid", state_dir)
                           : arena_printf(a, "%s/host-uuid-%lld", state_dir, (long long)number);
    char text[UUID_TEXT + 1];
    int r;

    if (!str_empty(configured) && !uuid_check(configured))
        return fault_raise_field(f, "compute.hypervisor_uuid", "is not a UUID");
    if (!str_empty(configured) && number == 1) {
        *ret = configured;
        return 0;
    }
    if (read_small(path, text, sizeof(text)) <= 0) {
        uuid_new(text);
        r = folder_write_file(path, text, strlen(text), f);
        if (r < 0)
            return r;
    }
    text[strcspn(text, "\n")] = '\0';
    if (!uuid_check(text))
        return fault_raise_cause(f, "%s does not hold a UUID", path);
    *ret = arena_strdup(a, text);
    return 0;
}
