#include "domain_devices.h"

#include "base/str.h"

const char *
disk_targets_prefix(const char *bus)
{
    if (str_equal(bus, "virtio"))
        return "vd";
    return str_equal(bus, "ide") ? "hd" : "sd";
}

/* "vdb" -> 1, "vdaa" -> 26; -1: not a name like that. */
static int
target_index(const char *letters)
{
    size_t length = strlen(letters);
    int index = 0;

    if (length == 0 || length > 2 || strspn(letters, "abcdefghijklmnopqrstuvwxyz") != length)
        return -1;
    for (size_t i = 0; i < length; i++)
        index = index * 26 + (letters[i] - 'a') + (length == 2 && i == 0);
    return index < DISK_TARGETS_MAX ? index : -1;
}

static const char *
target_name(struct arena *a, const char *prefix, int index)
{
    if (index < 26)
        return arena_printf(a, "%s%c", prefix, 'a' + index);
    return arena_printf(a, "%s%c%c", prefix, 'a' + index / 26 - 1, 'a' + index % 26);
}

void
disk_targets_take(struct disk_targets *t, const char *target)
{
    int index = str_starts(target, t->prefix) ? target_index(target + strlen(t->prefix)) : -1;

    if (index >= 0)
        t->taken[index] = true;
}

const char *
disk_targets_next(struct disk_targets *t, struct arena *a, const char *wanted)
{
    int index = -1;

    if (wanted != NULL) {
        wanted += str_starts(wanted, "/dev/") ? 5 : 0;
        if (strlen(wanted) > 2)
            index = target_index(wanted + 2);
    }
    if (index < 0 || t->taken[index]) {
        for (index = 0; index < DISK_TARGETS_MAX && t->taken[index]; index++)
            ;
        if (index == DISK_TARGETS_MAX)
            return NULL;
    }
    t->taken[index] = true;
    return target_name(a, t->prefix, index);
}

static void
add_target(xmlNode *disk, const char *target, const char *bus)
{
    xml_add(disk, "target", "dev", target, "bus", bus, NULL);
}

static void
add_boot_order(xmlNode *device, int64_t order)
{
    if (order > 0)
        xml_set_int(xml_add(device, "boot", NULL), "order", order);
}

/* A local file; 'driver' is its format, always said. The empty <backingStore> tells libvirt that the chain ends here, so that it
 * looks into no file to find out. */
static xmlNode *
add_file_disk(xmlNode *devices, const char *path, const char *driver, const char *cache,
              const char *target, const char *bus, int64_t boot_order)
{
    xmlNode *disk = xml_add(devices, "disk", "type", "file", "device", "disk", NULL);

    xml_add(disk, "driver", "name", "qemu", "type", driver, "cache", cache, "discard", "unmap",
            NULL);
    xml_add(disk, "source", "file", path, NULL);
    add_target(disk, target, bus);
    add_boot_order(disk, boot_order);
    return disk;
}

static void
add_backing(xmlNode *disk, const char *path, const char *driver)
{
    xmlNode *backing = xml_add(disk, "backingStore", "type", "file", NULL);

    xml_add(backing, "format", "type", driver, NULL);
    xml_add(backing, "source", "file", path, NULL);
    xml_add(backing, "backingStore", NULL);
}

/* An IDE CD where the machine has IDE; on q35 a read-only virtio disk, since cloud kernels come without AHCI. */
static void
add_config_drive(xmlNode *devices, const char *path, enum guest_settings_machine machine,
                 const char *target)
{
    bool cd = machine == GUEST_SETTINGS_MACHINE_PC;
    xmlNode *disk = xml_add(devices, "disk", "type", "file", "device", cd ? "cdrom" : "disk", NULL);

    xml_add(disk, "driver", "name", "qemu", "type", "raw", NULL);
    xml_add(disk, "source", "file", path, NULL);
    xml_add(disk, "backingStore", NULL);
    add_target(disk, cd ? "hdd" : target, cd ? "ide" : "virtio");
    xml_add(disk, "readonly", NULL);
}

const char *
domain_volume_alias(struct arena *a, const char *volume_id)
{
    return arena_printf(a, "ua-vol-%s", volume_id);
}

const char *
domain_nic_alias(struct arena *a, const char *port_id)
{
    return arena_printf(a, "ua-nic-%s", port_id);
}

/* A guest whose volume has an I/O error is paused, not told: when the server is back it goes on as if nothing was. */
void
domain_devices_add_volume(struct arena *a, xmlNode *devices, const struct guest_volume *volume,
                          const char *target, const char *bus, int64_t boot_order)
{
    xmlNode *disk = xml_add(devices, "disk", "type", "network", "device", "disk", NULL);
    xmlNode *source;

    xml_add(disk, "driver", "name", "qemu", "type", "raw", "cache", "none", "discard", "unmap",
            "error_policy", "stop", "rerror_policy", "stop", NULL);
    source = xml_add(disk, "source", "protocol", "nbd", "name", volume->export, NULL);
    xml_add(source, "host", "name", volume->host, "port",
            arena_printf(a, "%lld", (long long)volume->port), NULL);
    add_target(disk, target, bus);
    if (volume->read_only)
        xml_add(disk, "readonly", NULL);
    xml_add_text(disk, "serial", !str_empty(volume->serial) ? volume->serial : volume->volume_id);
    add_boot_order(disk, boot_order);
    xml_add(disk, "alias", "name", domain_volume_alias(a, volume->volume_id), NULL);
}

