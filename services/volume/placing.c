#include "placing.h"

#include "base/json.h"
#include "base/str.h"

static const int64_t gib = INT64_C(1) << 30;

int64_t
placing_room_gb(const struct backend_row *b, double thin_ratio)
{
    double ratio = json_get_bool(b->capabilities, "thin_provisioning") ? thin_ratio : 1.0;

    return (int64_t)((double)b->capacity_bytes / (double)gib * ratio) - b->promised_gb;
}

/* Why not there; NULL: it will do. */
static const char *
refusal(const struct backend_row *b, const struct placing_wish *wish, struct arena *a)
{
    if (wish->host != NULL && !str_equal(b->host, wish->host))
        return "the source is on another backend";
    if (wish->backend_name != NULL && !str_equal(b->name, wish->backend_name))
        return arena_printf(a, "the volume's type wants backend %.100s", wish->backend_name);
    if (wish->zone != NULL && !str_equal(b->availability_zone, wish->zone))
        return arena_printf(a, "it is in zone %.100s, wanted is %.100s", b->availability_zone,
                            wish->zone);
    if (wish->multiattach && !json_get_bool(b->capabilities, "multiattach"))
        return "it cannot attach a volume twice";
    if (!b->up)
        return "it is down";
    if (b->disabled && wish->host == NULL)
        return "it is disabled";
    if (placing_room_gb(b, wish->thin_ratio) < wish->size_gb)
        return arena_printf(a, "%lld GiB are wanted, there is room for %lld",
                            (long long)wish->size_gb,
                            (long long)placing_room_gb(b, wish->thin_ratio));
    return NULL;
}

int
placing_choose(const struct backend_row *backends, size_t count, const struct placing_wish *wish,
               struct arena *a, const char **ret_reasons)
{
    struct str reasons = { 0 };
    int best = -1;

    for (size_t i = 0; i < count; i++) {
        const char *why = refusal(&backends[i], wish, a);

        if (why != NULL)
            str_addf(&reasons, " %s: %s.", backends[i].name, why);
        else if (best < 0 || placing_room_gb(&backends[i], wish->thin_ratio) >
                                 placing_room_gb(&backends[best], wish->thin_ratio))
            best = (int)i;
    }
    *ret_reasons = arena_strdup(a, str_text(&reasons));
    str_done(&reasons);
    return best;
}
