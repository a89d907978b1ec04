/* POST /servers: everything that can be refused is refused first (server_create_plan.h); then one transaction writes the servers, their
 * sagas and the note of the action, and the answer is 202. */
#include "server_create_plan.h"

#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"
#include "quotas.h"
#include "server_network.h"

/* --- Rows */

/* Letters, digits and dashes of the name: "My Server!" is my-server. */
static const char *
hostname_of(struct arena *a, const char *name)
{
    char *text = ARENA_ARRAY(a, char, 64);
    size_t size = 0;

    for (; *name != '\0' && size < 63; name++) {
        char c = *name;

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            text[size++] = c;
        else if ((c == '-' || c == ' ' || c == '_' || c == '.') && size > 0)
            text[size++] = '-';
    }
    while (size > 0 && text[size - 1] == '-')
        text[--size] = '\0';
    return size == 0 ? NULL : text;
}

static json_t *
flavor_json(struct call *call, const struct flavor *x)
{
    return json_own(call->arena, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:O}", "id", x->id,
                                           "name", x->name, "vcpus", x->vcpus, "ram", x->ram,
                                           "disk", x->disk, "ephemeral", x->ephemeral, "swap",
                                           x->swap, "extra_specs", x->extra_specs));
}

static struct server
row_of(struct call *call, const struct server_create *in, const struct create_plan *p,
       const char *reservation_id, int64_t index)
{
    struct server s = { .id = uuid_make(call->arena),
                        .project_id = call->auth.project_id,
                        .user_id = call->auth.user_id,
                        .vm_state = SERVER_VM_STATE_BUILDING,
                        .vcpus = p->flavor.vcpus,
                        .memory_mb = p->flavor.ram,
                        .image_id = p->image_id,
                        .image_facts = p->image_facts,
                        .user_data = in->user_data,
                        .config_drive = in->config_drive,
                        .access_ip_v4 = in->accessIPv4 == NULL ? "" : in->accessIPv4,
                        .access_ip_v6 = in->accessIPv6 == NULL
                                            ? ""
                                            : server_address_text(call->arena, in->accessIPv6),
                        .reservation_id = reservation_id,
                        .launch_index = index,
                        .root_device_name = "/dev/vda",
                        .description = in->description,
                        .availability_zone = p->zone,
                        .pinned_availability_zone = p->zone };
    static const unsigned always[] = { SERVER_F_ID,           SERVER_F_PROJECT_ID,
                                       SERVER_F_USER_ID,      SERVER_F_NAME,
                                       SERVER_F_HOSTNAME,     SERVER_F_VM_STATE,
                                       SERVER_F_VCPUS,        SERVER_F_MEMORY_MB,
                                       SERVER_F_DISK_GB,      SERVER_F_IMAGE_FACTS,
                                       SERVER_F_CONFIG_DRIVE, SERVER_F_ACCESS_IP_V4,
                                       SERVER_F_ACCESS_IP_V6, SERVER_F_RESERVATION_ID,
                                       SERVER_F_LAUNCH_INDEX, SERVER_F_ROOT_DEVICE_NAME,
                                       SERVER_F_FLAVOR,       SERVER_F_METADATA,
                                       SERVER_F_TAGS,         SERVER_F_DISK_CONFIG };

    s.name = p->count > 1 ? arena_printf(call->arena, "%s-%lld", in->name, (long long)index + 1)
                          : in->name;
    s.hostname = in->hostname != NULL ? in->hostname : hostname_of(call->arena, s.name);
    if (s.hostname == NULL)
        s.hostname = arena_printf(call->arena, "server-%s", s.id);
    s.disk_gb = (p->root_is_volume ? 0 : p->flavor.disk) + p->flavor.ephemeral +
                (p->flavor.swap + 1023) / 1024;
    s.flavor = flavor_json(call, &p->flavor);
    s.metadata = in->metadata == NULL ? json_own(call->arena, json_object()) : in->metadata;
    s.tags = in->tags;
    s.disk_config = field_given(&in->set, SERVER_CREATE_F_DISK_CONFIG)
                        ? (enum server_disk_config)in->disk_config
                        : SERVER_DISK_CONFIG_MANUAL;
    for (size_t i = 0; i < ARRAY_SIZE(always); i++)
        field_mark(&s.set, always[i]);
    if (p->key != NULL) {
        s.key_name = p->key->name;
        s.key_data = p->key->public_key;
        field_mark(&s.set, SERVER_F_KEY_NAME);
        field_mark(&s.set, SERVER_F_KEY_DATA);
    }
    if (s.image_id != NULL)
        field_mark(&s.set, SERVER_F_IMAGE_ID);
    if (s.user_data != NULL)
        field_mark(&s.set, SERVER_F_USER_DATA);
    if (s.description != NULL)
        field_mark(&s.set, SERVER_F_DESCRIPTION);
    if (s.availability_zone != NULL) {
        field_mark(&s.set, SERVER_F_AVAILABILITY_ZONE);
        field_mark(&s.set, SERVER_F_PINNED_AVAILABILITY_ZONE);
    }
    return s;
}

