/* Short hands for libxml2: elements with attributes and text that are always text, never markup. */
#pragma once

#include <libxml/tree.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"

/* A child element; then pairs of attribute name and value, ended by NULL. A NULL value leaves its attribute out. */
xmlNode *xml_add(xmlNode *parent, const char *name, ...) __attribute__((sentinel));
/* A child with text. */
xmlNode *xml_add_text(xmlNode *parent, const char *name, const char *text);
xmlNode *xml_add_int(xmlNode *parent, const char *name, int64_t value);
void xml_set(xmlNode *node, const char *name, const char *value);
void xml_set_int(xmlNode *node, const char *name, int64_t value);

/* A document with its root element. Free with xmlFreeDoc(). */
xmlDoc *xml_new(const char *root);
void xml_freep(xmlDoc **doc); /* For _cleanup_. */

/* The node as indented text, in the arena. */
char *xml_text(struct arena *a, xmlDoc *doc, xmlNode *node);

/* Parses text that libvirt gave: no network, no entities, no DTD. NULL: not well-formed. */
xmlDoc *xml_parse(const char *text);
/* First child element of that name; NULL: none, also of a NULL parent. */
xmlNode *xml_child(xmlNode *parent, const char *name);
xmlNode *xml_next(xmlNode *node, const char *name); /* Its next sibling of that name. */
/* Attribute or content in the arena; NULL: none. */
char *xml_attribute(struct arena *a, xmlNode *node, const char *name);
char *xml_content(struct arena *a, xmlNode *node);
