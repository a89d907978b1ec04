/* Servers as a resource: what the list and show operations compute, and what every other operation begins with. */
#include "servers.h"

#include <arpa/inet.h>
#include <openssl/evp.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"

/* --- Computed members */

/* SHA-224 of project and host: the same for two servers of one project on one host, and tells nobody the host. */
static const char *
host_id(struct call *call, const struct server *row)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    char *text;

    if (row->host == NULL)
        return "";
    text = arena_printf(call->arena, "%s%s", row->project_id, row->host);
    if (EVP_Digest(text, strlen(text), digest, &size, EVP_sha224(), NULL) != 1)
        return "";
    return str_hex(call->arena, digest, size);
}

static json_t *
image_view(struct call *call, const struct server *row)
{
    if (row->image_id == NULL)
        return json_own(call->arena, json_string(""));
    return json_own(call->arena,
                    json_pack("{s:s, s:[{s:s, s:s}]}", "id", row->image_id, "links", "rel",
                              "bookmark", "href", call_url(call, "/images/%s", row->image_id)));
}

static json_t *
flavor_view(struct call *call, const struct server *row)
{
    const json_t *fl = row->flavor;
    const char *id = json_get_text(fl, "id");

    if (!call_at_least(call, 2, 47))
        return json_own(call->arena,
                        json_pack("{s:s, s:[{s:s, s:s}]}", "id", id, "links", "rel", "bookmark",
                                  "href", call_url(call, "/flavors/%s", id)));
    return json_own(call->arena,
                    json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:O}", "original_name",
                              json_get_text(fl, "name"), "vcpus", json_get_int(fl, "vcpus"), "ram",
                              json_get_int(fl, "ram"), "disk", json_get_int(fl, "disk"),
                              "ephemeral", json_get_int(fl, "ephemeral"), "swap",
                              json_get_int(fl, "swap"), "extra_specs",
                              json_object_get(fl, "extra_specs")));
}

static void
add_address(json_t *list, const char *address, int64_t version, const char *mac, const char *type)
{
    json_array_append_new(list,
                          json_pack("{s:I, s:s, s:s, s:s}", "version", version, "addr", address,
                                    "OS-EXT-IPS:type", type, "OS-EXT-IPS-MAC:mac_addr", mac));
}

static json_t *
addresses_view(struct call *call, const struct server *row)
{
    json_t *all = json_own(call->arena, json_object());

    for (size_t i = 0; i < row->network_info_count; i++) {
        const struct network_info *nic = &row->network_info[i];
        json_t *list = json_object_get(all, nic->network_name == NULL ? "" : nic->network_name);

        if (list == NULL) {
            list = json_array();
            json_object_set_new(all, nic->network_name == NULL ? "" : nic->network_name, list);
        }
        for (size_t j = 0; j < nic->fixed_ips_count; j++) {
            const struct address_info *ip = &nic->fixed_ips[j];

            add_address(list, ip->address, ip->version, nic->mac, "fixed");
            for (size_t k = 0; k < ip->floating.count; k++)
                add_address(list, ip->floating.items[k], 4, nic->mac, "floating");
        }
    }
    return all;
}

static json_t *
groups_view(struct call *call, const struct server *row)
{
    json_t *list = json_own(call->arena, json_array());

    for (size_t i = 0; i < row->network_info_count; i++) {
        for (size_t j = 0; j < row->network_info[i].groups.count; j++)
            json_array_append_new(list,
                                  json_pack("{s:s}", "name", row->network_info[i].groups.items[j]));
    }
    return list;
}

static void
mark_null_or(struct server *row, unsigned index, const void *value)
{
    if (value == NULL)
        field_mark_null(&row->set, index);
    else
        field_mark(&row->set, index);
}

