/* Members: the projects that a shared image is shown to. The owner names them; each decides for itself whether the
 * image stands in its lists. */
#include "base/str.h"
#include "images.h"

static int
get_shared(struct call *call, const char *rule, bool lock, struct image *ret, struct fault *f)
{
    if (image_get(call, rule, lock, ret, f) < 0)
        return -1;
    if (ret->visibility != IMAGE_VISIBILITY_SHARED)
        return fault_raise(f, FAULT_FORBIDDEN, "Only shared images have members.");
    return 0;
}

/* Whose entries the caller sees: all of them (NULL), or his own. */
static const char *
seen_by(const struct call *call, const struct image *image)
{
    if (call_sees_all(call) || str_equal(call->auth.project_id, image->owner))
        return NULL;
    return call->auth.project_id;
}

static int
find(struct call *call, const struct image *image, const char *member_id,
     struct member_rows_row **ret, struct fault *f)
{
    const char *seen = seen_by(call, image);
    size_t count = 0;

    if (seen == NULL || str_equal(seen, member_id)) {
        if (member_rows(call->db, image->id, member_id, ret, &count, f) < 0)
            return -1;
    }
    if (count == 0)
        return fault_raise(f, FAULT_NOT_FOUND,
                           "%.255s not found in the member list of the image %s.", member_id,
                           image->id);
    return 0;
}

static void
write_member(struct call *call, struct jsonw *w, const struct image *image,
             const struct member_rows_row *row)
{
    jsonw_object(w, NULL);
    jsonw_text(w, "member_id", row->member_id);
    jsonw_text(w, "image_id", image->id);
    jsonw_text(w, "status", row->status);
    call_write_time(call, w, "created_at", row->created_at);
    call_write_time(call, w, "updated_at", row->updated_at);
    jsonw_text(w, "schema", "/v2/schemas/member");
    jsonw_end(w);
}

static int
reply(struct call *call, const struct image *image, const char *member_id, struct fault *f)
{
    struct member_rows_row *row;

    if (find(call, image, member_id, &row, f) < 0)
        return -1;
    write_member(call, call_json(call), image, row);
    return 0;
}

int
members_list(struct call *call, struct fault *f)
{
    struct image *image = ARENA_NEW(call->arena, struct image);
    struct member_rows_row *rows;
    struct jsonw *w;
    size_t count;

    if (get_shared(call, "get_members", false, image, f) < 0 ||
        member_rows(call->db, image->id, seen_by(call, image), &rows, &count, f) < 0)
        return -1;
    w = call_json(call);
    jsonw_object(w, NULL);
    jsonw_array(w, "members");
    for (size_t i = 0; i < count; i++)
        write_member(call, w, image, &rows[i]);
    jsonw_end(w);
    jsonw_text(w, "schema", "/v2/schemas/members");
    jsonw_end(w);
    return 0;
}

int
member_show(struct call *call, struct fault *f)
{
    struct image *image = ARENA_NEW(call->arena, struct image);

    if (resource_load(call->db, &image_resource, call_param(call, "image_id"),
                      call_scope(call, RESOURCE_PROJECT), false, image, f) < 0)
        return -1;
    if (!call_allowed(call, "get_member", &image_resource, image))
        return fault_raise(f, FAULT_NOT_FOUND,
                           "%.255s not found in the member list of the image %s.",
                           call_param(call, "member_id"), image->id);
    if (image->visibility != IMAGE_VISIBILITY_SHARED)
        return fault_raise(f, FAULT_FORBIDDEN, "Only shared images have members.");
    return reply(call, image, call_param(call, "member_id"), f);
}

int
member_create(struct call *call, const struct member_create *in, struct fault *f)
{
    int64_t quota = image_service_of(call)->config->member_quota;
    struct image *image = ARENA_NEW(call->arena, struct image);
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct member_count_row now;
    int r;

    if (db_tx_begin(&tx, call->db, f) < 0 || get_shared(call, "add_member", true, image, f) < 0 ||
        member_count(tx.db, image->id, &now, f) < 0)
        return -1;
    r = member_add(tx.db, image->id, in->member, f);
    if (r < 0)
        return r;
    if (r == 0)
        return fault_raise(f, FAULT_CONFLICT, "Project %.255s is already associated with image %s.",
                           in->member, image->id);
    if (quota >= 0 && now.members >= quota)
        return fault_raise(
            f, FAULT_QUOTA,
            "The limit has been exceeded on the number of allowed image members for this image. "
            "Attempted: %lld, Maximum: %lld",
            (long long)now.members + 1, (long long)quota);
    if (db_tx_commit(&tx, f) < 0)
        return -1;
    return reply(call, image, in->member, f);
}

int
member_update(struct call *call, const struct member_update *in, struct fault *f)
{
    struct image *image = ARENA_NEW(call->arena, struct image);
    const char *member_id = call_param(call, "member_id");
    struct member_rows_row *row;

    if (get_shared(call, "modify_member", false, image, f) < 0 ||
        find(call, image, member_id, &row, f) < 0 ||
        member_set_status(call->db, image->id, member_id, image_member_status_names[in->status],
                          f) < 0)
        return -1;
    return reply(call, image, member_id, f);
}

int
member_delete(struct call *call, struct fault *f)
{
    struct image *image = ARENA_NEW(call->arena, struct image);
    const char *member_id = call_param(call, "member_id");
    int r;

    if (get_shared(call, "delete_member", false, image, f) < 0)
        return -1;
    r = member_remove(call->db, image->id, member_id, f);
    if (r < 0)
        return r;
    if (r == 0)
        return fault_raise(f, FAULT_NOT_FOUND,
                           "%.255s not found in the member list of the image %s.", member_id,
                           image->id);
    return 0;
}
