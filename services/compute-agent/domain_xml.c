#include "domain_xml.h"

#include "base/str.h"
#include "domain_devices.h"
#include "xml.h"

#define DEFAULT_KERNEL_ARGS "root=/dev/vda console=tty0 console=ttyS0"

static const struct guest_settings default_settings = { .rng = true };

static const struct guest_settings *
settings_of(const struct guest_description *guest)
{
    return guest->settings != NULL ? guest->settings : &default_settings;
}

/* cloud-init and others know an OpenStack guest by its product name. */
static void
add_sysinfo(xmlNode *root, const struct guest_description *guest)
{
    xmlNode *info = xml_add(root, "sysinfo", "type", "smbios", NULL);
    xmlNode *table = xml_add(info, "system", NULL);
    static const char *const fixed[][2] = { { "manufacturer", "OpenStack Foundation" },
                                            { "product", "OpenStack Nova" },
                                            { "version", "Virga" } };

    for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
        xml_set(xml_add_text(table, "entry", fixed[i][1]), "name", fixed[i][0]);
    xml_set(xml_add_text(table, "entry", guest->guest_id), "name", "serial");
    xml_set(xml_add_text(table, "entry", guest->guest_id), "name", "uuid");
    xml_set(xml_add_text(table, "entry", "Virtual Machine"), "name", "family");
}

static void
add_os(xmlNode *root, const struct guest_description *guest, const struct guest_disks *disks,
       const struct domain_host *host)
{
    xmlNode *os = xml_add(root, "os", NULL);
    xmlNode *type = xml_add_text(os, "type", "hvm");

    xml_set(type, "arch", host->architecture);
    xml_set(type, "machine", guest_settings_machine_names[settings_of(guest)->machine]);
    if (disks->kernel != NULL) {
        xml_add_text(os, "kernel", disks->kernel);
        if (disks->ramdisk != NULL)
            xml_add_text(os, "initrd", disks->ramdisk);
        xml_add_text(os, "cmdline",
                     guest->kernel_args != NULL ? guest->kernel_args : DEFAULT_KERNEL_ARGS);
    }
    xml_add(os, "smbios", "mode", "sysinfo", NULL);
}

static void
add_cpu(xmlNode *root, const struct guest_description *guest, const struct domain_host *host)
{
    const struct guest_settings *s = settings_of(guest);
    xmlNode *tune = xml_add(root, "cputune", NULL);
    bool whole =
        str_equal(host->cpu_model, "host-model") || str_equal(host->cpu_model, "host-passthrough");
    xmlNode *cpu, *topology;

    xml_add_int(tune, "shares",
                s->cpu_shares > 0 ? s->cpu_shares : MIN(1024 * guest->vcpus, 262144));
    if (s->cpu_period_us > 0)
        xml_add_int(tune, "period", s->cpu_period_us);
    if (s->cpu_quota_us > 0)
        xml_add_int(tune, "quota", s->cpu_quota_us);

    cpu = xml_add(root, "cpu", "mode", whole ? host->cpu_model : "custom", "match",
                  whole ? NULL : "exact", NULL);
    if (!whole)
        xml_set(xml_add_text(cpu, "model", host->cpu_model), "fallback", "allow");
    topology = xml_add(cpu, "topology", NULL);
    xml_set_int(topology, "sockets", guest->vcpus);
    xml_set_int(topology, "dies", 1);
    xml_set_int(topology, "cores", 1);
    xml_set_int(topology, "threads", 1);
}

static void
add_clock(xmlNode *root, const struct domain_host *host)
{
    xmlNode *clock = xml_add(root, "clock", "offset", "utc", NULL);

    if (!str_equal(host->type, "kvm"))
        return;
    xml_add(clock, "timer", "name", "pit", "tickpolicy", "delay", NULL);
    xml_add(clock, "timer", "name", "rtc", "tickpolicy", "catchup", NULL);
    xml_add(clock, "timer", "name", "hpet", "present", "no", NULL);
}