void
domain_devices_add_nic(struct arena *a, xmlNode *devices, const struct guest_nic *nic,
                       const char *model)
{
    xmlNode *interface = xml_add(devices, "interface", "type", "ethernet", NULL);

    xml_add(interface, "mac", "address", nic->mac, NULL);
    /* The tap is the network agent's, made and filtered before the guest can send. */
    xml_add(interface, "target", "dev", nic->tap, "managed", "no", NULL);
    xml_add(interface, "model", "type", model, NULL);
    if (nic->mtu > 0)
        xml_set_int(xml_add(interface, "mtu", NULL), "size", nic->mtu);
    xml_add(interface, "alias", "name", domain_nic_alias(a, nic->port_id), NULL);
}

/* Absent is "not booted from". */
static int64_t
boot_index(const struct guest_volume *volume)
{
    return field_given(&volume->set, GUEST_VOLUME_F_BOOT_INDEX) ? volume->boot_index : -1;
}

static bool
is_root(const struct guest_description *guest, const struct guest_volume *volume)
{
    return guest->image == NULL && boot_index(volume) == 0;
}

static void
add_volumes(struct arena *a, xmlNode *devices, const struct guest_description *guest,
            const char *bus, const char *const *targets)
{
    for (size_t i = 0; i < guest->volumes_count; i++) {
        const struct guest_volume *volume = &guest->volumes[i];
        int64_t index = boot_index(volume);

        /* libvirt takes either boot orders or a kernel, not both. */
        domain_devices_add_volume(a, devices, volume, targets[i], bus,
                                  guest->kernel == NULL && index >= 0 &&
                                          (index > 0 || is_root(guest, volume))
                                      ? index + 1
                                      : 0);
    }
}

/* Targets for the volumes: first the root's, then those that name one, then the rest. */
static int
name_volumes(struct arena *a, const struct guest_description *guest, struct disk_targets *names,
             const char **targets)
{
    for (int pass = 0; pass < 3; pass++) {
        for (size_t i = 0; i < guest->volumes_count; i++) {
            const struct guest_volume *volume = &guest->volumes[i];
            int turn = is_root(guest, volume) ? 0 : (volume->device != NULL ? 1 : 2);

            if (turn != pass)
                continue;
            targets[i] = disk_targets_next(names, a, turn == 0 ? "vda" : volume->device);
            if (targets[i] == NULL)
                return -1;
        }
    }
    return 0;
}

int
domain_devices_add_disks(struct arena *a, xmlNode *devices, const struct guest_description *guest,
                         const struct guest_settings *settings, const struct guest_disks *disks,
                         const struct domain_host *host, struct fault *f)
{
    const char *bus = guest_settings_disk_bus_names[settings->disk_bus];
    struct disk_targets *names = ARENA_NEW(a, struct disk_targets);
    const char **targets = ARENA_ARRAY(a, const char *, guest->volumes_count + 1);
    const char *local[3] = { 0 };
    xmlNode *disk;

    names->prefix = disk_targets_prefix(bus);
    if (disks->config != NULL && settings->machine == GUEST_SETTINGS_MACHINE_PC)
        disk_targets_take(names, "hdd");
    else if (disks->config != NULL)
        disk_targets_take(names, "vdz");
    if (disks->root != NULL)
        local[0] = disk_targets_next(names, a, "vda");
    if (disks->root == NULL && name_volumes(a, guest, names, targets) < 0)
        return fault_raise(f, FAULT_INVALID, "The guest has too many disks.");
    if (disks->ephemeral != NULL)
        local[1] = disk_targets_next(names, a, NULL);
    if (disks->swap != NULL)
        local[2] = disk_targets_next(names, a, NULL);
    if (disks->root != NULL && name_volumes(a, guest, names, targets) < 0)
        return fault_raise(f, FAULT_INVALID, "The guest has too many disks.");

    if (str_equal(bus, "scsi"))
        xml_add(devices, "controller", "type", "scsi", "model", "virtio-scsi", NULL);
    if (disks->root != NULL) {
        disk = add_file_disk(devices, disks->root, "qcow2", host->disk_cache, local[0], bus,
                             guest->kernel == NULL);
        add_backing(disk, disks->base, disks->base_driver);
    }
    if (disks->ephemeral != NULL)
        xml_add(add_file_disk(devices, disks->ephemeral, "raw", host->disk_cache, local[1], bus, 0),
                "backingStore", NULL);
    if (disks->swap != NULL)
        xml_add(add_file_disk(devices, disks->swap, "raw", host->disk_cache, local[2], bus, 0),
                "backingStore", NULL);
    if (disks->config != NULL)
        add_config_drive(devices, disks->config, settings->machine, "vdz");
    add_volumes(a, devices, guest, bus, targets);
    return 0;
}

char *
domain_xml_volume(struct arena *a, const struct guest_volume *volume, const char *target,
                  const char *bus)
{
    _cleanup_(xml_freep) xmlDoc *doc = xml_new("devices");
    xmlNode *root = xmlDocGetRootElement(doc);

    domain_devices_add_volume(a, root, volume, target, bus, 0);
    return xml_text(a, doc, root->children);
}

char *
domain_xml_nic(struct arena *a, const struct guest_nic *nic, const char *model)
{
    _cleanup_(xml_freep) xmlDoc *doc = xml_new("devices");
    xmlNode *root = xmlDocGetRootElement(doc);

    domain_devices_add_nic(a, root, nic, model);
    return xml_text(a, doc, root->children);
}
