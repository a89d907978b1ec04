/* What the host has, and which guests are on it. */
#include <sys/statvfs.h>

#include "base/array.h"
#include "base/memory.h"
#include "base/str.h"
#include "cpu_traits.h"
#include "domain_read.h"
#include "driver_libvirt.h"
#include "service.h"

#define GIB ((uint64_t)1 << 30)

struct node {
    virNodeInfo info;
    unsigned long version;
    char *hostname, *capabilities;
    uint64_t free_bytes;
};

static int
read_node(struct backend_call *call)
{
    _cleanup_(libvirt_connection_unref) virConnectPtr connection = NULL;
    struct node *node = ARENA_NEW(call->arena, struct node);
    char *text;
    int r = libvirt_call_connection(call, &connection);

    if (r < 0)
        return r;
    if (virNodeGetInfo(connection, &node->info) < 0 ||
        virConnectGetVersion(connection, &node->version) < 0)
        return libvirt_fault(&call->fault, "reading the host's facts");
    node->free_bytes = virNodeGetFreeMemory(connection);
    text = virConnectGetHostname(connection);
    node->hostname = arena_strdup(call->arena, text);
    free(text);
    text = virConnectGetCapabilities(connection);
    node->capabilities = arena_strdup(call->arena, text);
    free(text);
    call->ret = node;
    return 0;
}

static void
read_capabilities(struct arena *a, const char *text, struct driver_inventory *ret)
{
    _cleanup_(xml_freep) xmlDoc *doc = text != NULL ? xml_parse(text) : NULL;
    xmlNode *cpu =
        doc != NULL ? xml_child(xml_child(xmlDocGetRootElement(doc), "host"), "cpu") : NULL;
    const char *arch = xml_content(a, xml_child(cpu, "arch")),
               *model = xml_content(a, xml_child(cpu, "model"));
    const char *vendor = xml_content(a, xml_child(cpu, "vendor"));

    ret->architecture = arch != NULL ? arch : ret->architecture;
    ret->cpu_model = model != NULL ? model : "";
    ret->cpu_vendor = vendor != NULL ? vendor : "";
}

/* What this driver can do, beside what the CPU can. */
static const char *const driver_traits[] = {
    "COMPUTE_NET_ATTACH_INTERFACE",  "COMPUTE_NET_VIF_MODEL_VIRTIO",
    "COMPUTE_NET_VIF_MODEL_E1000",   "COMPUTE_NET_VIF_MODEL_E1000E",
    "COMPUTE_NET_VIF_MODEL_RTL8139", "COMPUTE_STORAGE_BUS_VIRTIO",
    "COMPUTE_STORAGE_BUS_SCSI",      "COMPUTE_STORAGE_BUS_SATA",
    "COMPUTE_STORAGE_BUS_IDE",       "COMPUTE_GRAPHICS_MODEL_VIRTIO",
    "COMPUTE_GRAPHICS_MODEL_VGA",    "COMPUTE_GRAPHICS_MODEL_CIRRUS",
    "COMPUTE_GRAPHICS_MODEL_NONE",   "COMPUTE_IMAGE_TYPE_RAW",
    "COMPUTE_IMAGE_TYPE_QCOW2",      "COMPUTE_IMAGE_TYPE_AMI",
    "COMPUTE_IMAGE_TYPE_ARI",        "COMPUTE_IMAGE_TYPE_AKI",
    "COMPUTE_IMAGE_TYPE_ISO",        "COMPUTE_IMAGE_TYPE_VMDK",
    "COMPUTE_IMAGE_TYPE_VHD",        "COMPUTE_IMAGE_TYPE_VHDX",
    "COMPUTE_IMAGE_TYPE_VDI",        "COMPUTE_NODE",
};

static void
add_traits(struct arena *a, struct driver_inventory *ret)
{
    const char **cpu;
    size_t count = cpu_traits(a, cpu_flags_read(a), &cpu);

    ret->traits = ARENA_ARRAY(a, const char *, count + ARRAY_SIZE(driver_traits));
    for (size_t i = 0; i < count; i++)
        ret->traits[ret->traits_count++] = cpu[i];
    for (size_t i = 0; i < ARRAY_SIZE(driver_traits); i++)
        ret->traits[ret->traits_count++] = driver_traits[i];
}

int
libvirt_inventory(struct hypervisor *h, struct arena *a, struct driver_inventory *ret,
                  struct fault *f)
{
    struct libvirt_hypervisor *l = libvirt_of(h);
    _cleanup_(backend_call_freep) struct backend_call *call =
        backend_call_new(l->backend, read_node, l);
    const struct node *node;
    struct statvfs disk;
    int r = backend_call_run(call, l->config->call_deadline_s * 1000, f);