static void
compute_members(struct call *call, struct server *row, const struct server_busy *busy,
                json_t *volumes)
{
    row->task_state = server_task_state(busy);
    mark_null_or(row, SERVER_F_TASK_STATE, row->task_state);
    row->status = server_status(row->vm_state, row->task_state);
    field_mark(&row->set, SERVER_F_STATUS);
    row->host_id = host_id(call, row);
    field_mark(&row->set, SERVER_F_HOST_ID);
    row->image = image_view(call, row);
    field_mark(&row->set, SERVER_F_IMAGE);
    row->flavor_view = flavor_view(call, row);
    field_mark(&row->set, SERVER_F_FLAVOR_VIEW);
    row->addresses = addresses_view(call, row);
    field_mark(&row->set, SERVER_F_ADDRESSES);
    if (row->network_info_count > 0) {
        row->security_groups = groups_view(call, row);
        field_mark(&row->set, SERVER_F_SECURITY_GROUPS);
    } else {
        row->security_groups = json_own(call->arena, json_array());
        field_mark(&row->set, SERVER_F_SECURITY_GROUPS);
    }
    row->volumes_attached = volumes;
    field_mark(&row->set, SERVER_F_VOLUMES_ATTACHED);
    row->config_drive_text = row->config_drive ? "True" : "";
    field_mark(&row->set, SERVER_F_CONFIG_DRIVE_TEXT);
    row->instance_name =
        arena_printf(call->arena, "instance-%08llx", (unsigned long long)row->number);
    field_mark(&row->set, SERVER_F_INSTANCE_NAME);
    row->launched_text = field_null(&row->set, SERVER_F_LAUNCHED_AT)
                             ? NULL
                             : clock_format(call->arena, row->launched_at, CLOCK_MICRO);
    mark_null_or(row, SERVER_F_LAUNCHED_TEXT, row->launched_text);
    row->host_status = row->host == NULL ? "" : "UP";
    field_mark(&row->set, SERVER_F_HOST_STATUS);
    row->server_groups = json_own(call->arena, json_array());
    field_mark(&row->set, SERVER_F_SERVER_GROUPS);
    if (row->vm_state == SERVER_VM_STATE_BUILDING || row->vm_state == SERVER_VM_STATE_ACTIVE) {
        row->progress = 0;
        field_mark(&row->set, SERVER_F_PROGRESS);
    }
    if (field_null(&row->set, SERVER_F_AVAILABILITY_ZONE)) {
        row->availability_zone = "";
        field_mark(&row->set, SERVER_F_AVAILABILITY_ZONE);
    }
    if (row->vm_state != SERVER_VM_STATE_ERROR && row->vm_state != SERVER_VM_STATE_DELETED)
        field_mark_null(&row->set, SERVER_F_FAULT);
}

/* Of rows sorted by object id, the one about 'id'; the lists are short and both come sorted, but by different orders. */
static struct server_busy
busy_of(const struct servers_busy_row *rows, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        if (str_equal(rows[i].object_id, id))
            return (struct server_busy){ rows[i].name, rows[i].step_name, rows[i].direction };
    }
    return (struct server_busy){ 0 };
}

static json_t *
volumes_of(struct call *call, const struct servers_attachments_row *rows, size_t count,
           const char *id)
{
    json_t *list = json_own(call->arena, json_array());

    for (size_t i = 0; i < count; i++) {
        json_t *item;

        if (!str_equal(rows[i].server_id, id))
            continue;
        item = json_pack("{s:s}", "id", rows[i].volume_id);
        if (call_at_least(call, 2, 3))
            json_object_set_new(item, "delete_on_termination",
                                json_boolean(rows[i].delete_on_termination));
        json_array_append_new(list, item);
    }
    return list;
}

