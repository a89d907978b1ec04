#include "xml.h"

#include <libxml/parser.h>
#include <stdarg.h>

#include "base/memory.h"

static const xmlChar *
x(const char *text)
{
    return (const xmlChar *)text;
}

void
xml_set(xmlNode *node, const char *name, const char *value)
{
    if (xmlNewProp(node, x(name), x(value)) == NULL)
        memory_exhausted(0);
}

void
xml_set_int(xmlNode *node, const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", (long long)value);
    xml_set(node, name, text);
}

xmlNode *
xml_add(xmlNode *parent, const char *name, ...)
{
    xmlNode *node = xmlNewTextChild(parent, NULL, x(name), NULL);
    const char *attribute, *value;
    va_list args;

    if (node == NULL)
        memory_exhausted(0);
    va_start(args, name);
    while ((attribute = va_arg(args, const char *)) != NULL) {
        value = va_arg(args, const char *);
        if (value != NULL)
            xml_set(node, attribute, value);
    }
    va_end(args);
    return node;
}

xmlNode *
xml_add_text(xmlNode *parent, const char *name, const char *text)
{
    xmlNode *node = xmlNewTextChild(parent, NULL, x(name), x(text));

    if (node == NULL)
        memory_exhausted(0);
    return node;
}

xmlNode *
xml_add_int(xmlNode *parent, const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", (long long)value);
    return xml_add_text(parent, name, text);
}

xmlDoc *
xml_new(const char *root)
{
    xmlDoc *doc = xmlNewDoc(x("1.0"));
    xmlNode *node = xmlNewDocNode(doc, NULL, x(root), NULL);

    if (doc == NULL || node == NULL)
        memory_exhausted(0);
    xmlDocSetRootElement(doc, node);
    return doc;
}

void
xml_freep(xmlDoc **doc)
{
    if (*doc != NULL)
        xmlFreeDoc(*doc);
    *doc = NULL;
}

char *
xml_text(struct arena *a, xmlDoc *doc, xmlNode *node)
{
    xmlBuffer *buffer = xmlBufferCreate();
    char *text;

    if (buffer == NULL || xmlNodeDump(buffer, doc, node, 0, 1) < 0)
        memory_exhausted(0);
    text =
        arena_strndup(a, (const char *)xmlBufferContent(buffer), (size_t)xmlBufferLength(buffer));
    xmlBufferFree(buffer);
    return text;
}

xmlDoc *
xml_parse(const char *text)
{
    return xmlReadMemory(text, (int)strlen(text), NULL, NULL,
                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
}

static xmlNode *
first_named(xmlNode *node, const char *name)
{
    while (node != NULL && (node->type != XML_ELEMENT_NODE || !xmlStrEqual(node->name, x(name))))
        node = node->next;
    return node;
}

xmlNode *
xml_child(xmlNode *parent, const char *name)
{
    return parent != NULL ? first_named(parent->children, name) : NULL;
}

xmlNode *
xml_next(xmlNode *node, const char *name)
{
    return first_named(node->next, name);
}

static char *
take(struct arena *a, xmlChar *text)
{
    char *copy = arena_strdup(a, (const char *)text);

    xmlFree(text);
    return copy;
}

char *
xml_attribute(struct arena *a, xmlNode *node, const char *name)
{
    return node != NULL ? take(a, xmlGetNoNsProp(node, x(name))) : NULL;
}

char *
xml_content(struct arena *a, xmlNode *node)
{
    return node != NULL ? take(a, xmlNodeGetContent(node)) : NULL;
}