static void
add_console(xmlNode *devices, const struct guest_disks *disks)
{
    xmlNode *serial = xml_add(devices, "serial", "type", "pty", NULL);

    /* 'off' would empty the log at each migration. */
    xml_add(serial, "log", "file", disks->console, "append", "on", NULL);
    xml_add(serial, "target", "port", "0", NULL);
}

static void
add_graphics(xmlNode *devices, const struct guest_description *guest,
             const struct domain_host *host)
{
    enum guest_settings_video_model model = settings_of(guest)->video_model;
    xmlNode *graphics, *video;

    if (str_empty(host->vnc_listen) || model == GUEST_SETTINGS_VIDEO_MODEL_NONE) {
        video = xml_add(devices, "video", NULL);
        xml_add(video, "model", "type", "none", NULL);
        return;
    }
    graphics = xml_add(devices, "graphics", "type", "vnc", "autoport", "yes", NULL);
    xml_add(graphics, "listen", "type", "address", "address", host->vnc_listen, NULL);
    video = xml_add(devices, "video", NULL);
    xml_add(video, "model", "type", guest_settings_video_model_names[model], NULL);
}

static void
add_small_devices(xmlNode *devices, const struct guest_description *guest)
{
    const struct guest_settings *s = settings_of(guest);
    xmlNode *node;

    node = xml_add(devices, "channel", "type", "unix", NULL);
    xml_add(node, "target", "type", "virtio", "name", "org.qemu.guest_agent.0", NULL);
    if (s->rng || (guest->settings != NULL && !field_given(&s->set, GUEST_SETTINGS_F_RNG))) {
        node = xml_add(devices, "rng", "model", "virtio", NULL);
        xml_set(xml_add_text(node, "backend", "/dev/urandom"), "model", "random");
    }
    node = xml_add(devices, "memballoon", "model", "virtio", NULL);
    xml_add(node, "stats", "period", "10", NULL);
}

int
domain_xml(struct arena *a, const struct guest_description *guest, const struct guest_disks *disks,
           const struct domain_host *host, char **ret, struct fault *f)
{
    _cleanup_(xml_freep) xmlDoc *doc = xml_new("domain");
    xmlNode *root = xmlDocGetRootElement(doc);
    xmlNode *features, *devices;
    int r;

    xml_set(root, "type", host->type);
    xml_add_text(root, "uuid", guest->guest_id);
    xml_add_text(root, "name", guest->name);
    xml_set(xml_add_int(root, "memory", guest->memory_mb), "unit", "MiB");
    xml_add_int(root, "vcpu", guest->vcpus);
    add_sysinfo(root, guest);
    add_os(root, guest, disks, host);
    features = xml_add(root, "features", NULL);
    xml_add(features, "acpi", NULL);
    xml_add(features, "apic", NULL);
    add_cpu(root, guest, host);
    add_clock(root, host);
    /* A guest that powers off stays defined and off; what happens next is the compute service's to say. */
    xml_add_text(root, "on_poweroff", "destroy");
    xml_add_text(root, "on_reboot", "restart");
    xml_add_text(root, "on_crash", "destroy");

    devices = xml_add(root, "devices", NULL);
    if (host->emulator != NULL)
        xml_add_text(devices, "emulator", host->emulator);
    r = domain_devices_add_disks(a, devices, guest, settings_of(guest), disks, host, f);
    if (r < 0)
        return r;
    for (size_t i = 0; i < guest->nics_count; i++)
        domain_devices_add_nic(a, devices, &guest->nics[i],
                               guest_settings_nic_model_names[settings_of(guest)->nic_model]);
    add_console(devices, disks);
    add_graphics(devices, guest, host);
    add_small_devices(devices, guest);
    if (!host->security_labels)
        xml_add(root, "seclabel", "type", "none", NULL);
    *ret = xml_text(a, doc, root);
    return 0;
}