    if (r < 0)
        return r;
    node = call->ret;
    *ret = (struct driver_inventory){
        .hypervisor_hostname =
            arena_strdup(a, node->hostname != NULL ? node->hostname : l->host_name),
        .hypervisor_type = str_equal(l->host.type, "kvm") ? "KVM" : "QEMU",
        .hypervisor_version = (int64_t)node->version,
        .architecture = l->host.architecture,
        .sockets = node->info.sockets,
        .cores = node->info.cores,
        .threads = node->info.threads,
        .vcpus = node->info.cpus,
        .memory_mb = (int64_t)(node->info.memory >> 10),
        .memory_free_mb = (int64_t)(node->free_bytes >> 20),
    };
    read_capabilities(a, node->capabilities, ret);
    add_traits(a, ret);
    if (statvfs(l->instances, &disk) == 0) {
        ret->disk_gb = (int64_t)(disk.f_blocks * disk.f_frsize / GIB);
        ret->disk_free_gb = (int64_t)(disk.f_bavail * disk.f_frsize / GIB);
    }
    return 0;
}

/* All guests, each with its XML: read in one call, taken apart by the caller. */
struct found {
    char *id, *name, *xml;
    int state, reason;
};
struct found_list {
    struct found *items;
    size_t count;
};

static int
read_guests(struct backend_call *call)
{
    _cleanup_(libvirt_connection_unref) virConnectPtr connection = NULL;
    struct found_list *list = ARENA_NEW(call->arena, struct found_list);
    virDomainPtr *domains = NULL;
    int count, r = libvirt_call_connection(call, &connection);

    if (r < 0)
        return r;
    count = virConnectListAllDomains(connection, &domains, 0);
    if (count < 0)
        return libvirt_fault(&call->fault, "listing guests");
    list->items = ARENA_ARRAY(call->arena, struct found, (size_t)count + 1);
    for (int i = 0; i < count; i++) {
        struct found *found = &list->items[list->count];
        char id[VIR_UUID_STRING_BUFLEN];
        char *xml = virDomainGetXMLDesc(domains[i], 0);

        /* One that ends just now is left out. */
        if (xml != NULL && virDomainGetUUIDString(domains[i], id) == 0 &&
            virDomainGetState(domains[i], &found->state, &found->reason, 0) == 0) {
            found->id = arena_strdup(call->arena, id);
            found->name = arena_strdup(call->arena, virDomainGetName(domains[i]));
            found->xml = arena_strdup(call->arena, xml);
            list->count++;
        }
        free(xml);
        virDomainFree(domains[i]);
    }
    free(domains);
    call->ret = list;
    return 0;
}

static struct texts
texts_of(const char **items, size_t count)
{
    return (struct texts){ .items = items, .count = count };
}

static void
describe(struct arena *a, const struct found *found, struct guest_present *ret)
{
    struct domain_summary summary;

    domain_read_summary(a, found->xml, &summary);
    *ret = (struct guest_present){
        .guest_id = arena_strdup(a, found->id),
        .name = arena_strdup(a, found->name),
        .state = libvirt_power_state(found->state, found->reason),
        .volumes = texts_of(summary.volumes, summary.volumes_count),
        .macs = texts_of(summary.macs, summary.macs_count),
    };
    for (unsigned i = 0; i < GUEST_PRESENT_F_COUNT; i++)
        field_mark(&ret->set, i);
}

int
libvirt_list(struct hypervisor *h, struct arena *a, struct guest_present **ret, size_t *ret_count,
             struct fault *f)
{
    struct libvirt_hypervisor *l = libvirt_of(h);
    _cleanup_(backend_call_freep) struct backend_call *call =
        backend_call_new(l->backend, read_guests, l);
    const struct found_list *list;
    struct guest_present *guests = NULL;
    size_t count = 0, capacity = 0;
    int r = backend_call_run(call, l->config->call_deadline_s * 1000, f);

    if (r < 0)
        return r;
    list = call->ret;
    for (size_t i = 0; i < list->count; i++) {
        /* Another's guest on the same libvirt is not ours to tell of. */
        if (guest_disks_spawned(l->instances, a, list->items[i].id))
            describe(a, &list->items[i], ARRAY_PUSH(a, guests, count, capacity));
    }
    *ret = guests;
    *ret_count = count;
    return 0;
}