/* Two statements for any number of rows. */
static int
load(struct call *call, struct db *db, struct server *const *rows, size_t count, struct fault *f)
{
    struct texts ids = { .items = ARENA_ARRAY(call->arena, const char *, count), .count = count };
    struct servers_busy_row *busy;
    struct servers_attachments_row *volumes;
    size_t busy_count, volumes_count;

    for (size_t i = 0; i < count; i++)
        ids.items[i] = rows[i]->id;
    if (servers_busy(db, &ids, &busy, &busy_count, f) < 0 ||
        servers_attachments(db, &ids, &volumes, &volumes_count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct server_busy b = busy_of(busy, busy_count, rows[i]->id);

        compute_members(call, rows[i], &b, volumes_of(call, volumes, volumes_count, rows[i]->id));
    }
    return 0;
}

/* --- Filters that are not columns */

static int
plan_list(struct call *call, struct list_plan *plan, struct fault *f)
{
    const char *status = call_query(call, "status");
    const char *image = call_query(call, "image"), *flavor = call_query(call, "flavor"),
               *since = call_query(call, "changes-since");
    const char *ip = call_query(call, "ip"), *host = call_query(call, "host"),
               *reservation = call_query(call, "reservation_id");
    int64_t us;
    int vm_state;

    if (status != NULL) {
        vm_state = server_vm_state_of_status(status);
        list_plan_where_in(plan, "OS-EXT-STS:vm_state",
                           vm_state < 0 ? NULL : &server_vm_state_names[vm_state],
                           vm_state < 0 ? 0 : 1);
    }
    if (image != NULL)
        list_plan_where(plan, "_image_id", OP_EQ,
                        strrchr(image, '/') == NULL ? image : strrchr(image, '/') + 1);
    if (flavor != NULL) {
        const char *id = strrchr(flavor, '/') == NULL ? flavor : strrchr(flavor, '/') + 1;

        list_plan_where_sql(plan, "flavor->>'id' = %1", &id, 1);
    }
    if (ip != NULL)
        list_plan_where_sql(plan,
                            "EXISTS (SELECT 1 FROM jsonb_path_query(network_info, "
                            "'$[*].fixed_ips[*].address') x WHERE x #>> '{}' ~ %1)",
                            &ip, 1);
    if (reservation != NULL)
        list_plan_where(plan, "OS-EXT-SRV-ATTR:reservation_id", OP_EQ, reservation);
    if (host != NULL && call_is_admin(call))
        list_plan_where(plan, "OS-EXT-SRV-ATTR:host", OP_EQ, host);
    if (call_query_bool(call, "deleted"))
        list_plan_where_in(plan, "id", NULL, 0); /* Deleted servers are not kept. */
    if (since != NULL) {
        if (clock_parse(since, &us) < 0)
            return fault_raise_field(f, "changes-since",
                                     "Invalid input for query parameters changes-since. Value: "
                                     "%.50s. It is not a 'date-time'.",
                                     since);
        list_plan_where(plan, "updated", OP_GE, clock_format(call->arena, us, CLOCK_MICRO_Z));
    }
    return 0;
}

static int
prepare_update(struct call *call, struct db_tx *tx, const struct server *old, struct server *row,
               struct fault *f)
{
    (void)tx;
    (void)old;
    (void)f;
    if (field_given(&row->set, SERVER_F_ACCESS_IP_V6))
        row->access_ip_v6 = server_address_text(call->arena, row->access_ip_v6);
    if (field_given(&row->set, SERVER_F_HOSTNAME_SET)) {
        row->hostname = row->hostname_set;
        field_mark(&row->set, SERVER_F_HOSTNAME);
    }
    return 0;
}

const struct server_hooks server_hooks = {
    .load = load,
    .plan_list = plan_list,
    .prepare_update = prepare_update,
};

const char *
server_address_text(struct arena *a, const char *text)
{
    unsigned char bytes[16];
    char canonical[INET6_ADDRSTRLEN];

    if (str_empty(text) || inet_pton(AF_INET6, text, bytes) != 1 ||
        inet_ntop(AF_INET6, bytes, canonical, sizeof(canonical)) == NULL)
        return text;
    return arena_strdup(a, canonical);
}

/* --- What every operation on a server begins with */

int
server_load(struct call *call, struct db *db, bool lock, struct server *ret, struct fault *f)
{
    *ret = (struct server){ 0 };
    if (resource_load(db, &server_resource, call_param(call, "server_id"),
                      call_scope(call, RESOURCE_PROJECT), lock, ret, f) < 0)
        return -1;
    return call_enforce(call, call->operation->policy, &server_resource, ret, f);
}

int
server_busy(struct db *db, const char *server_id, struct server_busy *ret, struct fault *f)
{
    struct texts ids = { .items = &server_id, .count = 1 };
    struct servers_busy_row *rows;
    size_t count;

    if (servers_busy(db, &ids, &rows, &count, f) < 0)
        return -1;
    *ret = busy_of(rows, count, server_id);
    return 0;
}

int
server_check_action(struct call *call, struct db *db, const struct server *server,
                    const char *action, unsigned allowed, struct fault *f)
{
    struct server_busy busy;
    const char *task;

    if (server->locked && !call_is_admin(call))
        return fault_raise(f, FAULT_CONFLICT, "Instance %s is locked", server->id);
    if (server_busy(db, server->id, &busy, f) < 0)
        return -1;
    task = server_task_state(&busy);
    if (task != NULL)
        return fault_raise(f, FAULT_CONFLICT,
                           "Cannot '%s' instance %s while it is in task_state %s", action,
                           server->id, task);
    if ((allowed >> server->vm_state & 1) == 0)
        return fault_raise(f, FAULT_CONFLICT, "Cannot '%s' instance %s while it is in vm_state %s",
                           action, server->id, server_vm_state_names[server->vm_state]);
    return 0;
}

int
server_start_task(struct call *call, struct db_tx *tx, const struct server *server,
                  const struct saga *saga, const char *action, const char *event, json_t *params,
                  const struct saga_start_options *more, struct fault *f)
{
    struct saga_start_options options = more == NULL ? (struct saga_start_options){ 0 } : *more;

    if (params == NULL)
        params = json_own(call->arena, json_object());
    json_object_set_new(params, "event", json_string(event));
    options.params = params;
    options.request_id = call->request_id;
    options.project_id = server->project_id;
    options.user_id = call->auth.user_id;
    if (action_begin(tx->db, server->id, call->request_id, action, call->auth.user_id,
                     server->project_id, f) < 0 ||
        event_begin(tx->db, server->id, call->request_id, event, f) < 0)
        return -1;
    return saga_start(compute_of(call)->daemon->sagas, tx, saga, server->id, &options, f);
}

/* --- In sagas */

int
server_of_run(struct saga_run *run, struct server *ret, struct fault *f)
{
    *ret = (struct server){ 0 };
    return resource_load(run->db, &server_resource, run->object_id, NULL, false, ret, f);
}

int
server_task_done(struct saga_run *run, struct fault *f)
{
    const char *event = json_get_text(run->params, "event");

    if (action_touch(run->db, run->object_id, run->request_id, f) < 0)
        return -1;
    return event_end(run->db, run->object_id, run->request_id, event == NULL ? "" : event,
                     "Success", f) < 0
               ? -1
               : 0;
}

int
server_task_failed(struct saga_run *run, struct fault *f)
{
    const char *event = json_get_text(run->params, "event");

    if (action_failed(run->db, run->object_id, run->request_id, run->reason->message, f) < 0)
        return -1;
    return event_end(run->db, run->object_id, run->request_id, event == NULL ? "" : event, "Error",
                     f) < 0
               ? -1
               : 0;
}

json_t *
server_fault_json(struct saga_run *run)
{
    const char *message = run->reason->kind == FAULT_INTERNAL || run->reason->message[0] == '\0'
                              ? "An unexpected error occurred."
                              : run->reason->message;

    return json_own(run->arena,
                    json_pack("{s:i, s:s, s:s, s:s}", "code", fault_status(run->reason->kind),
                              "created", clock_format(run->arena, clock_now_us(), CLOCK_Z),
                              "message", message, "details", run->reason->field));
}

int
server_task_broke(struct saga_run *run, struct fault *f)
{
    if (server_set_fault(run->db, run->object_id, server_fault_json(run), f) < 0)
        return -1;
    return server_task_failed(run, f);
}

const char *
server_operation_id(struct saga_run *run, const char *what)
{
    return arena_printf(run->arena, "%s.%s.%d", run->id, what, run->attempt);
}