static int
store(struct call *call, struct db_tx *tx, struct server *s, const struct create_plan *p,
      struct fault *f)
{
    json_t *params = json_own(call->arena, json_pack("{s:O, s:O, s:O, s:O}", "networks",
                                                     p->networks, "security_groups", p->groups,
                                                     "attach", p->attach, "new_volumes", p->make));
    json_t *item;
    size_t i;

    if (p->host != NULL)
        json_object_set_new(params, "host", json_string(p->host));
    if (resource_insert(tx->db, &server_resource, s, f) < 0)
        return -1;
    json_array_foreach(p->attach, i, item)
    {
        if (attachment_add(tx->db, s->id, json_get_text(item, "volume_id"),
                           json_get_text(item, "device"), json_get_int(item, "boot_index"),
                           json_get_bool(item, "delete_on_termination"), json_get_text(item, "tag"),
                           f) < 0)
            return -1;
    }
    json_array_foreach(p->networks, i, item)
    {
        if (json_get_text(item, "port") != NULL &&
            server_network_reserve(tx, json_get_text(item, "port"), f) < 0)
            return -1;
    }
    return server_start_task(call, tx, s, &server_create_saga, "create",
                             "compute__do_build_and_run_instance", params, NULL, f);
}

/* --- Answer */

static const char *
new_password(struct arena *a)
{
    char text[UUID_TEXT];

    uuid_new(text);
    return arena_strndup(a, text + 24, 12);
}

static int
reply(struct call *call, const struct server_create *in, const struct server *first,
      const char *reservation_id)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    if (in->return_reservation_id) {
        jsonw_text(w, "reservation_id", reservation_id);
        jsonw_end(w);
        return 0;
    }
    call_header(call, "Location", call_url(call, "/v2.1/servers/%s", first->id));
    jsonw_object(w, "server");
    jsonw_text(w, "id", first->id);
    dialect_object_links(call->dialect, w, call->base_url,
                         arena_printf(call->arena, "/v2.1/servers/%s", first->id));
    jsonw_text(w, "OS-DCF:diskConfig", server_disk_config_names[first->disk_config]);
    jsonw_text(w, "adminPass", in->adminPass != NULL ? in->adminPass : new_password(call->arena));
    jsonw_array(w, "security_groups");
    for (size_t i = 0; i < MAX(in->security_groups_count, (size_t)1); i++) {
        jsonw_object(w, NULL);
        jsonw_text(w, "name",
                   i < in->security_groups_count ? in->security_groups[i].name : "default");
        jsonw_end(w);
    }
    jsonw_end(w);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

int
server_create(struct call *call, const struct server_create *in,
              const struct server_siblings *siblings, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const char *reservation_id = arena_printf(call->arena, "r-%.8s", uuid_make_hex(call->arena));
    struct quota_wish wish;
    struct create_plan p = { 0 };
    struct server first = { 0 };

    (void)siblings; /* Hints that no filter of ours reads are accepted, as upstream does. */
    if (call->auth.project_id == NULL)
        return fault_raise(f, FAULT_FORBIDDEN, "The token is not scoped to a project.");
    if (create_plan_make(call, in, &p, f) < 0)
        return -1;
    wish = (struct quota_wish){ p.count, p.count * p.flavor.vcpus, p.count * p.flavor.ram };
    if (db_tx_begin(&tx, call->db, f) < 0 ||
        quota_claim(call, &tx, call->auth.project_id, &wish, f) < 0)
        return -1;
    for (int64_t i = 0; i < p.count; i++) {
        struct server s = row_of(call, in, &p, reservation_id, i);

        if (store(call, &tx, &s, &p, f) < 0)
            return -1;
        if (i == 0)
            first = s;
    }
    call->object_id = first.id;
    if (db_tx_commit(&tx, f) < 0)
        return -1;
    return reply(call, in, &first, reservation_id);
}
