/* The bridge driver by hand, without a control plane: for test_network_agent.py, which runs it.
 *
 *     test_network_agent STATE_DIR TUNNEL_IP PHYSICAL:BRIDGE EXTERNAL_INTERFACE DHCP_USER
 *
 * Each line of standard input is the path of a JSON file { "state": <as host_state answers>,
 * "facts": { <instance id>: <facts> } }. It is applied; a line of JSON on standard output says what
 * became of it. At the end of input everything stays as it is, as when an agent is stopped. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "network_rpc.h"
#include "services/network-agent/driver.h"
#include "services/network-agent/metadata_server.h"
#include "services/network-agent/netlink.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static json_t *all_facts;

static int
fetch(void *owner, const char *instance_id, struct arena *a, json_t **ret, struct fault *f)
{
    json_t *facts;

    (void)owner;
    pthread_mutex_lock(&mutex);
    facts = json_deep_copy(json_object_get(all_facts, instance_id));
    pthread_mutex_unlock(&mutex);
    if (facts == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "Instance %s could not be found.", instance_id);
    *ret = json_own(a, facts);
    return 0;
}

static void
add_texts(json_t *answer, const char *key, const char *const *items, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(items[i]));
    json_object_set_new(answer, key, list);
}

static void
print_outcome(const struct outcome *o, uint64_t changes)
{
    json_t *answer = json_object(), *failures = json_array();
    char *text;

    json_object_set_new(answer, "changes", json_integer((json_int_t)changes));
    add_texts(answer, "up", o->up, o->up_count);
    add_texts(answer, "down", o->down, o->down_count);
    for (size_t i = 0; i < o->failures_count; i++)
        json_array_append_new(failures, json_pack("[sss]", o->failures[i].kind, o->failures[i].id,
                                                  o->failures[i].reason));
    json_object_set_new(answer, "failures", failures);
    text = json_dumps(answer, JSON_COMPACT);
    puts(text);
    fflush(stdout);
    free(text);
    json_decref(answer);
}

static int
apply_file(struct driver_state *s, const struct driver_options *options, const char *path)
{
    _cleanup_(arena_freep) struct arena *a = arena_new();
    json_t *document = json_load_file(path, 0, NULL);
    struct host_state_out in = { 0 };
    struct wanted w;
    struct outcome o;
    struct fault f = { 0 };
    uint64_t before = netlink_changes();

    if (document == NULL)
        return -1;
    json_own(a, document);
    if (schema_parse(&host_state_out_schema, json_object_get(document, "state"), SCHEMA_TRUSTED, 0,
                     "state", a, &in, &f) < 0) {
        fprintf(stderr, "%s: %s\n", f.field, f.message);
        return -1;
    }
    pthread_mutex_lock(&mutex);
    json_decref(all_facts);
    all_facts = json_incref(json_object_get(document, "facts"));
    pthread_mutex_unlock(&mutex);
    wanted_read(a, &in, options->mappings, options->mappings_count, &w);
    outcome_init(&o, a, NULL, clock_mono_ms());
    driver_bridge.apply(s, &w, &o);
    print_outcome(&o, netlink_changes() - before);
    return 0;
}

int
main(int argc, char **argv)
{
    struct metadata_source source = {
        .fetch = fetch, .cache_ms = 2000, .requests_per_s = 20, .burst = 40
    };
    struct driver_options options = { 0 };
    struct bridge_mapping mapping = { 0 };
    struct driver_state *s = NULL;
    struct fault f = { 0 };
    char line[4096], *colon;
    int r = 0;

    if (argc != 6 || address_parse_single(argv[2], &options.tunnel) < 0 ||
        (colon = strchr(argv[3], ':')) == NULL) {
        fprintf(stderr, "usage: test_network_agent STATE_DIR TUNNEL_IP PHYSICAL:BRIDGE "
                        "EXTERNAL_INTERFACE DHCP_USER\n");
        return 2;
    }
    *colon = '\0';
    mapping = (struct bridge_mapping){ argv[3], colon + 1 };
    options.state_dir = argv[1];
    options.mappings = &mapping;
    options.mappings_count = 1;
    options.external_bridge = mapping.bridge;
    options.external_interface = argv[4];
    options.dhcp_user = argv[5];
    log_setup("test_network_agent", LOG_INFO, LOG_KEYVALUE);
    if (metadata_server_open(&options.metadata, &source, &f) < 0 ||
        driver_bridge.open(&s, &options, &f) < 0) {
        fprintf(stderr, "%s: %s\n", f.message, f.cause);
        return 1;
    }
    while (r >= 0 && fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        r = apply_file(s, &options, line);
    }
    driver_bridge.close(s);
    metadata_server_close(options.metadata);
    json_decref(all_facts);
    return r < 0;
}
