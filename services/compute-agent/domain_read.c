#include "domain_read.h"

#include "base/array.h"
#include "base/str.h"

static xmlNode *
devices_of(xmlDoc *doc)
{
    return doc != NULL ? xml_child(xmlDocGetRootElement(doc), "devices") : NULL;
}

static void
fill(struct arena *a, xmlDoc *doc, xmlNode *node, struct domain_device *ret)
{
    *ret = (struct domain_device){
        .xml = xml_text(a, doc, node),
        .alias = xml_attribute(a, xml_child(node, "alias"), "name"),
        .target = xml_attribute(a, xml_child(node, "target"), "dev"),
    };
}

bool
domain_read_device(struct arena *a, const char *xml, const char *alias, struct domain_device *ret)
{
    _cleanup_(xml_freep) xmlDoc *doc = xml_parse(xml);
    xmlNode *devices = devices_of(doc);

    for (xmlNode *node = devices != NULL ? devices->children : NULL; node != NULL;
         node = node->next) {
        if (node->type != XML_ELEMENT_NODE ||
            !str_equal(xml_attribute(a, xml_child(node, "alias"), "name"), alias))
            continue;
        fill(a, doc, node, ret);
        return true;
    }
    return false;
}

bool
domain_read_nic(struct arena *a, const char *xml, const char *mac, struct domain_device *ret)
{
    _cleanup_(xml_freep) xmlDoc *doc = xml_parse(xml);

    for (xmlNode *node = xml_child(devices_of(doc), "interface"); node != NULL;
         node = xml_next(node, "interface")) {
        if (!str_equal_nocase(xml_attribute(a, xml_child(node, "mac"), "address"), mac))
            continue;
        fill(a, doc, node, ret);
        return true;
    }
    return false;
}

void
domain_read_targets(struct arena *a, const char *xml, struct disk_targets *targets)
{
    _cleanup_(xml_freep) xmlDoc *doc = xml_parse(xml);

    for (xmlNode *node = xml_child(devices_of(doc), "disk"); node != NULL;
         node = xml_next(node, "disk")) {
        const char *target = xml_attribute(a, xml_child(node, "target"), "dev");

        if (target != NULL)
            disk_targets_take(targets, target);
    }
}

void
domain_read_summary(struct arena *a, const char *xml, struct domain_summary *ret)
{
    _cleanup_(xml_freep) xmlDoc *doc = xml_parse(xml);
    size_t prefix = strlen("ua-vol-"), volumes_capacity = 0, macs_capacity = 0;

    *ret = (struct domain_summary){ 0 };
    for (xmlNode *node = xml_child(devices_of(doc), "disk"); node != NULL;
         node = xml_next(node, "disk")) {
        const char *alias = xml_attribute(a, xml_child(node, "alias"), "name");

        if (alias != NULL && str_starts(alias, "ua-vol-"))
            *ARRAY_PUSH(a, ret->volumes, ret->volumes_count, volumes_capacity) = alias + prefix;
    }
    for (xmlNode *node = xml_child(devices_of(doc), "interface"); node != NULL;
         node = xml_next(node, "interface")) {
        const char *mac = xml_attribute(a, xml_child(node, "mac"), "address");

        if (mac != NULL)
            *ARRAY_PUSH(a, ret->macs, ret->macs_count, macs_capacity) = mac;
    }
}
