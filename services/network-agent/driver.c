#include "driver.h"

#include "base/compiler.h"
#include "base/str.h"

const struct driver *
driver_find(const char *name)
{
    static const struct driver *const drivers[] = { &driver_bridge, &driver_sim };

    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        if (str_equal(drivers[i]->name, name))
            return drivers[i];
    return NULL;
}
