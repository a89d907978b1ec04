/* Services and their endpoints. */
#include "base/str.h"
#include "endpoint_url.h"
#include "path_objects.h"
#include "tokens.h"

static int
service_prepare_create(struct call *call, struct db_tx *tx, struct service *row, struct fault *f)
{
    (void)call;
    (void)tx;
    (void)f;
    if (field_given(&row->set, SERVICE_F_NAME))
        return 0;
    row->name = "";
    field_mark(&row->set, SERVICE_F_NAME);
    return 0;
}

static void
service_committed(struct call *call, const struct service *row)
{
    (void)row;
    catalog_changed(call);
}

const struct service_hooks service_hooks = {
    .prepare_create = service_prepare_create,
    .committed = service_committed,
};

/* Clients of the first versions name a region as "region", and expect that it is made; "region_id" must be there. */
static int
ensure_region(struct db_tx *tx, struct endpoint *row, struct fault *f)
{
    bool by_old_name = field_given(&row->set, ENDPOINT_F_REGION) && row->region == row->region_id;
    struct region region = { 0 };

    if (row->region_id == NULL ||
        resource_load(tx->db, &region_resource, row->region_id, NULL, false, &region, f) == 0)
        return 0;
    if (f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    if (!by_old_name)
        return expecting_to_find("endpoint region_id", "region table", f);
    region = (struct region){ .id = row->region_id, .description = "" };
    field_mark(&region.set, REGION_F_ID);
    field_mark(&region.set, REGION_F_DESCRIPTION);
    return resource_insert(tx->db, &region_resource, &region, f);
}

static int
check_service(struct db_tx *tx, const char *id, struct fault *f)
{
    struct service service = { 0 };

    if (resource_load(tx->db, &service_resource, id, NULL, false, &service, f) == 0)
        return 0;
    if (f->kind != FAULT_NOT_FOUND)
        return -1;
    fault_clear(f);
    return expecting_to_find("endpoint service_id", "service table", f);
}

static int
endpoint_prepare_create(struct call *call, struct db_tx *tx, struct endpoint *row, struct fault *f)
{
    (void)call;
    if (endpoint_url_check(row->url, f) < 0 || ensure_region(tx, row, f) < 0)
        return -1;
    return check_service(tx, row->service_id, f);
}

static int
endpoint_prepare_update(struct call *call, struct db_tx *tx, const struct endpoint *old,
                        struct endpoint *row, struct fault *f)
{
    (void)call;
    (void)old;
    if (field_given(&row->set, ENDPOINT_F_URL) && endpoint_url_check(row->url, f) < 0)
        return -1;
    if (ensure_region(tx, row, f) < 0)
        return -1;
    return field_given(&row->set, ENDPOINT_F_SERVICE_ID) ? check_service(tx, row->service_id, f)
                                                         : 0;
}

static void
endpoint_committed(struct call *call, const struct endpoint *row)
{
    (void)row;
    catalog_changed(call);
}

const struct endpoint_hooks endpoint_hooks = {
    .committed = endpoint_committed,
    .prepare_create = endpoint_prepare_create,
    .prepare_update = endpoint_prepare_update,
};
