/* GET /OS-VIRGA/ratio-changes. The rows are written by triggers; what a transaction tells them is who acts. */
#include "ratio_changes.h"

#include "base/json.h"
#include "base/str.h"
#include "paging.h"
#include "reply.h"

static const struct query_key keys[] = {
    { "provider", 0, false }, { "resource_class", 0, false },
    { "limit", 0, false },    { "marker", 0, false },
    { NULL, 0, false },
};

json_t *
ratio_actor(struct call *call)
{
    return json_own(call->arena,
                    json_pack("{s:s?, s:s?, s:s?}", "user_id", call->auth.user_id, "user_name",
                              call->auth.user_name, "request_id", call->request_id));
}

static void
write_ratio(struct jsonw *w, const char *key, bool null, double value)
{
    if (null)
        jsonw_null(w, key);
    else
        jsonw_double(w, key, value);
}

static void
write_change(struct call *call, struct jsonw *w, const struct ratio_change_list_row *row)
{
    jsonw_object(w, NULL);
    jsonw_int(w, "id", row->id);
    call_write_time(call, w, "changed_at", row->changed_at);
    jsonw_text(w, "resource_provider_uuid", row->provider_uuid);
    jsonw_text(w, "resource_provider_name", row->provider_name);
    jsonw_text(w, "resource_class", row->class_name);
    write_ratio(w, "old", row->old_ratio_null, row->old_ratio);
    write_ratio(w, "new", row->new_ratio_null, row->new_ratio);
    jsonw_text(w, "user_id", row->user_id);
    jsonw_text(w, "user_name", row->user_name);
    jsonw_text(w, "request_id", row->request_id);
    jsonw_end(w);
}

int
ratio_changes_list(struct call *call, struct fault *f)
{
    const char *provider = query_last(call, "provider"), *marker = query_last(call, "marker");
    struct ratio_change_list_row *rows;
    int64_t limit, before = 0;
    struct jsonw *w;
    size_t count;

    if (query_check(call, keys, f) < 0 || paging_limit(call, &limit, f) < 0)
        return -1;
    if (provider != NULL) {
        provider = uuid_normal(call->arena, provider);
        if (provider == NULL)
            return paging_refuse(call, "provider", f);
    }
    if (marker != NULL && str_to_int64(marker, 1, INT64_MAX, &before) < 0)
        return paging_refuse(call, "marker", f);
    if (ratio_change_list(call->db, provider, query_last(call, "resource_class"),
                          marker == NULL ? NULL : &before, limit + 1, &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "ratio_changes");
    for (size_t i = 0; i < count && (int64_t)i < limit; i++)
        write_change(call, w, &rows[i]);
    jsonw_end(w);
    paging_next(w, (int64_t)count <= limit
                       ? NULL
                       : arena_printf(call->arena, "%lld", (long long)rows[limit - 1].id));
    jsonw_end(w);
    return 0;
}
